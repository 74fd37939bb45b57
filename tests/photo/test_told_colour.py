"""Colours that a file tells otherwise than by an ICC profile of RGB."""

import io
import struct
import zlib

import numpy as np
import pytest
from conftest import scene
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from samples import SRGB, deep_png, icc_profile, saved

from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.errors import PhotoError
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Metadata, Photo, as_srgb, cannot_hold, colour_of, decode, encode, icc
from enlighten_cli.photo.icc import Primaries, profile_of
from enlighten_cli.photo.told_colour import PRIMARIES

GREEN = np.full((64, 64, 3), (30, 200, 40), np.uint8)
P3_CHRM = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def with_chunks(png: bytes, **chunks: bytes) -> bytes:
    """Put chunks behind a PNG's header."""
    written = b"".join(
        struct.pack(">L", len(body)) + kind.encode() + body + struct.pack(">L", zlib.crc32(kind.encode() + body))
        for kind, body in chunks.items()
    )
    return png[:33] + written + png[33:]


def avif(primaries: int, transfer: int) -> bytes:
    content = saved(Image.fromarray(GREEN), "AVIF", quality=95)
    return content.replace(b"colrnclx\0\1\0\x0d", b"colrnclx" + struct.pack(">HH", primaries, transfer))


def heic(primaries: int, transfer: int) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(GREEN)).save(
        buffer, quality=95, color_primaries=primaries, transfer_characteristics=transfer, matrix_coefficients=6,
        full_range_flag=1, save_nclx_profile=True,
    )  # fmt: skip
    return buffer.getvalue()


def png(primaries: int, transfer: int) -> bytes:
    return with_chunks(saved(Image.fromarray(GREEN), "PNG"), cICP=bytes([primaries, transfer, 0, 1]))


MAKERS = (avif, heic, png)


@pytest.mark.parametrize("make", MAKERS)
def test_display_p3_told_by_numbers_is_seen_and_kept(make):
    photo = decode(make(12, 13))
    stored = photo.pixels
    assert np.abs(stored.astype(int) - GREEN).max() <= 4
    as_profile = Photo(stored, "PNG", metadata=Metadata(icc_profile=icc_profile("Display P3")))
    assert np.abs(as_srgb(photo).astype(int) - as_srgb(as_profile)).max() <= 1
    for format in ("JPEG", "PNG", "AVIF", "TIFF", "WEBP"):
        result = decode(encode(photo, format, quality=95))
        assert result.metadata.icc_profile == photo.metadata.icc_profile
        assert np.abs(as_srgb(result).astype(int) - as_srgb(photo)).max() <= 8


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("codes", [(1, 13), (1, 1), (2, 2), (2, 13)])
def test_srgb_told_by_numbers_costs_nothing(make, codes):
    assert decode(make(*codes)).metadata.icc_profile is None


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_what_is_coded_for_hdr_is_refused_by_name(make, transfer, name):
    with pytest.raises(PhotoError, match=rf"HDR \({name}\).*SDR"):
        decode(make(9, transfer))


@pytest.mark.parametrize("make", MAKERS)
def test_an_unknown_number_is_said(make):
    photo = decode(make(1, 10))
    assert photo.metadata.icc_profile is None
    assert any("number 10" in note for note in photo.notes)


def test_the_numbers_of_another_picture_in_the_file_do_not_count():
    content = avif(12, 13)
    place = content.index(b"ipma")
    (count,) = struct.unpack_from(">L", content, place + 8)
    assert count == 1
    associated = place + 12 + 2 + 1
    numbers = content[associated : associated + content[associated - 1]]
    colour = [each for each in numbers if each & 0x7F == _property_number(content, b"colr")]
    other = (
        content[:associated]
        + numbers.replace(bytes(colour), bytes([numbers[0]]))
        + content[associated + len(numbers) :]
    )
    assert decode(content).metadata.icc_profile is not None
    assert decode(other).metadata.icc_profile is None


def _property_number(content: bytes, kind: bytes) -> int:
    place, number = content.index(b"ipco") + 4, 1
    while content[place + 4 : place + 8] != kind:
        place, number = place + struct.unpack_from(">L", content, place)[0], number + 1
    return number


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_linear_png_is_seen_as_light(deep, channels):
    value = 30 * 257 if deep else 30
    pixels = np.full((8, 8, channels), value, np.uint16 if deep else np.uint8)
    plain = deep_png(pixels) if deep else saved(Image.fromarray(pixels.squeeze()), "PNG")
    photo = decode(with_chunks(plain, gAMA=struct.pack(">L", 100000)))
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert np.abs(as_srgb(photo).astype(int) - 96).max() <= 1  # 0.1176 of light is 0.378 in sRGB
    result = decode(encode(photo))
    assert np.abs(as_srgb(result).astype(int) - 96).max() <= 1
    flat = decode(encode(photo, "WEBP"))
    assert np.abs(as_srgb(flat).astype(int) - 96).max() <= 2


def test_chromaticities_of_a_png_are_seen():
    told = with_chunks(saved(Image.fromarray(GREEN), "PNG"), cHRM=struct.pack(">8L", *P3_CHRM))
    as_profile = Photo(GREEN, "PNG", metadata=Metadata(icc_profile=icc_profile("Display P3")))
    assert np.abs(as_srgb(decode(told)).astype(int) - as_srgb(as_profile)).max() <= 1


@pytest.mark.parametrize(
    "chunks",
    [
        {"gAMA": struct.pack(">L", 45455)},
        {"gAMA": struct.pack(">L", 100000), "sRGB": b"\0"},  # sRGB comes first
        {"gAMA": struct.pack(">L", 0)},
        {"gAMA": struct.pack(">L", 1)},
        {"cHRM": bytes(32)},
        {"cHRM": struct.pack(">8L", *[2**32 - 1] * 8)},
        {"cICP": b"x"},
        {"cICP": bytes([1, 13, 0, 1]), "gAMA": struct.pack(">L", 100000)},  # and cICP before all others
    ],
)
def test_gamma_and_chromaticities_that_tell_nothing_new(chunks):
    assert decode(with_chunks(saved(Image.fromarray(GREEN), "PNG"), **chunks)).metadata.icc_profile is None


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=4, max_size=4))
def test_any_chromaticities_make_a_profile_that_reads_or_none(chrm, gamma):
    photo = decode(with_chunks(saved(Image.fromarray(GREEN), "PNG"), cHRM=chrm, gAMA=gamma))
    assert np.isfinite(colour_of(photo.metadata.icc_profile, 3).to_srgb(GREEN)).all()


@pytest.mark.parametrize("number", PRIMARIES)
def test_profiles_of_numbers_are_what_littlecms_reads(number):
    profile = profile_of("test", PRIMARIES[number], 2.2)
    colours = np.stack(np.meshgrid(*[np.arange(0, 256, 51)] * 3), axis=-1).reshape(1, -1, 3).astype(np.uint8)
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    assert ImageCms.getProfileDescription(opened).strip() == "test"
    expected = ImageCms.profileToProfile(
        Image.fromarray(colours), opened, ImageCms.createProfile("sRGB"), renderingIntent=1
    )
    seen = as_srgb(Photo(colours, "PNG", metadata=Metadata(icc_profile=profile)))
    assert np.abs(seen.astype(int) - np.asarray(expected)).max() <= 2


def test_primaries_on_a_line_make_no_profile():
    with pytest.raises(ValueError, match="no colour space"):
        profile_of("test", Primaries((0.1, 0.1), (0.2, 0.2), (0.3, 0.3), (0.3127, 0.329)), None)


def grey_photo(gamma: float, value: int = 60) -> Photo:
    return Photo(
        np.full((8, 8, 1), value, np.uint8), "JPEG", metadata=Metadata(icc_profile=profile_of("g", None, gamma))
    )


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_a_profile_of_grey_is_seen_as_littlecms_sees_it(gamma):
    photo = decode(encode(grey_photo(gamma)))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(photo.metadata.icc_profile))
    grey = Image.fromarray(photo.pixels[..., 0])
    expected = np.asarray(ImageCms.profileToProfile(grey, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"))
    assert np.abs(as_srgb(photo).astype(int) - expected).max() <= 1


def test_grey_with_a_profile_gets_the_change_that_its_light_gets():
    brighter = enhance(grey_photo(1.0), FunctionNetwork(lambda rgb: rgb * 1.4), Options())
    assert np.abs(as_srgb(brighter).astype(int) - as_srgb(grey_photo(1.0)) * 1.4).max() <= 2
    same = enhance(grey_photo(1.0), FunctionNetwork(lambda rgb: rgb * 1.4), Options(strength=0))
    np.testing.assert_array_equal(same.pixels, grey_photo(1.0).pixels)


def test_grey_whose_profile_leads_to_lightness():
    profile = bytearray(profile_of("L", None, 1.0))
    profile[20:24] = b"Lab "
    seen = colour_of(bytes(profile), 1).to_srgb(np.full((1, 1, 1), 128, np.uint8))  # L* 50.2 is 18.6 % of light
    assert np.abs(seen * 255 - 119.4).max() < 1


def test_grey_beside_a_profile_of_rgb_is_seen_by_its_curve():
    photo = Photo(np.full((8, 8, 1), 60, np.uint8), "JPEG", metadata=Metadata(icc_profile=icc_profile("ProPhoto")))
    expected = as_srgb(grey_photo(1.8))
    assert np.abs(as_srgb(photo).astype(int) - expected).max() <= 1
    assert decode(encode(photo, "WEBP")).metadata.icc_profile == photo.metadata.icc_profile


def test_a_format_without_profiles_gets_srgb():
    photo = Photo(scene(32, 32, exposure=0.7), "PNG", metadata=Metadata(icc_profile=icc_profile("Display P3")))
    assert any("colours become sRGB" in line for line in cannot_hold(photo, "BMP"))
    np.testing.assert_array_equal(decode(encode(photo, "BMP")).pixels, as_srgb(photo))
    ordinary = Photo(photo.pixels, "PNG", metadata=Metadata(icc_profile=SRGB))
    assert not cannot_hold(ordinary, "BMP")
    np.testing.assert_array_equal(decode(encode(ordinary, "BMP")).pixels, photo.pixels)


def test_a_curve_that_overflows_is_clipped_without_a_warning():
    numbers = [30000.0, 30000.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    tag = b"para" + bytes(4) + struct.pack(">HH7l", 4, 0, *(round(each * 65536) for each in numbers))
    values = icc._curve(tag)
    assert values.min() >= 0
    assert values.max() <= 1
