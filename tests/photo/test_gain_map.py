"""A gain map is carried so that the HDR rendition keeps its highlights, decoded here by the published formula."""

import io
import re
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from samples import exif, icc_profile, saved, with_segments

from enlighten_cli.enhancement import encoded
from enlighten_cli.enhancement.encoded import Treatment, enhance_encoded
from enlighten_cli.enhancement.enhance import Mode, Options
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Strip, cannot_hold, decode, encode
from enlighten_cli.photo.gain_map import Scale
from enlighten_cli.photo.upright import UPRIGHT

XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
ISO_PREFIX = b"urn:iso:std:iso:ts:21496:-1\0"
VIDEO = b"\0\0\0\x18ftypmp42" + bytes(range(256))
NAMES = ("GainMapMin", "GainMapMax", "Gamma", "OffsetSDR", "OffsetHDR")
PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"'
    b' xmlns:dc="http://purl.org/dc/elements/1.1/" hdrgm:Version="1.0"%s/></rdf:RDF></x:xmpmeta>'
)
MOST, LEAST, GAMMA, OFFSET = 2.5, -0.5, 0.8, 1 / 64
BRIGHTER = FunctionNetwork(lambda rgb: np.clip(rgb, 0, 1) ** np.float32(0.45))
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
UNITS = st.floats(0, 1, width=32)


def lamp(height: int, width: int) -> np.ndarray:
    """Make a light that fades smoothly, off the centre."""
    y, x = (np.mgrid[0:height, 0:width] + 0.5) / np.array([height, width])[:, None, None]
    return np.exp(-((((x - 0.35) ** 2 + (y - 0.4) ** 2) / 0.06) ** 2))


def ultra_hdr(size=(160, 240), map_size=(40, 60), *, channels=1, told="xmp", packet=PACKET % b"", more=(), **options):
    """Make a dark photo with a lamp, and its gain map, as phones write them."""
    light = lamp(*size)
    pixels = np.rint(255 * np.stack([0.1 + 0.75 * light, 0.1 + 0.7 * light, 0.12 + 0.6 * light], axis=-1))
    stops = 2.4 * lamp(*map_size)[..., None] * np.array([1.0, 0.9, 0.8])[:channels]
    numbers = np.rint(255 * ((stops - LEAST) / (MOST - LEAST)) ** GAMMA).astype(np.uint8)
    values = (LEAST, MOST, GAMMA, OFFSET, OFFSET)
    if told == "xmp":
        listed = "".join(f' hdrgm:{name}="{value}"' for name, value in zip(NAMES, values, strict=True))
        segment = (0xE1, XMP_PREFIX + PACKET % (listed + ' hdrgm:HDRCapacityMax="2.5"').encode())
    else:
        all_numbers = [0.0, MOST, *(values * channels)]
        pairs = b"".join(struct.pack(">ii", round(1000 * each), 1000) for each in all_numbers)
        flags = 0x40 | (0x80 if channels == 3 else 0) | (0x08 if told == "iso, one denominator" else 0)
        if told == "iso, one denominator":
            pairs = struct.pack(">i", 1000) + b"".join(struct.pack(">i", round(1000 * each)) for each in all_numbers)
        segment = (0xE2, ISO_PREFIX + bytes(4) + bytes([flags]) + pairs)
    image = Image.fromarray(numbers[..., 0] if channels == 1 else numbers)
    gain_map = with_segments(saved(image, "JPEG", quality=95, subsampling=0), segment)
    photo = saved(Image.fromarray(pixels.astype(np.uint8)), "JPEG", quality=95, subsampling=0, **options)
    return with_segments(photo, *more, (0xE1, XMP_PREFIX + packet), behind=gain_map)


def parts_of(content: bytes) -> tuple[bytes, bytes]:
    """Cut a result where its multi-picture directory says, which must agree with XMP's."""
    start = content.index(b"MPF\0") + 4
    assert content[start : start + 8] == b"MM\0*\0\0\0\x08"
    entries = content[start + 50 :]
    _, photo_bytes, zero, _, _ = struct.unpack_from(">LLLHH", entries)
    _, map_bytes, place, _, _ = struct.unpack_from(">LLLHH", entries, 16)
    assert (zero, start + place) == (0, photo_bytes)
    listed = re.search(rb'Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="(\d+)" *', content)
    assert int(listed[1]) == map_bytes
    photo, gain_map = content[:photo_bytes], content[photo_bytes : photo_bytes + map_bytes]
    for each in (photo, gain_map):
        assert (each[:2], each[-2:]) == (b"\xff\xd8", b"\xff\xd9")
        assert ISO_PREFIX in each
    return photo, gain_map


def hdr(photo: bytes, gain_map: bytes, numbers: dict[str, list[float]]) -> np.ndarray:
    """Decode the HDR rendition, in linear light: the formula of Ultra HDR v1.1."""
    with Image.open(io.BytesIO(photo)) as image:
        encoded_sdr = np.asarray(image.convert("RGB")) / 255
    with Image.open(io.BytesIO(gain_map)) as image:
        planes = [each.resize(encoded_sdr.shape[1::-1], Image.Resampling.BILINEAR) for each in image.split()]
    sdr = np.where(encoded_sdr <= 0.04045, encoded_sdr / 12.92, ((encoded_sdr + 0.055) / 1.055) ** 2.4)
    least, most, gamma, offset_sdr, offset_hdr = (np.array(numbers[name]) for name in NAMES)
    recovered = (np.stack([np.asarray(each) for each in planes], axis=-1) / 255) ** (1 / gamma)
    return (sdr + offset_sdr) * 2 ** (least * (1 - recovered) + most * recovered) - offset_hdr


def hdr_of_result(content: bytes) -> np.ndarray:
    photo, gain_map = parts_of(content)
    numbers = {}
    for name in NAMES:
        element = re.search(rb"<hdrgm:%s>(.*?)</hdrgm:%s>" % ((name.encode(),) * 2), gain_map)[1]
        numbers[name] = [float(each) for each in re.findall(rb"-?\d+\.\d+", element)]
    return hdr(photo, gain_map, numbers)


def hdr_of_source(content: bytes) -> np.ndarray:
    values = (LEAST, MOST, GAMMA, OFFSET, OFFSET)
    photo_bytes = content.index(b"\xff\xd9\xff\xd8") + 2
    return hdr(content[:photo_bytes], content[photo_bytes:], {n: [v] for n, v in zip(NAMES, values, strict=True)})


def blocks(light: np.ndarray, side: int = 8) -> np.ndarray:
    height, width = (each // side * side for each in light.shape[:2])
    return light[:height, :width].reshape(height // side, side, width // side, side, -1).mean(axis=(1, 3))


def check_highlights(before: np.ndarray, after: np.ndarray, channels: int = 1) -> None:
    """Compare each channel, or luminance where one gain is for all: brightening changes how they relate."""
    if channels == 1:
        before, after = before @ LUMINANCE, after @ LUMINANCE
    before, after = blocks(before), blocks(after)
    bright = before.max(axis=-1) > 1  # brighter than the white of an ordinary photo
    assert bright.sum() > 20
    assert np.abs(after / before - 1)[bright].max() < 0.05


def treated(content: bytes, strength: float = 1.0, **more):
    return enhance_encoded(
        content, BRIGHTER, Treatment(Options(strength, more.pop("mode", Mode.AUTO), denoise=0)), **more
    )


CASES = {
    "a small photo": {},
    "three channels": {"channels": 3},
    "told by ISO 21496-1 alone": {"told": "iso"},
    "told by ISO with one denominator": {"told": "iso, one denominator"},
    "three channels, ISO": {"told": "iso", "channels": 3},
    "progressive": {"progressive": True},
    "three channels, Display P3": {"channels": 3, "icc_profile": icc_profile("Display P3")},
    "Display P3": {"icc_profile": icc_profile("Display P3")},
    "a size that does not divide": {"size": (163, 241), "map_size": (41, 59)},
    "strips": {"size": (1001, 1003), "map_size": (250, 251)},
}


@pytest.mark.parametrize("mode", [Mode.FULL, Mode.FAST])
@pytest.mark.parametrize("case", CASES)
def test_the_hdr_rendition_keeps_its_highlights(case, mode):
    content = ultra_hdr(**CASES[case])
    result = treated(content, mode=mode)
    assert not any("gain map" in note for note in result.notes)
    photo, _ = parts_of(result.content)
    with Image.open(io.BytesIO(photo)) as image, Image.open(io.BytesIO(content)) as dark:
        assert np.mean(image) > np.mean(dark) + 20  # it was brightened
    check_highlights(hdr_of_source(content), hdr_of_result(result.content), CASES[case].get("channels", 1))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_the_map_is_turned_with_its_photo(orientation):
    content = ultra_hdr(more=[(0xE1, b"Exif\0\0" + exif(orientation))])
    turned = np.ascontiguousarray(UPRIGHT[orientation](hdr_of_source(content)))
    check_highlights(turned, hdr_of_result(treated(content).content))


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_photo_by_bands_has_the_map_of_the_whole(monkeypatch, orientation):
    content = ultra_hdr((1001, 1203), (250, 301), more=[(0xE1, b"Exif\0\0" + exif(orientation))])
    whole = treated(content, mode=Mode.FAST).content
    monkeypatch.setattr(encoded, "BANDS_FROM_PIXELS", 1)
    assert parts_of(treated(content, mode=Mode.FAST).content) == parts_of(whole)


def test_no_gain_becomes_negative_and_strength_0_changes_none():
    content = ultra_hdr()
    was = decode(content).gain_map
    lowest = was.scale.stops(was.pixels).min()
    assert -0.02 < lowest <= 0  # 0, but for the steps of its JPEG
    bright = decode(treated(content).content).gain_map
    assert bright.scale.least[0] == pytest.approx(lowest, abs=1e-5)
    assert bright.scale.most[0] < was.scale.most[0] - 0.3
    assert bright.scale.capacity == was.scale.capacity
    same = decode(treated(content, strength=0).content).gain_map
    assert same.scale == was.scale
    assert np.abs(same.pixels / 1.0 - was.pixels).max() <= 2
    assert same.pixels.shape == (40, 60, 1)


def test_a_video_follows_the_map_and_xmp_tells_of_both():
    motion = PACKET.replace(
        b"/></rdf:RDF>",
        b' xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1" dc:creator="somebody"'
        b' xmlns:Container="http://ns.google.com/photos/1.0/container/"'
        b' xmlns:Item="http://ns.google.com/photos/1.0/container/item/"><Container:Directory><rdf:Seq>'
        b'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary"/></rdf:li>'
        b'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Length="9"/></rdf:li>'
        b'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="MotionPhoto" Item:Length="268"/></rdf:li>'
        b"</rdf:Seq></Container:Directory></rdf:Description></rdf:RDF>",
    )
    result = encode(decode(ultra_hdr(packet=motion % b"") + VIDEO))
    photo, gain_map = parts_of(result)
    assert result == photo + gain_map + VIDEO
    assert re.findall(rb'Item:Semantic="(\w+)"', photo) == [b"Primary", b"GainMap", b"MotionPhoto"]
    assert b'Item:Semantic="MotionPhoto" Item:Mime="video/mp4" Item:Length="%d"' % len(VIDEO) in photo
    assert photo.count(b"<Container:Directory>") == 1
    assert b'dc:creator="somebody"' in photo
    assert decode(result).metadata.xmp == decode(encode(decode(result))).metadata.xmp


def test_long_xmp_tells_of_the_map_in_its_first_part():
    long = b' dc:creator="' + b"y" * 64_000 + b'"'
    result = encode(decode(ultra_hdr(packet=PACKET % long)))
    parts_of(result)
    again = decode(result)
    assert long.strip() in again.metadata.xmp
    assert again.gain_map is not None
    longest = PACKET % (b' dc:creator="' + b"y" * 100_000 + b'"')
    photo = decode(result)
    object.__setattr__(photo.metadata, "xmp", longest)
    first = re.search(rb"xap/1.0/\0(.*?)</x:xmpmeta>", encode(photo), re.DOTALL)[1]
    assert len(first) < 3000
    assert b'hdrgm:Version="1.0"' in first


def test_a_photo_without_xmp_after_stripping_keeps_its_map_or_has_none():
    photo = decode(ultra_hdr())
    places = photo.stripped(Strip.GPS)
    assert decode(encode(places)).gain_map is not None
    bare = encode(photo.stripped(Strip.ALL))
    assert b"GainMap" not in bare
    assert b"MPF\0" not in bare


def test_formats_without_a_place_say_so():
    photo = decode(ultra_hdr())
    assert photo.notes == ()
    assert not any("gain map" in note for note in cannot_hold(photo, "JPEG"))
    assert any("gain map" in note for note in cannot_hold(photo, "PNG"))
    assert b"hdrgm:Version" not in encode(photo, "PNG")


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda content: content.replace(b"hdrgm:GainMapMax", b"hdrgm:GainMapNax"),
        lambda content: content.replace(b'GainMapMax="2.5"', b'GainMapMax="nan"'),
        lambda content: content.replace(b'Gamma="0.8"', b'Gamma="0.0"'),
        lambda content: content.replace(b'GainMapMax="2.5"', b'GainMapMax="2.5'),
        lambda content: content.replace(b"hdrgm:HDRCapacityMax", b"hdrgm:BaseRenditionIsHDR").replace(
            b'IsHDR="2.5"', b'IsHDR="True"'
        ),
        lambda content: content[:-200],
    ],
    ids=["no number", "nan", "no gamma", "no XML", "for an HDR photo", "cut off"],
)
def test_a_map_that_cannot_be_kept_is_named(spoiled):
    photo = decode(spoiled(ultra_hdr()))
    assert photo.gain_map is None
    assert [note for note in photo.notes if "gain map" in note]
    result = encode(photo)
    assert b"hdrgm:Version" not in result
    assert b"GainMap" not in result


def test_a_map_larger_than_its_photo_is_named():
    assert any("gain map" in note for note in decode(ultra_hdr((32, 48), (40, 60))).notes)


@settings(max_examples=50, deadline=None)
@given(st.lists(UNITS, min_size=12, max_size=12), st.sampled_from([1, 3]), st.floats(0.3, 3))
def test_a_fitted_scale_holds_its_gains(numbers, channels, gamma):
    stops = 4 * np.array(numbers, np.float32).reshape(2, -1, channels) - 1
    scale, pixels = Scale((3.0,) * channels, (-1.0,) * channels, (gamma,) * channels).fitted(stops)
    step = (np.array(scale.most) - scale.least) * max((0.5 / 255) ** (1 / gamma), 1 / 255 / gamma)
    assert (np.abs(scale.stops(pixels) - stops) <= step + 1e-3).all()
