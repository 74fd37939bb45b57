"""Find the photo in a TIFF file whose first directory is of something smaller: a preview, a thumbnail."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO, NamedTuple

from enlighten_cli.photo.metadata import STRUCTURAL_TAGS
from enlighten_cli.photo.raw import FIRST_TAG_OF_DNG
from enlighten_cli.photo.tiff_tree import BIG

SUBFILE_KIND, OLD_SUBFILE_KIND, WIDTH, HEIGHT, PHOTOMETRIC, CHILDREN = 254, 255, 256, 257, 262, 330
REDUCED, MASK = 1, 4  # bits of the kind; the old kind 2 is reduced too
OLD_REDUCED = 2
MOSAIC, LINEAR_RAW = 32803, 34892  # numbers of a sensor
SHORT, LONGS = 3, (4, 13)
# What the photo's directory may lack, but the first has; other tags of the first describe other pixels.
SHARED = frozenset((274, 282, 283, 296, 700, 33723, 34377, 34675))
MOST_DIRECTORIES, MOST_TAGS = 64, 4096


class Directory(NamedTuple):
    """A directory: its entries as they are in the file, by tag, and what leads to the next one."""

    entries: dict[int, bytes]
    following: int


class TiffPhoto(NamedTuple):
    """The directory of the photo itself in a TIFF file.

    Parameters
    ----------
    width, height : int
    is_raw : bool
        Whether it has a sensor's numbers, or the file says that it is a DNG.
    own : Directory or None
        The photo's directory with what only the first one tells; None if the photo is that of the first one.
    """

    width: int
    height: int
    is_raw: bool
    own: Directory | None


class _Reader:
    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        head = file.read(16)
        self.order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
        if not self.order:
            raise ValueError("not a TIFF structure")
        self.is_big = struct.unpack_from(self.order + "H", head, 2)[0] == BIG
        self.number, self.count = ("Q", "Q") if self.is_big else ("L", "H")
        self.entry_bytes, self.value_at = (20, 12) if self.is_big else (12, 8)
        self.header = 8 if self.is_big else 4
        (self.first,) = struct.unpack_from(self.order + self.number, head, self.header)
        self._file = file

    def directory(self, place: int) -> Directory:
        count_bytes, number_bytes = struct.calcsize(self.order + self.count), struct.calcsize(self.order + self.number)
        self._file.seek(place)
        (count,) = struct.unpack(self.order + self.count, self._file.read(count_bytes))
        if count > MOST_TAGS:
            raise ValueError("more tags than a photo has")
        table = self._file.read(count * self.entry_bytes + number_bytes)
        (following,) = struct.unpack_from(self.order + self.number, table, count * self.entry_bytes)
        raw = (
            table[start : start + self.entry_bytes] for start in range(0, count * self.entry_bytes, self.entry_bytes)
        )
        return Directory({struct.unpack_from(self.order + "H", each)[0]: each for each in raw}, following)

    def numbers(self, directory: Directory, tag: int) -> tuple[int, ...]:
        entry = directory.entries.get(tag)
        if entry is None:
            return ()
        kind, count = struct.unpack_from(self.order + "H" + self.number, entry, 2)
        letter = "H" if kind == SHORT else "L" if kind in LONGS else "Q"
        layout = f"{self.order}{min(count, MOST_DIRECTORIES)}{letter}"
        if struct.calcsize(f"{self.order}{count}{letter}") <= self.entry_bytes - self.value_at:
            return struct.unpack_from(layout, entry, self.value_at)
        (place,) = struct.unpack_from(self.order + self.number, entry, self.value_at)
        self._file.seek(place)
        return struct.unpack(layout, self._file.read(struct.calcsize(layout)))

    def value(self, directory: Directory, tag: int) -> int:
        return next(iter(self.numbers(directory, tag)), 0)

    def is_reduced(self, directory: Directory) -> bool:
        kind = self.value(directory, SUBFILE_KIND)
        return bool(kind & (REDUCED | MASK)) or self.value(directory, OLD_SUBFILE_KIND) == OLD_REDUCED

    def area(self, directory: Directory) -> int:
        return self.value(directory, WIDTH) * self.value(directory, HEIGHT)


def find_photo(file: BinaryIO) -> TiffPhoto | None:
    """Return which of a TIFF file's directories is the photo; None where the structure is damaged.

    The first one, unless it says that it is reduced, or leads to a larger one that does not.
    """
    try:
        reader = _Reader(file)
        first = reader.directory(reader.first)
        found = [first, *_children(reader, first)]
        if reader.is_reduced(first):
            place = first.following
            while place and len(found) < MOST_DIRECTORIES:
                following = reader.directory(place)
                found += [following, *_children(reader, following)]
                place = following.following
        whole = [each for each in found if not reader.is_reduced(each)] or [first]
        photo = max(whole, key=reader.area)  # of equals, the first
        is_raw = FIRST_TAG_OF_DNG in first.entries or reader.value(photo, PHOTOMETRIC) in (MOSAIC, LINEAR_RAW)
        merged = None if photo is first else _merged(first, photo)
        return TiffPhoto(reader.value(photo, WIDTH), reader.value(photo, HEIGHT), is_raw, merged)
    except (struct.error, ValueError, OverflowError, OSError):
        return None


def _children(reader: _Reader, directory: Directory) -> list[Directory]:
    found = []
    for place in reader.numbers(directory, CHILDREN):
        try:
            found.append(reader.directory(place))
        except (struct.error, ValueError, OverflowError):
            continue  # the others may be whole
    return found


def _merged(first: Directory, photo: Directory) -> Directory:
    kept = {tag: each for tag, each in first.entries.items() if tag not in STRUCTURAL_TAGS or tag in SHARED}
    return Directory(kept | {tag: each for tag, each in photo.entries.items() if tag != CHILDREN}, 0)


def with_photo_first(content: bytes, own: Directory) -> bytes:
    """Return a TIFF file that begins with the photo's directory; nothing in it moves."""
    reader = _Reader(io.BytesIO(content))
    place = len(content) + len(content) % 2
    count = struct.pack(reader.order + reader.count, len(own.entries))
    directory = count + b"".join(own.entries[tag] for tag in sorted(own.entries))
    directory += struct.pack(reader.order + reader.number, 0)
    start = struct.pack(reader.order + reader.number, place)
    head = content[: reader.header] + start + content[reader.header + len(start) :]
    return head + bytes(len(content) % 2) + directory
