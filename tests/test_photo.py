import io

import numpy as np
import pytest
from conftest import scene
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageCms

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Photo, as_pixels, as_rgb, decode, encode

ORIENTATION = 0x0112
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved(image: Image.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=format, **options)
    return buffer.getvalue()


@given(arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))))
def test_lossless_formats_give_the_pixels_back(pixels):
    for format in ("PNG", "BMP"):
        np.testing.assert_array_equal(decode(encode(Photo(pixels, format))).pixels, pixels)


@given(arrays(np.uint8, (5, 7, 3)))
def test_rgb_is_the_pixels(pixels):
    np.testing.assert_array_equal(as_pixels(as_rgb(pixels)), pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_all_orientations_come_out_upright(orientation, format):
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :8] = 255  # a white corner, top left
    turned = Image.fromarray(upright)
    for step in {
        1: [], 2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4],
    }[orientation]:  # fmt: skip
        turned = turned.transpose(Image.Transpose(step))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = "Camera"
    photo = decode(saved(turned, format, exif=exif))
    assert photo.pixels.shape == (16, 32, 3)
    assert photo.pixels[:6, :6].mean() > 200
    assert photo.pixels[10:].mean() < 50
    again = Image.open(io.BytesIO(encode(photo)))
    assert again.getexif().get(ORIENTATION, 1) == 1
    assert again.getexif()[0x010F] == "Camera"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_metadata_and_profile_survive(format):
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    photo = decode(encode(Photo(scene(9, 9), format, exif=exif.tobytes(), icc_profile=SRGB, xmp=xmp)))
    assert photo.icc_profile == SRGB
    assert photo.xmp == xmp
    loaded = Image.Exif()
    loaded.load(photo.exif)
    assert loaded[0x010F] == "Camera"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_eight_bit_mode_is_read(mode):
    photo = decode(saved(Image.fromarray(scene(8, 8)).convert(mode), "JPEG" if mode == "CMYK" else "PNG"))
    assert photo.pixels.shape == (8, 8, 3)
    assert photo.grey == (mode in ("1", "L", "LA"))
    assert (photo.alpha is not None) == (mode in ("LA", "RGBA"))


def test_grey_stays_grey_and_alpha_stays():
    grey = Photo(np.full((4, 4, 3), 9, np.uint8), "PNG", grey=True, alpha=np.full((4, 4), 5, np.uint8))
    image = Image.open(io.BytesIO(encode(grey)))
    assert image.mode == "LA"
    assert image.getpixel((0, 0)) == (9, 5)


def test_deeper_channels_are_refused_rather_than_halved():
    with pytest.raises(PhotoError, match="16-bit channels cannot be kept yet"):
        decode(saved(Image.fromarray(np.full((4, 4), 300, np.uint16)), "PNG"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"plain text",
        encode(Photo(scene(40, 40), "JPEG"))[:400],
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ],
)
def test_what_is_no_photo_is_one_line(content):
    with pytest.raises(PhotoError) as caught:
        decode(content)
    assert len(str(caught.value).splitlines()) == 1


def test_bombs_are_refused_before_decoding():
    with pytest.raises(PhotoError, match="400000000 pixels"):
        decode(saved(Image.new("1", (20000, 20000)), "PNG"))


def test_a_wrong_ending_is_read_for_what_it_is(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(encode(Photo(scene(4, 4), "PNG")))
    assert decode(tmp_path / "photo.jpg").format == "PNG"


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(PhotoError, match="No such file"):
        decode(tmp_path / "absent.jpg")
