"""Walk over the parts of a file, wherever they stand: chunks of PNG and WebP, boxes of AVIF, HEIF and JPEG XL."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from enlighten_cli.photo.png_strips import SIGNATURE

MOST_PARTS = 100_000
BOXES_WITH_TABLES = (b"ftyp", b"meta", b"uuid", b"jumb", b"moov")  # others have pixels
MOST_TABLE_BYTES = 16 << 20


class Part(NamedTuple):
    """A part of a file: its name, and where its content is."""

    name: bytes
    start: int
    stop: int


def parts_of(file: BinaryIO, kind: str) -> Iterator[Part]:
    """Yield the parts of a file of a kind in `formats.FORMATS`, as far as it is known how."""
    if kind == "PNG":
        yield from _chunks(file, len(SIGNATURE), ">L4s", is_name_first=False)
    elif kind == "WEBP":
        yield from _chunks(file, 12, "<4sL", is_name_first=True)
    elif kind in ("AVIF", "HEIF", "JXL"):
        yield from _boxes(file)


def content_of_part(file: BinaryIO, part: Part, most: int = MOST_TABLE_BYTES) -> bytes:
    """Return what is in a part."""
    file.seek(part.start)
    return file.read(min(part.stop - part.start, most))


def tables_of(file: BinaryIO, kind: str) -> bytes:
    """Return the names of all parts, and the contents of those that tell of others."""
    found, left = [], MOST_TABLE_BYTES
    for part in parts_of(file, kind):
        found.append(part.name)
        if part.name in BOXES_WITH_TABLES:
            found.append(content_of_part(file, part, left))
            left -= len(found[-1])
    return b"".join(found)


def _chunks(file: BinaryIO, place: int, header: str, *, is_name_first: bool) -> Iterator[Part]:
    for _ in range(MOST_PARTS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        one, other = struct.unpack(header, head)
        name, size = (one, other) if is_name_first else (other, one)
        yield Part(name, place + 8, place + 8 + size)
        place += 8 + size + (size % 2 if is_name_first else 4)  # padding, or a checksum


def _boxes(file: BinaryIO) -> Iterator[Part]:
    place = 0
    for _ in range(MOST_PARTS):
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return
        size, name = struct.unpack_from(">L4s", head)
        start = place + 8
        if size == 1 and len(head) == 16:
            size, start = struct.unpack_from(">Q", head, 8)[0], place + 16
        if size == 0:  # to the end of the file
            yield Part(name, start, start + MOST_TABLE_BYTES)
            return
        if size < start - place or size > 1 << 62:
            return
        yield Part(name, start, place + size)
        place += size
