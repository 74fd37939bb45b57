import io

import numpy as np
import pytest
from PIL import Image
from samples import saved

from enlighten_cli.errors import TooLargeError, TruncatedError
from enlighten_cli.photo import Limits, Photo, decode, encode
from enlighten_cli.photo.zero_tails import _zeros

PIXELS = np.random.default_rng(0).integers(20, 200, (96, 128, 3), dtype=np.uint8)
FILES = {
    "JPEG": {"quality": 90, "progressive": True},
    "PNG": {},
    "WEBP": {"quality": 90},
    "AVIF": {"quality": 90},
    "BMP": {},
    "TIFF": {},
}


@pytest.mark.parametrize("part", [0.5, 0.8])
@pytest.mark.parametrize("format", FILES)
def test_a_tail_of_zeros_is_found(format, part):
    content = bytearray(saved(Image.fromarray(PIXELS), format, **FILES[format]))
    cut = int(len(content) * part) + 5
    data_end = len(content) - (200 if format == "TIFF" and content[4] != 8 else 0)
    content[cut:data_end] = bytes(data_end - cut)
    with pytest.raises(TruncatedError):
        decode(bytes(content))


@pytest.mark.parametrize("format", FILES)
def test_a_black_ground_is_no_damage(format):
    pixels = PIXELS.copy()
    pixels[50:] = 0
    decode(saved(Image.fromarray(pixels), format, **FILES[format]))
    decode(saved(Image.fromarray(pixels * 0), format, **FILES[format]))


@pytest.mark.parametrize("size", [(1, 600_000), (600_000, 1)])
def test_a_side_that_no_photo_has_is_refused_before_decoding(size):
    content = encode(Photo(np.zeros((*size, 1), np.uint8), "PNG"))
    with pytest.raises(TooLargeError, match="side"):
        decode(content, Limits())


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("side", [128, 1100])
def test_a_jpeg_of_any_kind_and_size_that_ends_in_zeros_is_damaged(progressive, side):
    """Decoders take zeros for coded pixels."""
    pixels = np.random.default_rng(0).integers(20, 200, (side, side, 3), dtype=np.uint8)
    content = saved(Image.fromarray(pixels), "JPEG", quality=90, progressive=progressive)
    for part in (0.5, 0.9, 0.99):
        cut = int(len(content) * part)
        with pytest.raises(TruncatedError):
            decode(content[:cut] + bytes(len(content) - cut))


def test_zeros_after_the_end_of_a_jpeg_are_no_damage():
    content = saved(Image.fromarray(PIXELS), "JPEG", quality=90)
    assert not any("damage" in note for note in decode(content + bytes(500)).notes)


def test_zeros_are_counted_up_to_the_end_of_the_file():
    assert _zeros(io.BytesIO(b"ab" + bytes(98)), 0, 1 << 60) == 98
