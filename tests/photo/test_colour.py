import io
import struct

import numpy as np
import pytest
from conftest import scene
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from samples import SPACES, SRGB, icc_profile

from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Metadata, Photo, as_srgb, colour_of
from enlighten_cli.photo.colour import DirectColour, LookupColour, MatrixColour, encoded_srgb, linear_srgb

COLOURS = np.stack(np.meshgrid(*[np.arange(0, 256, 51)] * 3), axis=-1).reshape(1, -1, 3).astype(np.uint8)


def by_littlecms(pixels, profile):
    converted = ImageCms.profileToProfile(
        Image.fromarray(pixels),
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    return np.asarray(converted)


def lab(rgb8):
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    values = np.asarray(ImageCms.applyTransform(Image.fromarray(rgb8), transform)).astype(np.int16)
    values[..., 1:] = np.where(values[..., 1:] > 127, values[..., 1:] - 256, values[..., 1:])
    return values * np.array([100 / 255, 1, 1])


@pytest.mark.parametrize("space", SPACES)
def test_what_the_network_sees_is_what_littlecms_says(space):
    profile = icc_profile(space)
    assert isinstance(colour_of(profile, 3), MatrixColour)
    seen = as_srgb(Photo(COLOURS, "PNG", metadata=Metadata(icc_profile=profile)))
    expected = by_littlecms(COLOURS, profile)
    assert np.abs(seen.astype(int) - expected).max() <= 2
    assert np.sqrt(((lab(seen) - lab(expected)) ** 2).sum(axis=-1)).max() <= 2.5


@pytest.mark.parametrize("space", [*SPACES, "sRGB", None])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@given(seed=st.integers(0, 1000))
@settings(max_examples=10)
def test_strength_zero_is_the_identity_for_every_profile_and_depth(space, dtype, seed):
    profile = SRGB if space == "sRGB" else icc_profile(space) if space else None
    pixels = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, (16, 16, 3)).astype(dtype)
    photo = Photo(pixels, "PNG", metadata=Metadata(icc_profile=profile))
    np.testing.assert_array_equal(
        enhance(photo, FunctionNetwork(lambda rgb: rgb * 3 + 0.1), Options(strength=0)).pixels, pixels
    )


@pytest.mark.parametrize("space", SPACES)
def test_the_same_scene_in_another_space_gets_the_same_change(space):
    """Enhancing P3 pixels and converting, or converting and enhancing: one colour for the eye."""
    profile = icc_profile(space)
    inside = (scene(24, 24, exposure=0.5) // 2 + 40).astype(np.uint8)  # well inside every gamut
    photo = Photo(inside, "PNG", metadata=Metadata(icc_profile=profile))
    brighter = enhance(photo, FunctionNetwork(lambda rgb: rgb * 1.4), Options())
    direct = (as_srgb(photo).astype(np.float32) * 1.4).clip(0, 255)
    assert np.abs(as_srgb(brighter) - direct).max() <= 4


def test_colours_outside_srgb_survive():
    profile = icc_profile("Display P3")
    green = np.full((16, 16, 3), 0, np.uint8)
    green[..., 1] = 200  # no sRGB number means this
    photo = Photo(green, "PNG", metadata=Metadata(icc_profile=profile))
    before = colour_of(profile, 3).to_srgb(green)
    assert before[..., 0].max() < 0
    after = enhance(photo, FunctionNetwork(lambda rgb: rgb + np.float32(0.1)), Options()).pixels
    out = colour_of(profile, 3).to_srgb(after)
    assert out[..., 1].min() > before[..., 1].max()
    assert out[..., 0].max() < 0.1  # still more saturated than red + 0.1 from sRGB's border would be
    assert after[..., 1].min() > 200


@pytest.mark.parametrize(("dtype", "step", "levels"), [(np.uint16, 1, 4096), (np.uint8, 64, 64)])
def test_sixteen_bits_stay_smooth(dtype, step, levels):
    """A dark ramp has as many levels after brightening as before."""
    ramp = (np.arange(4096).reshape(64, 64, 1).repeat(3, 2) // step).astype(dtype)
    enhanced = enhance(Photo(ramp, "PNG"), FunctionNetwork(lambda rgb: rgb * 3), Options()).pixels
    assert len(np.unique(enhanced)) == levels


def test_grey_gets_the_luma_of_the_change():
    grey = Photo(np.full((16, 16, 1), 50, np.uint8), "PNG")
    warmer = enhance(grey, FunctionNetwork(lambda rgb: rgb + np.array([0.1, 0, 0], np.float32)), Options())
    assert warmer.pixels.shape == (16, 16, 1)
    assert np.unique(warmer.pixels).tolist() == [50 + round(0.299 * 25.5)]


def test_srgb_profiles_cost_nothing():
    assert isinstance(colour_of(SRGB, 3), DirectColour)
    assert isinstance(colour_of(None, 3), DirectColour)


@pytest.mark.parametrize("profile", [b"", b"nonsense", bytes(200), SRGB[:200], icc_profile("ProPhoto")[:300]])
def test_damaged_profiles_are_taken_as_srgb(profile):
    assert isinstance(colour_of(profile, 3), DirectColour)


def test_profiles_of_tables_are_seen_through_littlecms():
    colour = LookupColour(icc_profile("Adobe RGB"))  # any profile LittleCMS reads does
    seen = np.rint(colour.to_srgb(COLOURS) * 255)
    assert np.abs(seen - by_littlecms(COLOURS, icc_profile("Adobe RGB"))).max() <= 2
    np.testing.assert_array_equal(colour.changed(COLOURS, seen, seen), COLOURS)


@given(st.floats(-0.5, 1.5, allow_subnormal=False))
def test_srgb_curve_round_trip(value):
    encoded = np.array([value], np.float32)
    np.testing.assert_allclose(encoded_srgb(linear_srgb(encoded)), encoded, atol=2e-6)


def lut_profile() -> bytes:
    """Build a profile of tables: by relative colorimetry the numbers are Lab's, perceptually everything is white."""

    def table(lightest: int) -> bytes:
        identity = struct.pack(">9l", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
        curves = bytes(range(256)) * 3
        corners = [(max(lightest, 255 * r), 128, 128) for r in (0, 1) for _ in (0, 1) for _ in (0, 1)]
        grid = b"".join(bytes(corner) for corner in corners)
        return b"mft1\0\0\0\0" + bytes([3, 3, 2, 0]) + identity + curves + grid + curves

    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">L", 2) + b"x\0" + bytes(78), b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3l", 63190, 65536, 54061),
        b"A2B0": table(255), b"A2B1": table(0),
    }  # fmt: skip
    entries, data, start = struct.pack(">L", len(tags)), b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        entries += struct.pack(">4sLL", name, start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    head = struct.pack(">L4sL4s4s4s12x4s", start + len(data), b"lcms", 0x02400000, b"scnr", b"RGB ", b"Lab ", b"acsp")
    return head.ljust(68, b"\0") + struct.pack(">3l", 63190, 65536, 54061) + bytes(48) + entries + data


def test_profiles_of_tables_are_read_by_relative_colorimetry():
    colour = colour_of(lut_profile(), 3)
    assert isinstance(colour, LookupColour)
    red = np.array([[[0, 9, 9], [128, 9, 9], [255, 9, 9]]], np.uint8)
    seen = np.rint(colour.to_srgb(red) * 255)[0, :, 1]
    np.testing.assert_allclose(seen, [0, 119, 255], atol=3)  # L* 0, 50 and 100
