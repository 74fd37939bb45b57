"""Change EXIF in place: nothing moves, so maker notes, which refer to places by offset, stay valid."""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator
from dataclasses import dataclass

ORIENTATION = 0x0112
EXIF_DIRECTORY = 0x8769
GPS_DIRECTORY = 0x8825
THUMBNAIL_OFFSET, THUMBNAIL_BYTES = 0x0201, 0x0202
INTEROPERABILITY_DIRECTORY = 0xA005
DIRECTORIES = (EXIF_DIRECTORY, GPS_DIRECTORY, INTEROPERABILITY_DIRECTORY, 0x014A)  # the last: SubIFDs
ENTRY_BYTES = 12
CLASSIC = 42  # the version; 43 is BigTIFF
# Directories and values that do not overlap are read and written only a few times each. A hostile file whose
# directories overlap could take time proportional to the square of its size; this limits it.
WORK_PER_BYTE, LEAST_WORK_BYTES = 16, 1 << 16
SHORT, LONG, DIRECTORY = 3, 4, 13
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


@dataclass(frozen=True)
class Entry:
    """One tag of a directory: `place` is where its 12 bytes are, `start` to `stop` its value."""

    tag: int
    type: int
    count: int
    place: int
    start: int
    stop: int


class ExifBlock:
    """EXIF as a TIFF structure (without JPEG's ``Exif`` prefix), to read and patch.

    Parameters
    ----------
    content : bytes

    Attributes
    ----------
    order : str
        Byte order, as `struct` writes it.

    Raises
    ------
    ValueError
        If it is no TIFF structure; from other methods, if its directories overlap so much that reading them
        would take more than time proportional to its size.
    """

    def __init__(self, content: bytes) -> None:
        self._content = bytearray(content)
        order = {b"II": "<", b"MM": ">"}.get(content[:2])
        if order is None or len(content) < 8:
            raise ValueError("not a TIFF structure")
        self.order = order
        self._work_left = WORK_PER_BYTE * len(content) + LEAST_WORK_BYTES
        if self._read("H", 2) != CLASSIC:
            raise ValueError("not a TIFF structure of the classic kind")
        self._first = self._read("L", 4)

    def __bytes__(self) -> bytes:
        return bytes(self._content)

    def value(self, tag: int, *path: int) -> int | None:
        """Return a number, or None; see `numbers`."""
        found = self.numbers(tag, *path)
        return found[0] if len(found) == 1 else None

    def numbers(self, tag: int, *path: int) -> list[int]:
        """Return the numbers of a tag; none where it is absent or cut off.

        Parameters
        ----------
        tag : int
        *path : int
            Tags that lead to its directory from the main one, which is the default.
        """
        for entry in self._entries(self._directory(path)):
            if entry.tag == tag and entry.type in (SHORT, LONG) and entry.stop <= len(self._content):
                self._spend(entry.stop - entry.start)
                kind = "H" if entry.type == SHORT else "L"
                return [*struct.unpack_from(f"{self.order}{entry.count}{kind}", self._content, entry.start)]
        return []

    def set(self, tag: int, numbers: list[int], *path: int) -> None:
        """Replace the numbers of a tag by the same count of others; see `numbers`.

        Raises
        ------
        ValueError
            If there is no such tag with so many numbers, or one is too large for its type.
        """
        for entry in self._entries(self._directory(path)):
            if entry.tag == tag and entry.count == len(numbers) and entry.type in (SHORT, LONG):
                kind = "H" if entry.type == SHORT else "L"
                try:
                    struct.pack_into(f"{self.order}{len(numbers)}{kind}", self._content, entry.start, *numbers)
                except struct.error as error:
                    raise ValueError(f"no room for tag {tag}") from error
                return
        raise ValueError(f"no tag {tag} of {len(numbers)} numbers")

    def swap(self, one: int, other: int, *path: int) -> None:
        """Exchange types and values of two tags of equal size, where both are there."""
        places = {entry.tag: entry for entry in self._entries(self._directory(path))}
        if one in places and other in places and places[one].count == places[other].count:
            first, second = (places[tag].place for tag in (one, other))
            there = self._content[first + 2 : first + ENTRY_BYTES]
            self._content[first + 2 : first + ENTRY_BYTES] = self._content[second + 2 : second + ENTRY_BYTES]
            self._content[second + 2 : second + ENTRY_BYTES] = there

    def raw_entries(self) -> list[tuple[int, bytes]]:
        """Return the tags of the main directory, each with its 12 bytes."""
        places = [(entry.tag, entry.place) for entry in self._entries(self._first)]
        return [(tag, bytes(self._content[place : place + ENTRY_BYTES])) for tag, place in places]

    def put(self, tag: int, number: int, count: int = 1) -> None:
        """Let a tag of the main directory be a number of 32 bits, or more of them at the place of this number.

        Raises
        ------
        ValueError
            If there is no such tag.
        """
        for entry in self._entries(self._first):
            if entry.tag == tag:
                struct.pack_into(f"{self.order}HLL", self._content, entry.place + 2, LONG, count, number)
                return
        raise ValueError(f"no tag {tag}")

    def remove(self, tag: int, *path: int) -> None:
        """Remove a tag, and zero its value; see `numbers`."""
        directory = self._directory(path)
        for entry in self._entries(directory):
            if entry.tag == tag:
                self._wipe(entry.start, entry.stop)
                self._close_gap(directory, entry)
                return

    def without(self, tags: Container[int]) -> bytes | None:
        """Return the block without some tags, in every directory where they occur.

        Their values, the directories that they point to, and all bytes that no directory refers to are zeroed.
        Nothing moves.

        Parameters
        ----------
        tags : container of int

        Returns
        -------
        bytes or None
            As long as the block; None where nothing is left.

        Raises
        ------
        ValueError
            If what is to go and what is to stay overlap.
        """
        result = bytearray(len(self._content))
        result[:8] = self._content[:8]
        unwanted: list[tuple[int, int]] = []
        written: dict[int, bytes] = {}
        waiting, seen, kept_any = [self._first], {0}, False
        while waiting:
            directory = waiting.pop()
            if directory in seen:
                continue
            seen.add(directory)
            entries = list(self._entries(directory))
            unwanted += [each for entry in entries if entry.tag in tags for each in self._ranges_of(entry)]
            link = self._link(directory)
            if link is None:
                continue  # cut off
            kept = [entry for entry in entries if entry.tag not in tags]
            kept_any |= bool(kept)
            for entry in kept:
                start, stop = self._value_range(entry)
                self._spend(stop - start)
                result[start:stop] = self._content[start:stop]
                waiting += self._directories_of(entry)
            waiting.append(self._read("L", link))
            table = b"".join(self._content[entry.place : entry.place + ENTRY_BYTES] for entry in kept)
            written[directory] = struct.pack(f"{self.order}H", len(kept)) + table + self._content[link : link + 4]
        # Directories after values, so that no value brings back what one has lost.
        for directory, content in written.items():
            result[directory : directory + len(content)] = content
        for start, stop in unwanted:
            self._spend(stop - start)
            result[start:stop] = bytes(stop - start)
        if any(not result.startswith(content, directory) for directory, content in written.items()):
            raise ValueError("the directories overlap")
        return bytes(result) if kept_any else None

    def drop_thumbnail(self) -> None:
        """Cut off the second directory, which holds the thumbnail, and zero the picture."""
        link = self._link(self._first)
        if link is None:
            return
        second = self._read("L", link)
        if second:
            places = {entry.tag: self._read("L", entry.start) for entry in self._entries(second) if entry.type == LONG}
            start = places.get(THUMBNAIL_OFFSET, 0)
            if start:
                self._wipe(start, start + places.get(THUMBNAIL_BYTES, 0))
            struct.pack_into(f"{self.order}L", self._content, link, 0)

    def _read(self, kind: str, place: int) -> int:
        size = struct.calcsize(kind) if kind != "L" else 4
        if place + size > len(self._content):
            return 0
        return int(struct.unpack_from(self.order + kind, self._content, place)[0])

    def _entries(self, directory: int) -> Iterator[Entry]:
        if not 8 <= directory <= len(self._content) - 2:
            return
        for number in range(self._read("H", directory)):
            self._spend(ENTRY_BYTES)
            place = directory + 2 + number * ENTRY_BYTES
            if place + ENTRY_BYTES > len(self._content):
                return
            tag, kind, count = self._read("H", place), self._read("H", place + 2), self._read("L", place + 4)
            size = TYPE_BYTES.get(kind, 1) * count
            start = place + 8 if size <= 4 else self._read("L", place + 8)
            yield Entry(tag, kind, count, place, start, start + size)

    def _link(self, directory: int) -> int | None:
        """Return where the offset of the next directory stands."""
        place = directory + 2 + self._read("H", directory) * ENTRY_BYTES
        return place if directory >= 8 and place + 4 <= len(self._content) else None

    def _directory(self, path: tuple[int, ...]) -> int:
        """Return where the directory is that tags lead to, one after the other; 0 if there is none."""
        place = self._first
        for tag in path:
            found = (entry for entry in self._entries(place) if entry.tag == tag and entry.type in (LONG, DIRECTORY))
            place = next((self._read("L", entry.start) for entry in found), 0)
        return place

    def _close_gap(self, directory: int, entry: Entry) -> None:
        """Move the later entries of a directory and its link over a removed entry."""
        link = self._link(directory)
        if link is None:
            return
        after = entry.place + ENTRY_BYTES
        self._content[entry.place : link + 4 - ENTRY_BYTES] = self._content[after : link + 4]
        self._wipe(link + 4 - ENTRY_BYTES, link + 4)
        struct.pack_into(f"{self.order}H", self._content, directory, self._read("H", directory) - 1)

    def _directories_of(self, entry: Entry) -> list[int]:
        """Return where the directories are that a tag leads to."""
        if entry.tag not in DIRECTORIES or entry.type not in (LONG, DIRECTORY):
            return []
        self._spend(4 * entry.count)
        return [self._read("L", entry.start + 4 * number) for number in range(entry.count)]

    def _ranges_of(self, entry: Entry) -> list[tuple[int, int]]:
        """Return where a tag's value is, the directories that it leads to, and their values."""
        ranges = [self._value_range(entry)]
        for directory in self._directories_of(entry):
            entries = list(self._entries(directory))
            ranges += [self._inside(each.start, each.stop) for each in entries]
            ranges.append(self._inside(directory, directory + 2 + len(entries) * ENTRY_BYTES))
        return ranges

    def _value_range(self, entry: Entry) -> tuple[int, int]:
        """Return where a value is that does not fit into its entry."""
        return (8, 8) if entry.start == entry.place + 8 else self._inside(entry.start, entry.stop)

    def _wipe(self, start: int, stop: int) -> None:
        start, stop = self._inside(start, stop)
        self._spend(stop - start)
        self._content[start:stop] = bytes(stop - start)

    def _inside(self, start: int, stop: int) -> tuple[int, int]:
        """Return the part of a range that is in the block, behind its header."""
        start, stop = max(8, start), min(stop, len(self._content))
        return (start, stop) if start < stop else (8, 8)

    def _spend(self, count: int) -> None:
        self._work_left -= count
        if self._work_left < 0:
            raise ValueError("the directories overlap")
