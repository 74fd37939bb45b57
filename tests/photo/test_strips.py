import dataclasses
import io
import zlib
from importlib import import_module

import numpy as np
import pytest
from conftest import scene
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, JpegImagePlugin

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Metadata, Photo, decode, encode, tiff_strips
from enlighten_cli.photo.jpeg_strips import STRIP_ROWS
from enlighten_cli.photo.photo import Coding, spans_of
from enlighten_cli.photo.png_strips import combined

encoding = import_module("enlighten_cli.photo.encode")  # the name in the package is that of its function
TABLES = (tuple(range(1, 65)), tuple(range(2, 66)))
TWO_STRIPS = STRIP_ROWS + 90


def both(monkeypatch, photo, format=None, **options):
    """Return a photo encoded in strips, and at once."""
    monkeypatch.setattr(encoding, "STRIPS_FROM_PIXELS", 0)
    strips = encode(photo, format, **options)
    monkeypatch.setattr(encoding, "STRIPS_FROM_PIXELS", 10**9)
    return strips, encode(photo, format, **options)


def pixels_of(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("height", [STRIP_ROWS - 3, STRIP_ROWS, STRIP_ROWS + 1, 2 * STRIP_ROWS + 77])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_jpeg_in_strips_has_the_pixels_of_one_that_is_encoded_at_once(monkeypatch, height, subsampling, channels):
    tables = TABLES[:1] if channels == 1 else TABLES
    coding = Coding(quantisation=tables, subsampling=subsampling)
    photo = Photo(scene(height, 130)[..., :channels], "JPEG", coding=coding)
    strips, whole = both(monkeypatch, photo)
    np.testing.assert_array_equal(pixels_of(strips), pixels_of(whole))
    with Image.open(io.BytesIO(strips)) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        assert [tuple(table) for table in image.quantization.values()] == list(tables)
    np.testing.assert_array_equal(decode(strips).pixels, decode(whole).pixels)  # libvips or Pillow


def test_a_jpeg_with_tables_of_16_bits_keeps_its_height(monkeypatch):
    """Its frame is not called baseline."""
    coarse = tuple(min(400, 40 + 6 * number) for number in range(64))
    photo = Photo(scene(TWO_STRIPS, 40), "JPEG", coding=Coding(quantisation=(coarse, coarse)))
    strips, whole = both(monkeypatch, photo)
    np.testing.assert_array_equal(pixels_of(strips), pixels_of(whole))


@pytest.mark.parametrize("height", [65_501, 70_000])
def test_a_photo_that_is_too_high_for_a_jpeg_is_refused(monkeypatch, height):
    monkeypatch.setattr(encoding, "STRIPS_FROM_PIXELS", 0)
    with pytest.raises(PhotoError, match="cannot be written as JPEG"):
        encode(Photo(np.zeros((height, 1, 3), np.uint8), "JPEG"))


@given(st.integers(1, 700), st.integers(1, 40))
@settings(max_examples=20)
def test_a_jpeg_of_any_size_is_joined(height, width):
    photo = Photo(scene(height, width), "JPEG", coding=Coding(subsampling=2))
    with pytest.MonkeyPatch.context() as monkeypatch:
        strips, whole = both(monkeypatch, photo, quality=88)
    np.testing.assert_array_equal(pixels_of(strips), pixels_of(whole))


@pytest.mark.parametrize("name", ["JPEG", "TIFF"])
def test_metadata_are_those_of_a_file_that_is_encoded_at_once(monkeypatch, name):
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Camera"
    exif.get_ifd(0x8769)[0x829A] = 0.5
    metadata = Metadata(exif=exif.tobytes()[6:], comments=(b"a remark",) if name == "JPEG" else (), dpi=(300.0, 300.0))
    photo = Photo(scene(TWO_STRIPS, 60), name, metadata=metadata)
    strips, whole = (decode(content) for content in both(monkeypatch, photo))
    assert strips.metadata.dpi == whole.metadata.dpi
    assert strips.metadata.comments == whole.metadata.comments
    read = [Image.Exif(), Image.Exif()]
    for one, each in zip(read, (strips, whole), strict=True):
        one.load(each.metadata.exif)
    assert dict(read[0])[0x0110] == "Camera"
    assert dict(read[0].get_ifd(0x8769)) == dict(read[1].get_ifd(0x8769))
    np.testing.assert_array_equal(strips.pixels, whole.pixels)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "packbits", "tiff_adobe_deflate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_tiff_in_strips_has_the_pixels_of_the_photo(monkeypatch, compression, dtype, channels):
    scale = 1 if dtype == np.float32 else np.iinfo(dtype).max
    random = np.random.default_rng(0)
    pixels = (random.integers(0, 9, (2 * STRIP_ROWS + 77, 41, channels)) / 8 * scale).astype(dtype)
    photo = Photo(pixels, "TIFF", coding=Coding(tiff_compression=compression))
    strips, whole = both(monkeypatch, photo)
    assert strips != whole
    for content in (strips, whole):
        read = decode(content)
        assert read.coding.tiff_compression == compression
        np.testing.assert_array_equal(read.pixels, pixels)
    if dtype == np.uint8:
        np.testing.assert_array_equal(pixels_of(strips), pixels_of(whole))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("height", [STRIP_ROWS - 1, STRIP_ROWS, STRIP_ROWS + 1, 2 * STRIP_ROWS + 77])
def test_a_png_in_strips_has_the_pixels_of_the_photo(monkeypatch, dtype, channels, height):
    pixels = scene(height, 130)[..., :channels].astype(dtype) * (257 if dtype == np.uint16 else 1)
    metadata = Metadata(text=(("Title", "a path"),), comments=(b"a remark",), dpi=(300.0, 300.0))
    strips, whole = both(monkeypatch, Photo(pixels, "PNG", metadata=metadata))
    for content in (strips, whole):
        read = decode(content)
        np.testing.assert_array_equal(read.pixels, pixels)
        assert dict(read.metadata.text)["Title"] == "a path"
    assert decode(strips).metadata == decode(whole).metadata
    assert len(strips) < 1.1 * len(whole) + 400
    with Image.open(io.BytesIO(strips)) as image:
        image.verify()  # checksums


def test_no_row_is_made_twice(monkeypatch):
    """A second time it might come out different, which a PNG's filters would carry to all rows below."""
    asked = []

    class Rows:
        shape, dtype = (2 * STRIP_ROWS + 77, 30, 3), np.dtype(np.uint8)

        def __call__(self, spans):
            for start, stop in spans:
                asked.append((start, stop))
                yield np.full((stop - start, 30, 3), len(asked) % 256, np.uint8)

    monkeypatch.setattr(encoding, "STRIPS_FROM_PIXELS", 0)
    for name in ("PNG", "JPEG", "TIFF"):
        asked.clear()
        read = decode(encode(Photo(Rows(), name)))
        assert asked == spans_of(Rows.shape[0], STRIP_ROWS)
        assert [read.pixels[row, 0, 0] for row in (0, STRIP_ROWS, 2 * STRIP_ROWS, -1)] == [1, 2, 3, 3]


@given(st.binary(max_size=200_000), st.binary(max_size=200_000))
def test_checksums_are_combined(one, other):
    assert combined(zlib.adler32(one), zlib.adler32(other), len(other)) == zlib.adler32(one + other)


def test_a_small_tiff_with_exif_stays_compressed():
    exif = Image.Exif()
    exif[0x0110] = "Camera"
    exif.get_ifd(0x8769)[0x829A] = 0.5
    metadata = Metadata(exif=exif.tobytes()[6:])
    for dtype in (np.uint8, np.uint16):
        photo = Photo(
            scene(40, 60).astype(dtype), "TIFF", metadata=metadata, coding=Coding(tiff_compression="tiff_lzw")
        )
        read = decode(encode(photo))
        assert read.coding.tiff_compression == "tiff_lzw"
        np.testing.assert_array_equal(read.pixels, photo.pixels)
        kept = Image.Exif()
        kept.load(read.metadata.exif)
        assert kept[0x0110] == "Camera"
        assert kept.get_ifd(0x8769)[0x829A] == 0.5


def test_a_tiff_that_would_be_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(encoding, "STRIPS_FROM_PIXELS", 0)
    monkeypatch.setattr(tiff_strips, "MOST_BYTES", 50_000)
    with pytest.raises(PhotoError, match="4 GB"):
        encode(Photo(scene(TWO_STRIPS, 60), "TIFF", coding=Coding(tiff_compression="raw")))


def test_what_cannot_be_cut_into_strips_is_encoded_at_once():
    large = Photo(np.zeros((1100, 1000, 3), np.uint8), "JPEG")
    opaque = np.full((1100, 1000), 255, np.uint8)
    assert encoding.can_be_stripped(large, "JPEG")
    assert encoding.can_be_stripped(large, "TIFF")
    assert encoding.can_be_stripped(large, "PNG")
    assert not encoding.can_be_stripped(large, "WEBP")
    assert not encoding.can_be_stripped(dataclasses.replace(large, alpha=opaque), "TIFF")
    assert not encoding.can_be_stripped(dataclasses.replace(large, coding=Coding(progressive=True)), "JPEG")


def test_long_metadata_are_written_as_for_small_photos(monkeypatch):
    photo = Photo(scene(TWO_STRIPS, 60), "JPEG", metadata=Metadata(iptc=b"\x1c\x02\x19\x75\x30" + bytes(30_000) * 3))
    strips, whole = both(monkeypatch, photo)
    assert decode(strips).metadata == decode(whole).metadata == photo.metadata
