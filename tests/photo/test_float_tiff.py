"""TIFF files of 32-bit floats: read, enhanced and written, range and all."""

import io

import numpy as np
import pytest
from conftest import scene
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from samples import SRGB, XMP, exif, icc_profile, saved

from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Photo, as_srgb, cannot_hold, colour_of_photo, decode, encode
from enlighten_cli.photo.colour import MatrixColour, encoded_srgb, linear_srgb
from enlighten_cli.photo.metadata import Metadata

tifffile = pytest.importorskip("tifffile")


def float_tiff(pixels, **options):
    """Write floats by another library."""
    buffer = io.BytesIO()
    grey = pixels.ndim == 2 or pixels.shape[-1] < 3
    options.setdefault("photometric", "minisblack" if grey else "rgb")
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def light(height=24, width=32, channels=3):
    """Linear light from below black to far above white."""
    pixels = linear_srgb(scene(height, width, exposure=0.3).astype(np.float32) / 255)
    pixels[2:5, 3:6] = (7.5, 3.25, 1.5)
    pixels[8, 8] = (-0.01, 0.2, 0.001)
    return pixels if channels == 3 else pixels[..., 0]


class Network:
    """Adds light, as much everywhere."""

    training_pixels, receptive_field_px, bytes_per_pixel, name = 0, 16, 100, "plus"

    def __init__(self, change=0.2):
        self._change = np.float32(change)

    def __call__(self, rgb):
        assert np.isfinite(rgb).all()
        assert rgb.min() >= 0
        assert rgb.max() <= 1
        return rgb + self._change


@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"byteorder": ">"}, {"rowsperstrip": 5}, {"tile": (16, 16)}]
)
@pytest.mark.parametrize("channels", [3, 1])
def test_floats_are_read_as_they_are(options, channels):
    pixels = light(channels=channels)
    photo = decode(float_tiff(pixels, **options))
    assert (photo.format, photo.bits, photo.pixels.dtype) == ("TIFF", 32, np.float32)
    np.testing.assert_array_equal(photo.pixels.reshape(pixels.shape), pixels)


@pytest.mark.parametrize("compression", ["lzw", "deflate"])
def test_floats_are_read_however_raw_developers_compress_them(compression):
    """With a predictor of floats, which tifffile does not write."""
    import pyvips

    image = pyvips.Image.new_from_array(light()).copy(interpretation="scrgb")
    content = image.tiffsave_buffer(compression=compression, predictor="float")
    np.testing.assert_array_equal(decode(content).pixels, light())


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("with_exif", [False, True])
def test_what_is_written_is_read_again_bit_for_bit(channels, with_exif):
    """By this package and by another library, with all that the file carried."""
    pixels = light()[..., : 3 if channels > 2 else 1]
    alpha = np.linspace(0, 1, 24 * 32, dtype=np.float32).reshape(24, 32) if channels in (2, 4) else None
    metadata = Metadata(exif=exif() if with_exif else None, xmp=XMP, icc_profile=icc_profile("ProPhoto"))
    metadata = metadata.upright()
    content = encode(Photo(pixels, "TIFF", alpha=alpha, metadata=metadata))
    kept = pixels if alpha is None else np.dstack([np.broadcast_to(pixels, (24, 32, 3)), alpha])
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        np.testing.assert_array_equal(file.asarray().reshape(kept.shape), kept)
    photo = decode(content)
    np.testing.assert_array_equal(photo.pixels, kept[..., :3])
    if alpha is not None:
        np.testing.assert_array_equal(photo.alpha, alpha)
    assert photo.metadata.xmp == metadata.xmp
    if channels > 1:
        assert photo.metadata.icc_profile == metadata.icc_profile
    assert bool(photo.metadata.exif) or not with_exif


@pytest.mark.parametrize("mode", [Mode.FULL, Mode.FAST])
@pytest.mark.parametrize("space", [None, "ProPhoto", "Display P3", "sRGB"])
@pytest.mark.parametrize("channels", [1, 3])
def test_no_change_gives_the_same_floats(mode, space, channels):
    profile = None if space is None else SRGB if space == "sRGB" else icc_profile(space)
    photo = Photo(light().astype(np.float32)[..., :channels], "TIFF", metadata=Metadata(icc_profile=profile))
    after = enhance(photo, Network(), Options(strength=0, mode=mode))
    np.testing.assert_array_equal(after.pixels, photo.pixels)


@pytest.mark.parametrize("mode", [Mode.FULL, Mode.FAST])
@pytest.mark.parametrize("profile", [None, icc_profile("ProPhoto"), SRGB])
def test_light_beyond_white_stays_as_far_beyond_it(mode, profile):
    photo = Photo(light(), "TIFF", metadata=Metadata(icc_profile=profile))
    after = enhance(photo, Network(), Options(mode=mode, denoise=0)).pixels
    assert after.dtype == np.float32
    assert np.isfinite(after).all()
    beyond = photo.pixels.min(axis=2) > 1.2
    assert beyond.any()
    # White cannot become whiter; more than white is not cut off, and keeps its order.
    assert (after[beyond] > 0.9 * photo.pixels[beyond]).all()
    dark = photo.pixels.max(axis=2) < 0.05
    assert after[dark].mean() > 2 * photo.pixels[dark].mean()


def test_floats_without_a_profile_are_linear():
    pixels = np.full((4, 4, 3), 0.5, np.float32)
    assert as_srgb(Photo(pixels, "TIFF"))[0, 0, 0] == 188  # of IEC 61966-2-1: 0.735
    profile = Metadata(icc_profile=SRGB)
    assert as_srgb(Photo(pixels, "TIFF", metadata=profile))[0, 0, 0] == 128


def test_a_photo_of_floats_brightens_like_the_same_of_integers():
    deep = (scene(40, 60, exposure=0.3).astype(np.uint16)) * 257
    linear = linear_srgb(deep.astype(np.float32) / 65535)
    for mode in (Mode.FULL, Mode.FAST):
        of_integers = enhance(Photo(deep, "PNG"), Network(), Options(mode=mode, denoise=0)).pixels / 65535
        of_floats = encoded_srgb(enhance(Photo(linear, "TIFF"), Network(), Options(mode=mode, denoise=0)).pixels)
        np.testing.assert_allclose(of_floats, of_integers, atol=2e-4)


@given(st.floats(-4, 40, width=32))
def test_a_profiles_curves_go_on_beyond_white_and_back(value):
    colour = colour_of_photo(
        Photo(np.zeros((1, 1, 3), np.float32), "TIFF", metadata=Metadata(icc_profile=icc_profile("ProPhoto")))
    )
    assert isinstance(colour, MatrixColour)
    pixels = np.full((1, 1, 3), value, np.float32)
    srgb = colour.to_srgb(pixels)
    np.testing.assert_allclose(colour._from(srgb, clamped=False), pixels, rtol=2e-3, atol=2e-3)


def test_other_formats_get_srgb_without_what_is_beyond_white():
    metadata = Metadata(icc_profile=icc_profile("ProPhoto"))
    photo = Photo(light(), "TIFF", metadata=metadata)
    for name, bits in (("PNG", 16), ("JPEG", 8)):
        (lost,) = cannot_hold(photo, name)
        assert f"{name} has no floats" in lost
        assert f"sRGB of {bits} bits" in lost
        result = decode(encode(photo, name))
        assert result.bits == bits
        assert result.metadata.icc_profile is None
        difference = np.abs(as_srgb(result).astype(int) - as_srgb(photo))
        assert difference.max() <= (1 if name == "PNG" else 40)
    assert cannot_hold(photo, "TIFF") == []


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.full((4, 4, 3), np.nan, np.float32), "48 of its numbers are NaN or infinity; repair it"),
        (np.full((4, 4), np.inf, np.float32), "16 of its numbers are NaN or infinity"),
        (np.zeros((4, 4, 3), np.float16), "no unsigned integers cannot be kept; save it with 8 or 16 bits"),
        (np.zeros((4, 4, 3), np.float64), "channels of 64 bits cannot be kept"),
        (np.zeros((4, 4), np.float64), "cannot be kept; save it"),
        (np.zeros((4, 4, 3), np.uint32), "channels of 32 bits cannot be kept"),
        (np.zeros((4, 4, 3), np.int16), "cannot be kept"),
    ],
)
def test_other_numbers_are_refused_with_the_remedy(pixels, message):
    with pytest.raises(PhotoError, match=message):
        decode(float_tiff(pixels))


@pytest.mark.parametrize("bits", [8, 16])
def test_lab_is_refused_with_the_remedy(bits):
    if bits == 8:
        content = saved(Image.new("LAB", (4, 4)), "TIFF")
    else:
        content = float_tiff(np.zeros((4, 4, 3), np.uint16), photometric="cielab")
    with pytest.raises(PhotoError, match="CIE Lab, which cannot be kept; convert it to RGB"):
        decode(content)


def test_a_thumbnail_is_not_outshone_by_a_lamp():
    from enlighten_cli.enhancement.thumbnail import thumbnail

    pixels = np.full((64, 64, 3), 0.01, np.float32)
    pixels[0, 0] = 10_000
    rgb = thumbnail(pixels, colour_of_photo(Photo(pixels, "TIFF")).to_srgb, 256)
    assert rgb.max() < 0.5


def test_floats_through_the_command(tmp_path, tiny_model):
    from click.testing import CliRunner

    from enlighten_cli.cli import main

    (tmp_path / "raw.tif").write_bytes(float_tiff(light(), iccprofile=icc_profile("ProPhoto")))
    words = [str(tmp_path / "raw.tif"), "-o", f"{tmp_path}/out/", "--model", str(tiny_model)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    after = decode(tmp_path / "out" / "raw.tif")
    assert after.bits == 32
    assert after.metadata.icc_profile == icc_profile("ProPhoto")
    assert after.pixels.max() > 5
