"""TIFF files in which the photo is not the first picture."""

import io

import numpy as np
import pytest
from conftest import scene
from hypothesis import given
from hypothesis import strategies as st
from samples import SRGB
from samples import XMP as TURNED_XMP
from test_extras import dng

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Limits, decode, encode

tifffile = pytest.importorskip("tifffile")

XMP = TURNED_XMP.replace(b'tiff:Orientation="6"', b'tiff:Orientation="1"')
PIXELS = scene(60, 90, exposure=0.7)
SMALL = PIXELS[::3, ::3]
TAGS = [(271, "s", 0, "Camera", True), (700, "B", len(XMP), XMP, True), (34675, "B", len(SRGB), SRGB, True)]


def written(*pictures: tuple[np.ndarray, dict], **of_file) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, **of_file) as file:
        for number, (pixels, options) in enumerate(pictures):
            more = {"extratags": TAGS} if number == 0 else {}
            file.write(pixels, photometric="rgb", metadata=None, **more, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}])
@pytest.mark.parametrize("by_bands", [None, lambda height, width: True])
@pytest.mark.parametrize("is_child", [False, True])
def test_the_photo_is_found_behind_a_thumbnail(tmp_path, is_child, by_bands, options, dtype):
    if dtype is np.float32 and options.get("bigtiff"):
        pytest.skip("not read: floats in BigTIFF")
    small, pixels = SMALL.astype(dtype), PIXELS.astype(dtype)
    first = {"subfiletype": 1} | ({"subifds": 1} if is_child else {})
    content = written((small, first), (pixels, {"subfiletype": 0}), **options)
    file = tmp_path / "a.tif"
    file.write_bytes(content)
    for source in (content, file):
        photo = decode(source, by_bands=by_bands)
        assert photo.notes == ()
        np.testing.assert_array_equal(photo.whole().pixels, pixels)
        assert b"Camera" in photo.metadata.exif
        assert b"somebody" in photo.metadata.xmp
        assert photo.metadata.icc_profile == SRGB
    np.testing.assert_array_equal(decode(encode(photo)).pixels, pixels)


def test_a_larger_picture_that_is_no_reduced_one_is_the_photo():
    content = written((SMALL, {"subifds": 2}), (PIXELS, {"subfiletype": 0}), (PIXELS[::2, ::2], {"subfiletype": 1}))
    np.testing.assert_array_equal(decode(content).pixels, PIXELS)


def test_the_first_of_many_pages_stays_the_photo():
    content = written((SMALL, {}), (PIXELS, {}))
    photo = decode(content)
    np.testing.assert_array_equal(photo.pixels, SMALL)
    assert any("2 pictures" in note for note in photo.notes)


def test_a_reduced_picture_alone_is_the_photo():
    np.testing.assert_array_equal(decode(written((SMALL, {"subfiletype": 1}))).pixels, SMALL)


def test_the_limit_is_for_the_photo():
    content = written((SMALL, {"subfiletype": 1}), (PIXELS, {"subfiletype": 0}))
    with pytest.raises(PhotoError, match="90 x 60"):
        decode(content, Limits(max_mpixels=0.002))


@pytest.mark.parametrize("suffix", [".tif", ".dng"])
def test_a_dng_is_developed_whatever_its_name(tmp_path, suffix):
    pytest.importorskip("rawpy")
    mosaic = np.linspace(500, 9000, 64 * 96).reshape(64, 96).astype(np.uint16)
    file = tmp_path / f"a{suffix}"
    file.write_bytes(dng(mosaic))
    photo = decode(file, by_bands=lambda height, width: True)
    assert photo.format == "RAW"
    assert photo.bits == 16


@given(st.data())
def test_directories_that_lead_anywhere_end(data):
    content = bytearray(written((SMALL, {"subfiletype": 1, "subifds": 1}), (PIXELS, {"subfiletype": 0})))
    start = int.from_bytes(content[4:8], "little")
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(start, min(start + 300, len(content) - 1)))] = data.draw(st.integers(0, 255))
    try:
        assert decode(bytes(content)).pixels.size
    except PhotoError as error:
        assert "\n" not in str(error)
