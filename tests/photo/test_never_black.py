"""No photo may become black without a word."""

import io

import numpy as np
import pytest
from PIL import Image
from samples import deep_tiff, saved

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Limits, Photo, as_srgb, decode, encode
from enlighten_cli.photo.bands import NotInMemoryError

PIXELS = np.random.default_rng(0).integers(20, 200, (40, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize("ask", [lambda photo: photo.pixels, as_srgb])
def test_all_pixels_of_a_banded_photo_are_not_to_be_had_by_mistake(ask):
    photo = decode(encode(Photo(PIXELS, "PNG")), by_bands=lambda height, width: True)
    assert not photo.is_in_memory
    assert (photo.shape, photo.dtype) == (PIXELS.shape, PIXELS.dtype)
    with pytest.raises(NotInMemoryError):
        ask(photo)
    np.testing.assert_array_equal(photo.whole().pixels, PIXELS)


@pytest.mark.parametrize("options", [{}, {"transparency": 0}, {"transparency": b"\0\xff"}])
def test_an_animated_png_with_a_palette_keeps_its_first_picture(options):
    first = Image.fromarray(PIXELS).quantize(16)
    frames = []
    for shift in (3, 5):
        frame = Image.fromarray(np.roll(np.asarray(first), shift, axis=0))
        frame.putpalette(first.getpalette())
        frames.append(frame)
    photo = decode(saved(first, "PNG", save_all=True, append_images=frames, **options))
    np.testing.assert_array_equal(photo.pixels, np.asarray(first.convert("RGB")))
    assert any("3 pictures" in note for note in photo.notes)


@pytest.mark.parametrize("allow_truncated", [False, True])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_compression_that_is_not_read_is_named(dtype, allow_truncated):
    content = deep_tiff(PIXELS.astype(dtype), compression="lzma")
    with pytest.raises(PhotoError, match=r"compression .* cannot be read"):
        decode(content, Limits(allow_truncated=allow_truncated))


def test_what_gives_no_pixels_is_an_error_even_if_truncated_files_are_allowed():
    content = bytearray(encode(Photo(PIXELS, "PNG")))
    place = content.index(b"IDAT") + 4
    content[place:] = bytes(len(content) - place)
    with pytest.raises(PhotoError):
        decode(io.BytesIO(content).getvalue(), Limits(allow_truncated=True))


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpeg_that_lacks_only_its_end_marker_is_whole(options):
    content = saved(Image.fromarray(PIXELS), "JPEG", **options)
    for lacking in (1, 2):
        photo = decode(content[:-lacking])
        np.testing.assert_array_equal(photo.pixels, decode(content).pixels)
        assert not photo.notes
    with pytest.raises(PhotoError):
        decode(content[: len(content) * 2 // 3])
