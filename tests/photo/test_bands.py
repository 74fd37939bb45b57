import gc
import io
import os
import sys
from importlib import import_module

import numpy as np
import pytest
from conftest import noisy
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from samples import exif

from enlighten_cli.enhancement import encoded
from enlighten_cli.enhancement.encoded import Treatment, enhance_encoded
from enlighten_cli.errors import PhotoError
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Limits, Photo, decode, encode
from enlighten_cli.photo.bands import Bands, DamagedError
from enlighten_cli.photo.metadata import Metadata
from enlighten_cli.photo.photo import Coding, empty_pixels, spans_of

HEIGHT, WIDTH = 333, 250


def jpeg(mode="RGB", **options):
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT // 8 + 1, WIDTH // 8 + 1, 3)).astype(np.uint8)
    image = Image.fromarray(pixels).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def always(height, width):
    return True


def file_of(name, dtype, channels, **options):
    scale = 1 if dtype == np.float32 else np.iinfo(dtype).max
    pixels = (np.random.default_rng(0).random((HEIGHT, WIDTH, channels)) * scale).astype(dtype)
    return encode(Photo(pixels, name, **options)), pixels


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    "options", [{}, {"quality": 40}, {"subsampling": 0}, {"subsampling": 1}, {"progressive": True}]
)
def test_bands_are_the_pixels_that_pillow_decodes(mode, options):
    content = jpeg(mode, **options)
    photo = decode(content, by_bands=always)
    whole = decode(content)
    assert not photo.is_in_memory
    assert photo.shape == whole.pixels.shape
    assert (photo.metadata, photo.coding, photo.notes) == (whole.metadata, whole.coding, whole.notes)
    np.testing.assert_array_equal(np.concatenate(list(photo.rows(spans_of(HEIGHT, 50)))), whole.pixels)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "dtype", "options"),
    [
        ("PNG", np.uint8, {}),
        ("PNG", np.uint16, {}),
        ("TIFF", np.uint8, {}),
        ("TIFF", np.uint8, {"coding": Coding(tiff_compression="raw")}),
        ("TIFF", np.uint8, {"coding": Coding(tiff_compression="tiff_lzw")}),
        ("TIFF", np.uint8, {"coding": Coding(tiff_compression="packbits")}),
        ("TIFF", np.uint16, {}),
        ("TIFF", np.float32, {}),
    ],
)
def test_bands_of_other_formats(tmp_path, name, dtype, options, channels):
    content, pixels = file_of(name, dtype, channels, **options)
    path = tmp_path / "photo"
    path.write_bytes(content)
    for source in (content, path):
        photo = decode(source, by_bands=always)
        assert not photo.is_in_memory
        np.testing.assert_array_equal(photo.whole().pixels, pixels)
        np.testing.assert_array_equal(decode(source).pixels, pixels)


def test_floats_that_are_no_light_are_refused_by_bands_too():
    content, pixels = file_of("TIFF", np.float32, 3)
    pixels[-1, -1, 0] = np.nan
    content = encode(Photo(pixels, "TIFF"))
    with pytest.raises(DamagedError):
        decode(content, by_bands=always).whole()
    with pytest.raises(PhotoError, match="1 of its numbers"):
        decode(content)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "CMYK"])
def test_files_that_are_more_than_colours_are_decoded_whole(mode):
    for name in ("PNG", "TIFF"):
        if (name, mode) == ("PNG", "CMYK"):
            continue
        file = io.BytesIO()
        Image.new(mode, (30, 20)).save(file, name)
        assert decode(file.getvalue(), by_bands=always).is_in_memory


@st.composite
def rising_spans(draw, height):
    numbers = st.lists(st.integers(0, height), min_size=1, max_size=6)
    firsts = sorted(draw(numbers))
    lasts = sorted(draw(st.lists(st.integers(0, height), min_size=len(firsts), max_size=len(firsts))))
    return [(first, max(first, last)) for first, last in zip(firsts, lasts, strict=True)]


@given(rising_spans(HEIGHT))
def test_bands_may_overlap_and_leave_rows_out(spans):
    content = jpeg()
    pixels = decode(content).pixels
    for (first, last), band in zip(spans, Bands(lambda: content, pixels.shape)(spans), strict=True):
        np.testing.assert_array_equal(band, pixels[first:last])


def turned_jpeg(orientation):
    return jpeg(exif=b"Exif\0\0" + exif(orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
@given(st.data())
def test_bands_of_a_turned_photo_are_upright(orientation, data):
    content = turned_jpeg(orientation)
    pixels = decode(content).pixels
    photo = decode(content, by_bands=always)
    assert not photo.is_in_memory
    assert photo.shape == pixels.shape
    for _ in range(2):  # it may be asked again
        spans = data.draw(rising_spans(photo.height))
        for (first, last), band in zip(spans, photo.rows(spans), strict=True):
            np.testing.assert_array_equal(band, pixels[first:last])


@pytest.mark.parametrize("channels", [1, 3])
def test_bands_of_a_turned_photo_of_sixteen_bits(channels):
    content, pixels = file_of("PNG", np.uint16, channels, metadata=Metadata(exif=exif(8)))
    photo = decode(content, by_bands=always)
    assert not photo.is_in_memory
    np.testing.assert_array_equal(photo.whole().pixels, np.rot90(pixels))


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize("missing", [100, HEIGHT * WIDTH])  # bytes of the last block that are still in a buffer; more
def test_a_turned_photo_needs_no_room_on_the_disk(orientation, missing):
    import resource

    content = turned_jpeg(orientation)
    pixels = decode(content).pixels
    photo = decode(content, by_bands=always)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (pixels.nbytes - missing, limits[1]))
    try:
        whole = photo.whole()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    np.testing.assert_array_equal(whole.pixels, pixels)
    assert len(os.listdir("/proc/self/fd")) <= before  # what could not be written is gone


def test_a_damaged_photo_that_is_turned_is_found_out():
    photo = decode(turned_jpeg(6)[:-300], by_bands=always)
    with pytest.raises(DamagedError):
        photo.whole()


def test_some_photos_are_not_decoded_by_bands():
    assert decode(encode(Photo(np.zeros((8, 8, 3), np.uint8), "WEBP")), by_bands=always).is_in_memory
    assert decode(jpeg(), by_bands=lambda height, width: (height, width) != (HEIGHT, WIDTH)).is_in_memory
    tiff = io.BytesIO()
    Image.new("RGB", (30, 20)).save(tiff, "TIFF", exif=b"Exif\0\0" + exif(6))
    turned = decode(tiff.getvalue(), by_bands=always)
    assert turned.is_in_memory
    assert turned.shape == (30, 20, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_photo_is_turned_as_it_is_decoded(monkeypatch, orientation):
    content = turned_jpeg(orientation)
    by_pillow = decode(content)
    monkeypatch.setattr(import_module("enlighten_cli.photo.decode"), "VIPS_FROM_PIXELS", 0)
    by_vips = decode(content)
    np.testing.assert_array_equal(by_vips.pixels, by_pillow.pixels)
    assert by_vips.pixels.flags.c_contiguous
    with pytest.raises(PhotoError, match="incomplete"):
        decode(content[:-300])


@pytest.mark.parametrize("part", [0.3, 0.9, 0.999])
def test_a_file_that_ends_too_early_is_found_out(part):
    content = jpeg()
    photo = decode(content[: int(part * len(content))], by_bands=always)
    with pytest.raises(DamagedError):
        list(photo.rows(spans_of(HEIGHT, 64)))


def treated(content, limits=None):
    network = FunctionNetwork(lambda rgb: rgb**0.5)
    return enhance_encoded(content, network, Treatment(limits=limits or Limits()))


def by_bands_and_whole(monkeypatch, act):
    results = []
    for pixels in (0, 10**9):
        monkeypatch.setattr(encoded, "BANDS_FROM_PIXELS", pixels)
        results.append(act())
    return results


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("is_noisy", [False, True])
def test_a_photo_is_enhanced_by_bands_as_it_is_whole(monkeypatch, mode, is_noisy):
    content = jpeg(mode)
    if is_noisy:
        image = Image.fromarray(np.tile(noisy(6), (3, 3, 1))).convert(mode)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=98)
        content = buffer.getvalue()
    bands, whole = by_bands_and_whole(monkeypatch, lambda: treated(content))
    assert (bands.denoised > 0.1) == is_noisy
    assert bands == whole


@pytest.mark.parametrize("allow_truncated", [False, True])
def test_of_a_damaged_file_the_same_is_said_and_kept(monkeypatch, allow_truncated):
    content = jpeg()[:-300]

    def act():
        try:
            return treated(content, Limits(allow_truncated=allow_truncated))
        except PhotoError as error:
            return str(error)

    bands, whole = by_bands_and_whole(monkeypatch, act)
    assert bands == whole
    assert isinstance(whole, str) != allow_truncated


def test_pixels_made_for_a_jpeg_are_encoded_as_any_others():
    pixels = noisy(6)
    padded = empty_pixels(pixels.shape)
    padded[:] = pixels
    for name in ("JPEG", "PNG", "WEBP", "TIFF"):
        assert encode(Photo(padded, "PNG"), name) == encode(Photo(pixels, "PNG"), name)
    assert encode(Photo(padded[5:], "PNG"), "JPEG") == encode(Photo(pixels[5:], "PNG"), "JPEG")
