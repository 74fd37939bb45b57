import io
import struct

import numpy as np
import pytest
from PIL import Image
from samples import saved

from enlighten_cli.errors import TooLargeError
from enlighten_cli.photo import decode
from enlighten_cli.photo.structure import MOST_FILLING, MOST_PARTS, MOST_SEGMENTS, check_structure

JPEG = saved(Image.fromarray(np.full((16, 16, 3), 90, np.uint8)), "JPEG")


@pytest.mark.parametrize(
    ("more", "words"),
    [(b"\xff" * (MOST_FILLING + 1), "without meaning"), (b"\xff\xfe\0\3x" * MOST_SEGMENTS, "segments")],
)
def test_a_jpeg_that_is_long_before_its_frame_is_refused(more, words):
    with pytest.raises(TooLargeError, match=words):
        decode(JPEG[:2] + more + JPEG[2:])


def test_a_jpeg_with_some_filling_is_decoded():
    assert decode(JPEG[:2] + b"\xff" * 20 + JPEG[2:]).pixels.shape == (16, 16, 3)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_big", [False, True])
def test_a_tiff_file_of_too_many_strips_is_refused_by_its_directory(order, is_big):
    mark = b"II" if order == "<" else b"MM"
    if is_big:
        content = mark + struct.pack(order + "HHHQ", 43, 8, 0, 16)
        content += struct.pack(order + "QHHQQ", 1, 273, 4, MOST_PARTS + 1, 0)
    else:
        content = mark + struct.pack(order + "HL", 42, 8) + struct.pack(order + "HHHLL", 1, 273, 4, MOST_PARTS + 1, 0)
    with pytest.raises(TooLargeError, match="strips"):
        check_structure(io.BytesIO(content), "TIFF")
    with pytest.raises(TooLargeError, match="strips"):
        decode(content)
