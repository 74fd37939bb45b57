"""Say in a JPEG's segments that a gain map follows, and put in its length and place once they are known.

Sources: CIPA DC-007-2021 (multi-picture format); Google, Ultra HDR image format v1.1.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator

from enlighten_cli.photo import xmp_extension
from enlighten_cli.photo.gain_map import ISO_PREFIX, ISO_VERSION
from enlighten_cli.photo.jpeg_segments import APP1, APP2, MOST_BYTES, MPF_PREFIX, XMP_PREFIX
from enlighten_cli.photo.metadata import Metadata
from enlighten_cli.photo.promises import LENGTH_TO_COME, with_gain_map

VERSION_TAG, COUNT_TAG, ENTRIES_TAG = 0xB000, 0xB001, 0xB002
UNDEFINED, LONG = 7, 4
PRIMARY_PICTURE = 0x030000
MOST_PROMISE_BYTES = 2000


def promising(metadata: Metadata) -> Metadata:
    """Return a JPEG's metadata that say that a gain map follows, and then the trailer."""
    xmp, further = metadata.xmp, []
    if len(xmp or b"") > MOST_BYTES - len(XMP_PREFIX) - MOST_PROMISE_BYTES:
        xmp, parts = xmp_extension.split(xmp or b"")  # readers look for the gain map in the first part
        further = [(APP1, part) for part in parts]
    told = [(APP2, MPF_PREFIX + _directory(0, 0, 0)), (APP2, ISO_PREFIX + ISO_VERSION), *further]
    promise = with_gain_map(xmp, len(metadata.trailer))
    return dataclasses.replace(metadata, xmp=promise, segments=(*told, *metadata.segments))


def corrections(head: bytes, photo_bytes: int, map_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield what has to be written anew, and where.

    Parameters
    ----------
    head : bytes
        The beginning of the file, with all of its segments.
    photo_bytes, map_bytes : int
        Lengths of the two JPEGs, of which the second follows the first at once.
    """
    start = head.index(MPF_PREFIX + _directory(0, 0, 0)) + len(MPF_PREFIX)
    yield start, _directory(photo_bytes, map_bytes, photo_bytes - start)
    length = LENGTH_TO_COME.replace(b"0" * 10, b"%d" % map_bytes)
    yield head.rindex(LENGTH_TO_COME, 0, start), length.ljust(len(LENGTH_TO_COME))


def _directory(photo_bytes: int, map_bytes: int, place: int) -> bytes:
    """Return the directory of two pictures; the second's place counts from its beginning."""
    fields = ((VERSION_TAG, UNDEFINED, 4, b"0100"), (COUNT_TAG, LONG, 1, struct.pack(">L", 2)))
    entries = struct.pack(">LLLHH", PRIMARY_PICTURE, photo_bytes, 0, 0, 0)
    entries += struct.pack(">LLLHH", 0, map_bytes, place, 0, 0)
    behind = 8 + 2 + 3 * 12 + 4
    listed = (*fields, (ENTRIES_TAG, UNDEFINED, len(entries), struct.pack(">L", behind)))
    head = b"MM\0*" + struct.pack(">LH", 8, len(listed))
    return head + b"".join(struct.pack(">HHL4s", *each) for each in listed) + bytes(4) + entries
