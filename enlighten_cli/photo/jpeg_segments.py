"""What a JPEG carries besides its pixels: the segments before them, and what follows them in the file."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from enlighten_cli.photo import xmp_extension

START, END_OF_IMAGE, SCAN = b"\xff\xd8", 0xD9, 0xDA
APP0, APP1, APP2, APP11, APP13, APP14, APP15, COMMENT = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xEF, 0xFE
EXIF_PREFIX = b"Exif\0\0"
XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
ICC_PREFIX, MPF_PREFIX, ADOBE_PREFIX = b"ICC_PROFILE\0", b"MPF\0", b"Adobe"
PHOTOSHOP_PREFIX = b"Photoshop 3.0\0"
GAIN_MAP_PREFIX, RATIO_IMAGE_PREFIX = b"urn:iso:std:iso:ts:21496", b"HDR_RI"
DROPPED = (GAIN_MAP_PREFIX, RATIO_IMAGE_PREFIX)
GAIN_MAP_MARKS = (GAIN_MAP_PREFIX, b"hdrgm:Version", b"urn:com:apple:photo:2020:aux:hdrgainmap")
WRITTEN_ANEW: dict[int, tuple[bytes, ...]] = {
    APP1: (EXIF_PREFIX, XMP_PREFIX),
    APP2: (ICC_PREFIX, MPF_PREFIX),
    APP14: (ADOBE_PREFIX,),
}
MOST_BYTES = 65533  # of a segment's content
STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without content
PICTURE = re.compile(rb"(\x00*)\xff\xd8\xff")  # padding, and another JPEG
# In coded pixels a 0xFF is followed by 0, or by a restart marker.
MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


@dataclass
class JpegParts:
    """What a JPEG carries.

    Parameters
    ----------
    resources : bytes
        Photoshop's, of all segments.
    comments : list of bytes
    xmp_extension : bytes or None
        The second part of XMP that is too long for a segment.
    others : list of (int, bytes)
        Further segments of applications: marker and content.
    has_manifest, has_map : bool
        Whether there is a C2PA manifest; whether a segment tells of an HDR gain map.
    pictures : list of bytes
        Further JPEGs that follow.
    trailer : bytes
        What follows those.
    """

    resources: bytes = b""
    comments: list[bytes] = field(default_factory=list)
    xmp_extension: bytes | None = None
    others: list[tuple[int, bytes]] = field(default_factory=list)
    has_manifest: bool = False
    has_map: bool = False
    pictures: list[bytes] = field(default_factory=list)
    trailer: bytes = b""


def read_parts(content: bytes) -> JpegParts:
    """Read all segments, wherever they end, and what follows the photo."""
    parts = JpegParts()
    extensions = []
    for marker, segment in segments_of(content):
        parts.has_map |= _tells_of_map(marker, segment)
        if marker == COMMENT:
            parts.comments.append(segment)
        elif marker == APP13 and segment.startswith(PHOTOSHOP_PREFIX):
            parts.resources += segment[len(PHOTOSHOP_PREFIX) :]
        elif marker == APP1 and segment.startswith(xmp_extension.PREFIX):
            extensions.append(segment[len(xmp_extension.PREFIX) :])
        elif marker == APP11 and (parts.has_manifest or b"c2pa" in segment):
            parts.has_manifest = True  # and the segments that go on with it
        elif segment.startswith(DROPPED):
            continue
        elif APP1 <= marker <= APP15 and not _is_written_anew(marker, segment):
            parts.others.append((marker, segment))
    parts.xmp_extension = xmp_extension.assembled(extensions)
    place = end_of(content)
    while picture := PICTURE.match(content, place):
        place = end_of(content, picture.end(1))
        parts.pictures.append(content[picture.end(1) : place])
    parts.trailer = content[place:] if content[place:].strip(b"\0") else b""
    return parts


def is_gain_map(picture: bytes) -> bool:
    """Tell whether a JPEG that follows a photo is its HDR gain map."""
    return any(_tells_of_map(marker, segment) for marker, segment in segments_of(picture))


def _tells_of_map(marker: int, segment: bytes) -> bool:
    is_xmp = marker == APP1 and segment.startswith(XMP_PREFIX)
    return segment.startswith(DROPPED) or (is_xmp and any(mark in segment for mark in GAIN_MAP_MARKS))


def _is_written_anew(marker: int, segment: bytes) -> bool:
    return segment.startswith(WRITTEN_ANEW.get(marker, ()))


def segments_of(content: bytes, place: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield marker and content of each segment before the pixels."""
    for marker, start, stop in _markers(content, place):
        if marker in (SCAN, END_OF_IMAGE):
            return
        if marker not in STANDALONE:
            yield marker, content[start:stop]


def end_of(content: bytes, place: int = 0) -> int:
    """Return where a JPEG ends that begins at a place; the file's end if it is cut off."""
    for marker, _, stop in _markers(content, place):
        if marker == END_OF_IMAGE:
            return stop
    return len(content)


def _markers(content: bytes, place: int) -> Iterator[tuple[int, int, int]]:
    """Yield markers, each with the place of its content and of what follows."""
    place += len(START)
    while place + 2 <= len(content):
        if content[place] != 0xFF:
            found = MARKER_IN_SCAN.search(content, place)  # damaged, or coded pixels
            if not found:
                return
            place = found.start()
        marker = content[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        start = place + 2
        if marker in STANDALONE or marker == END_OF_IMAGE or marker == 0:
            yield marker, start, start
            place = start
            continue
        if start + 2 > len(content):
            return
        stop = start + max(2, struct.unpack_from(">H", content, start)[0])
        yield marker, start + 2, min(stop, len(content))
        if marker == SCAN:
            found = MARKER_IN_SCAN.search(content, stop)
            if not found:
                return
            stop = found.start()
        place = stop


def segment(marker: int, content: bytes) -> bytes:
    """Return a segment.

    Raises
    ------
    ValueError
        If the content is too long for one.
    """
    if len(content) > MOST_BYTES:
        raise ValueError("metadata are longer than a JPEG segment")
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def resource_segments(resources: bytes) -> bytes:
    """Return Photoshop's resources as segments, cut anywhere where they are too long for one, as Photoshop does it."""
    step = MOST_BYTES - len(PHOTOSHOP_PREFIX)
    parts = (resources[start : start + step] for start in range(0, len(resources), step))
    return b"".join(segment(APP13, PHOTOSHOP_PREFIX + part) for part in parts)


def name_of(content: bytes) -> str:
    """Return what an application's segment calls itself."""
    word = content.partition(b"\0")[0][:24].decode("ascii", "replace")
    return word if word and word.isprintable() and word.isascii() else "unnamed"


def kind_of(trailer: bytes) -> str:
    """Return what follows a photo, in words."""
    if trailer[4:8] == b"ftyp":
        return "the video of a motion photo"
    return f"{len(trailer):,} bytes"
