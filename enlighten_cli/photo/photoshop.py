"""Photoshop's image resources: what JPEG, TIFF and PNG carry IPTC in, and more."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

MARKS = (b"8BIM", b"AgHg", b"DCSR", b"MeSa", b"PHUT")
IPTC = 0x0404
RESOLUTION, GUIDES, COPYRIGHT_FLAG, URL, SLICES, CLIPPING_PATH = 0x03ED, 0x0408, 0x040A, 0x040B, 0x041A, 0x0BB7
PATHS = range(2000, 2999)
# Pictures of the photo before, and second copies of what is kept elsewhere: ICC profile, EXIF twice, XMP.
STALE = frozenset((0x0409, 0x040C, 0x040F, 0x0422, 0x0423, 0x0424))
GEOMETRY = frozenset((RESOLUTION, GUIDES, SLICES, CLIPPING_PATH, *PATHS))
WITHOUT_PLACES = frozenset((RESOLUTION, COPYRIGHT_FLAG, URL, CLIPPING_PATH, *PATHS))


@dataclass(frozen=True)
class Resource:
    """One resource: `head` is its mark, number and name as they stand in the file."""

    number: int
    head: bytes
    content: bytes

    def __bytes__(self) -> bytes:
        padding = b"\0" * (len(self.content) % 2)
        return self.head + struct.pack(">L", len(self.content)) + self.content + padding


def resources_of(content: bytes) -> list[Resource]:
    """Cut resources apart; what is not understood, or cut off, is left out."""
    found = []
    place = 0
    while content[place : place + 4] in MARKS and place + 12 <= len(content):
        (number,) = struct.unpack_from(">H", content, place + 4)
        name_bytes = 1 + content[place + 6]
        start = place + 6 + name_bytes + name_bytes % 2
        if start + 4 > len(content):
            break
        (size,) = struct.unpack_from(">L", content, start)
        stop = start + 4 + size
        if stop > len(content):
            break
        found.append(Resource(number, content[place:start], content[start + 4 : stop]))
        place = stop + stop % 2 if (stop - place) % 2 == 0 else stop + 1
    return found


def iptc_of(resources: Iterable[Resource]) -> bytes | None:
    """Return the IPTC records among resources."""
    return next((each.content for each in resources if each.number == IPTC and each.content), None)


def others_of(resources: Iterable[Resource]) -> bytes | None:
    """Return the resources that are neither IPTC nor stale in a brightened photo."""
    return b"".join(bytes(each) for each in resources if each.number not in STALE | {IPTC}) or None


def photoshop_block(iptc: bytes) -> bytes:
    """Wrap IPTC records as a resource."""
    return bytes(Resource(IPTC, MARKS[0] + struct.pack(">HH", IPTC, 0), iptc))


def without_geometry(resources: bytes) -> tuple[bytes | None, bool]:
    """Return resources without those that say where something is in the photo, and whether one was lost for good."""
    found = resources_of(resources)
    lost = any(each.number in GEOMETRY - {RESOLUTION} for each in found)
    return b"".join(bytes(each) for each in found if each.number not in GEOMETRY) or None, lost


def without_places(resources: bytes) -> bytes | None:
    """Return the resources that are known not to say where a photo was taken."""
    return b"".join(bytes(each) for each in resources_of(resources) if each.number in WITHOUT_PLACES) or None
