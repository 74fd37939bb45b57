"""An HDR gain map: how much brighter than the photo each of its places is on a display that can show it.

Sources: Google, Ultra HDR image format v1.1 (developer.android.com/media/platform/hdr-image-format); ISO 21496-1:2025,
whose numbers libultrahdr writes in the same order.
"""

from __future__ import annotations

import dataclasses
import io
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from enlighten_cli.photo.bands import Rows
from enlighten_cli.photo.jpeg_segments import APP1, APP2, GAIN_MAP_PREFIX, XMP_PREFIX, segment, segments_of
from enlighten_cli.photo.promises import HDR_GAIN_MAP
from enlighten_cli.photo.upright import upright

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
ISO_PREFIX = GAIN_MAP_PREFIX + b":-1\0"
ISO_VERSION = bytes(4)  # the least that a reader needs, and the writer's
MANY_CHANNELS, BASE_COLOURS, BACKWARD, COMMON_DENOMINATOR = 0x80, 0x40, 0x04, 0x08
DENOMINATOR = 1 << 20
MOST_STOPS = 32
OFFSET = (1 / 64,)
PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{rdf}"><rdf:Description rdf:about=""'
    ' xmlns:hdrgm="{hdrgm}" hdrgm:Version="1.0" hdrgm:BaseRenditionIsHDR="False" hdrgm:HDRCapacityMin="{least:.6f}"'
    ' hdrgm:HDRCapacityMax="{most:.6f}">{properties}</rdf:Description></rdf:RDF></x:xmpmeta>'
)

Channels = tuple[float, ...]  # one number, or one for each of red, green and blue


@dataclass(frozen=True)
class Scale:
    """What the numbers of a map mean: stops are least + (most - least) x number ** (1 / gamma).

    Parameters
    ----------
    most, least : tuple of float
        GainMapMax and GainMapMin, in stops.
    gamma : tuple of float
    offset_sdr, offset_hdr : tuple of float
        HDR light = (SDR light + offset_sdr) x 2 ** stops - offset_hdr.
    capacity : tuple of float
        HDRCapacityMin and HDRCapacityMax: the headroom of displays, in stops, from and at which the map counts.
    base_colours : bool
        Whether light is of the photo's primaries, not of the map's.
    """

    most: Channels
    least: Channels = (0.0,)
    gamma: Channels = (1.0,)
    offset_sdr: Channels = OFFSET
    offset_hdr: Channels = OFFSET
    capacity: tuple[float, float] = (0.0, 1.0)
    base_colours: bool = True

    def __post_init__(self) -> None:
        """Refuse numbers that no program writes.

        Raises
        ------
        ValueError
            If a number is out of range.
        """
        channels = (self.most, self.least, self.gamma, self.offset_sdr, self.offset_hdr)
        if any(len(each) not in (1, 3) for each in channels) or len(self.capacity) != 2:
            raise ValueError("a gain map has one channel or three")
        if not all(abs(each) <= MOST_STOPS for numbers in (*channels, self.capacity) for each in numbers):
            raise ValueError("a number of the gain map is out of range")
        if min(self.gamma) <= 0 or min(self.offset_sdr) < 0 or (np.array(self.most) < self.least).any():
            raise ValueError("a gain map's numbers contradict each other")

    def stops(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the gain of each pixel."""
        least, most = np.array(self.least, np.float32), np.array(self.most, np.float32)
        place = (pixels / np.float32(255)) ** (1 / np.array(self.gamma, np.float32))
        return np.asarray(least + (most - least) * place, np.float32)

    def fitted(self, stops: NDArray[np.float32]) -> tuple[Scale, NDArray[np.uint8]]:
        """Return the scale that holds these gains and no others, and the pixels."""
        axes = (0, 1) if len(self.most) == 3 else None
        least, most = np.atleast_1d(stops.min(axis=axes)), np.atleast_1d(stops.max(axis=axes))
        place = (stops - least) / np.maximum(most - least, np.float32(1e-6))
        pixels = np.rint(255 * place.clip(0, 1) ** np.array(self.gamma, np.float32)).astype(np.uint8)
        scale = dataclasses.replace(self, least=tuple(map(float, least)), most=tuple(map(float, most)))
        return scale, pixels


@dataclass(frozen=True)
class GainMap:
    """A photo's HDR gain map.

    Parameters
    ----------
    pixels : ndarray, shape (h, w, 1) or (h, w, 3), uint8
    scale : Scale
    coding : dict
        How its JPEG is saved, in Pillow's words.
    before : Rows, optional
        The photo that it belongs to, where that was changed since.
    """

    pixels: NDArray[np.uint8]
    scale: Scale
    coding: dict[str, Any]
    before: Rows | None = None

    def upright(self, orientation: int) -> GainMap:
        """Return the map turned as EXIF's orientation asks."""
        return dataclasses.replace(self, pixels=upright(self.pixels, orientation))

    def __bytes__(self) -> bytes:
        """Return the map as a JPEG."""
        image = Image.fromarray(self.pixels[..., 0] if self.pixels.shape[2] == 1 else self.pixels)
        buffer = io.BytesIO()
        told = segment(APP1, XMP_PREFIX + _xmp_of(self.scale)) + segment(APP2, ISO_PREFIX + _iso_of(self.scale))
        image.save(buffer, "JPEG", extra=told, **self.coding)
        return buffer.getvalue()


def read_gain_map(pictures: list[bytes], width: int, height: int) -> GainMap | None:
    """Read the first gain map of those JPEGs that follow a photo of this size; None if none can be kept."""
    for picture in pictures:
        try:
            scale = _scale_of(picture)
            if scale is None:
                continue
            with Image.open(io.BytesIO(picture)) as image:
                if image.mode not in ("L", "RGB") or image.width > width or image.height > height:
                    continue
                coding = {
                    "qtables": [list(table) for table in getattr(image, "quantization", {}).values()],
                    "subsampling": max(0, JpegImagePlugin.get_sampling(image)),
                    "icc_profile": image.info.get("icc_profile"),
                }
                pixels = np.array(image)
        except Exception:  # decoders and parsers raise any kind of exception on damaged pictures
            continue
        return GainMap(pixels.reshape(*pixels.shape[:2], -1), scale, coding)
    return None


def _scale_of(picture: bytes) -> Scale | None:
    """Return what the picture's segments say; None if it is no gain map, or one that darkens an HDR photo."""
    for marker, content in segments_of(picture):
        if marker == APP1 and content.startswith(XMP_PREFIX) and HDR_GAIN_MAP.encode() in content:
            return _scale_of_xmp(content[len(XMP_PREFIX) :])
    for marker, content in segments_of(picture):
        if marker == APP2 and content.startswith(ISO_PREFIX) and len(content) > len(ISO_PREFIX) + len(ISO_VERSION):
            return _scale_of_iso(content[len(ISO_PREFIX) :])
    return None


def _scale_of_xmp(packet: bytes) -> Scale | None:
    from defusedxml.ElementTree import fromstring  # on first use, as in promises

    found: dict[str, list[str]] = {}
    start = f"{{{HDR_GAIN_MAP}}}"
    for element in fromstring(packet.rstrip(b"\0"), forbid_dtd=True).iter():
        found.update({key[len(start) :]: [value] for key, value in element.items() if key.startswith(start)})
        if element.tag.startswith(start):
            listed = [each.text or "" for each in element.iter(f"{{{RDF}}}li")]
            found[element.tag[len(start) :]] = listed or [element.text or ""]
    if "GainMapMax" not in found or found.get("BaseRenditionIsHDR", [""])[0].strip().lower() == "true":
        return None

    def channels(name: str, usual: Channels) -> Channels:
        return tuple(map(float, found[name])) if name in found else usual

    most = channels("GainMapMax", ())
    return Scale(
        most,
        channels("GainMapMin", (0.0,)),
        channels("Gamma", (1.0,)),
        channels("OffsetSDR", OFFSET),
        channels("OffsetHDR", OFFSET),
        (channels("HDRCapacityMin", (0.0,))[0], channels("HDRCapacityMax", (max(most),))[0]),
    )


def _xmp_of(scale: Scale) -> bytes:
    named = {
        "GainMapMin": scale.least,
        "GainMapMax": scale.most,
        "Gamma": scale.gamma,
        "OffsetSDR": scale.offset_sdr,
        "OffsetHDR": scale.offset_hdr,
    }
    properties = "".join(f"<hdrgm:{name}>{_listed(numbers)}</hdrgm:{name}>" for name, numbers in named.items())
    least, most = scale.capacity
    return PACKET.format(rdf=RDF, hdrgm=HDR_GAIN_MAP, least=least, most=most, properties=properties).encode()


def _listed(numbers: Channels) -> str:
    if len(numbers) == 1:
        return f"{numbers[0]:.6f}"
    return f"<rdf:Seq>{''.join(f'<rdf:li>{each:.6f}</rdf:li>' for each in numbers)}</rdf:Seq>"


def _scale_of_iso(content: bytes) -> Scale | None:
    least_version, _, flags = struct.unpack_from(">HHB", content)
    count, place = 3 if flags & MANY_CHANNELS else 1, 5
    if least_version or flags & BACKWARD:
        return None
    signs = "II" + "iiIii" * count
    if flags & COMMON_DENOMINATOR:
        denominator, *numerators = struct.unpack_from(">I" + signs, content, place)
        denominators = [denominator] * len(numerators)
    else:
        both = struct.unpack_from(">" + "".join(sign + "I" for sign in signs), content, place)
        numerators, denominators = list(both[::2]), list(both[1::2])
    numbers = [above / below for above, below in zip(numerators, denominators, strict=True)]
    least, most, gamma, sdr, hdr = (tuple(numbers[2 + each :: 5]) for each in range(5))
    return Scale(most, least, gamma, sdr, hdr, (numbers[0], numbers[1]), bool(flags & BASE_COLOURS))


def _iso_of(scale: Scale) -> bytes:
    channels = (scale.least, scale.most, scale.gamma, scale.offset_sdr, scale.offset_hdr)
    count = max(map(len, channels))
    flags = (MANY_CHANNELS if count == 3 else 0) | (BASE_COLOURS if scale.base_colours else 0)
    numbers = [*scale.capacity, *(each[channel % len(each)] for channel in range(count) for each in channels)]
    signs = "II" + "iiIii" * count
    pairs = [(max(0, each) if sign == "I" else each, DENOMINATOR) for sign, each in zip(signs, numbers, strict=True)]
    return (
        ISO_VERSION
        + bytes([flags])
        + b"".join(
            struct.pack(f">{sign}I", math.floor(number * below + 0.5), below)
            for sign, (number, below) in zip(signs, pairs, strict=True)
        )
    )
