"""Directories of a TIFF structure as bytes: values are moved, and never taken for text or numbers."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from enlighten_cli.photo.exif_patch import (
    CLASSIC,
    DIRECTORY,
    EXIF_DIRECTORY,
    GPS_DIRECTORY,
    INTEROPERABILITY_DIRECTORY,
    LONG,
    TYPE_BYTES,
)

BIG, LONG8, DIRECTORY8 = 43, 16, 18  # the version of BigTIFF, and its types
VERSIONS = (CLASSIC, BIG, 0x4F52, 0x5352, 0x0055)  # the last three: Olympus's and Panasonic's RAW files
POINTERS = {LONG: "L", DIRECTORY: "L", LONG8: "Q", DIRECTORY8: "Q"}
# Which tags of the main directory, and of those that they lead to, lead to further ones.
CHILDREN: dict[int, Any] = {
    EXIF_DIRECTORY: {INTEROPERABILITY_DIRECTORY: {}},
    GPS_DIRECTORY: {},
}
SIZE_OF_NUMBER = {3: 2, 8: 2, 4: 4, 5: 4, 9: 4, 10: 4, 11: 4, 13: 4, 12: 8}
MAKER_NOTE = 0x927C
MOST_FIELDS = 65535  # an entry count has 16 bits
MOST_BYTES = 64 << 20
KEPT_UNTIL = 60_000  # a maker note that ends before stays where it is, because it may refer to places by offset


@dataclass(frozen=True)
class Field:
    """A tag's value, in the byte order of its file.

    Parameters
    ----------
    type, count : int
    value : bytes
    place : int
        Where it stood in its file; 0 if that does not matter.
    """

    type: int
    count: int
    value: bytes
    place: int = 0

    def swapped(self) -> Field:
        """Return the field in the other byte order."""
        size = SIZE_OF_NUMBER.get(self.type, 1)
        swapped = b"".join(self.value[start : start + size][::-1] for start in range(0, len(self.value), size))
        return dataclasses.replace(self, value=self.value if size == 1 else swapped)


@dataclass
class Tree:
    """A directory: its own fields, and the directories that it leads to."""

    fields: dict[int, Field] = field(default_factory=dict)
    children: dict[int, Tree] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.fields or self.children)

    def every(self) -> Iterator[tuple[Tree, int, Field]]:
        """Yield all fields, with the directory in which each is and its tag."""
        yield from ((self, tag, value) for tag, value in self.fields.items())
        for child in self.children.values():
            yield from child.every()


def read_tree(file: BinaryIO, without: Container[int] = ()) -> tuple[str, Tree]:
    """Read the main directory of a classic TIFF file or a BigTIFF, with EXIF, GPS and interoperability.

    Parameters
    ----------
    file : binary file
        In which places can be sought.
    without : container of int
        Tags of the main directory that are not read.

    Returns
    -------
    str
        The byte order, as `struct` writes it.
    Tree
        What is cut off is left out.

    Raises
    ------
    ValueError
        If it is no TIFF structure, or its values have more than `MOST_BYTES` together.
    """
    file.seek(0)
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        raise ValueError("not a TIFF structure")
    version = struct.unpack_from(order + "H", head, 2)[0]
    if version not in VERSIONS:
        raise ValueError("not a TIFF structure")
    is_big = version == BIG
    reader = _Reader(file, order, is_big)
    return order, reader.tree(reader.number("Q" if is_big else "L", 8 if is_big else 4), without, CHILDREN)


class _Reader:
    def __init__(self, file: BinaryIO, order: str, is_big: bool) -> None:
        self._file, self._order, self._is_big = file, order, is_big
        self._left = MOST_BYTES

    def bytes_at(self, place: int, count: int) -> bytes:
        if count > self._left:
            raise ValueError(f"its values have more than {MOST_BYTES >> 20} MB")
        self._left -= count
        self._file.seek(place)
        return self._file.read(count)

    def number(self, kind: str, place: int) -> int:
        size = struct.calcsize(self._order + kind)
        content = self.bytes_at(place, size)
        return int(struct.unpack(self._order + kind, content)[0]) if len(content) == size else 0

    def tree(self, place: int, without: Container[int], children: Mapping[int, Any]) -> Tree:
        found = Tree()
        if place < 8 or place >= 1 << 63:
            return found
        count = min(MOST_FIELDS, self.number("Q" if self._is_big else "H", place))
        entry, start = ("HHQ8s", place + 8) if self._is_big else ("HHL4s", place + 2)
        size = struct.calcsize(self._order + entry)
        table = self.bytes_at(start, count * size)
        for number in range(len(table) // size):
            tag, kind, values, inline = struct.unpack_from(self._order + entry, table, number * size)
            if tag in without or tag in found.fields:
                continue
            if tag in children and kind in POINTERS:
                (below,) = struct.unpack_from(self._order + POINTERS[kind], inline)
                if child := self.tree(below, (), children[tag]):
                    found.children[tag] = child
                continue
            value_bytes = TYPE_BYTES.get(kind, 0) * values
            if not value_bytes:
                continue
            at = 0
            if value_bytes > len(inline):
                (at,) = struct.unpack(self._order + ("Q" if self._is_big else "L"), inline)
                if at >= 1 << 63:
                    continue
                inline = self.bytes_at(at, value_bytes)
            if len(inline) >= value_bytes:
                found.fields[tag] = Field(kind, values, inline[:value_bytes], at)
        return found


def structure_of(tree: Tree, order: str) -> bytes:
    """Write a tree as a classic TIFF structure; a maker note stays where it was, if it can.

    Parameters
    ----------
    tree : Tree
    order : str
        That of its values.
    """
    layout = _Layout(order, tree)
    place = layout.put(tree)
    struct.pack_into(order + "L", layout.content, 4, place)
    return bytes(layout.content)


class _Layout:
    """Finds places for directories and values, around that of the maker note."""

    def __init__(self, order: str, tree: Tree) -> None:
        self.content = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HL", CLASSIC, 0))
        self._order = order
        self._end = len(self.content)
        self._note = next((each for _, tag, each in tree.every() if tag == MAKER_NOTE and len(each.value) > 4), None)
        if self._note and (self._note.place < self._end or self._note.place + len(self._note.value) > KEPT_UNTIL):
            self._note = None

    def put(self, tree: Tree) -> int:
        """Place a directory behind all that it refers to, and return where it is."""
        entries: dict[int, bytes] = {}
        for tag, child in tree.children.items():
            entries[tag] = struct.pack(self._order + "HHLL", tag, LONG, 1, self.put(child))
        for tag, each in tree.fields.items():
            value = each.value.ljust(4, b"\0")
            if len(value) > 4:
                value = struct.pack(self._order + "L", self._stay(each) if each is self._note else self._take(value))
            entries[tag] = struct.pack(self._order + "HHL", tag, each.type, each.count) + value
        count = struct.pack(self._order + "H", len(entries))
        return self._take(count + b"".join(entries[tag] for tag in sorted(entries)) + bytes(4))

    def _take(self, data: bytes) -> int:
        """Write to the next free place."""
        place = self._end + self._end % 2
        first = self._note.place if self._note else 0
        last = first + len(self._note.value) if self._note else 0
        if place < last and place + len(data) > first:
            place = last + last % 2
        self._end = place + len(data)
        self._write(place, data)
        return place

    def _stay(self, note: Field) -> int:
        self._write(note.place, note.value)
        return note.place

    def _write(self, place: int, data: bytes) -> None:
        self.content.extend(bytes(max(0, place + len(data) - len(self.content))))
        self.content[place : place + len(data)] = data
