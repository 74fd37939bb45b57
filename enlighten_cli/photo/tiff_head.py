"""Put EXIF into a TIFF file as it is: at its front, in its byte order, so that nothing in it moves."""

from __future__ import annotations

import io
import struct

from enlighten_cli.photo.exif_patch import ENTRY_BYTES, ExifBlock
from enlighten_cli.photo.tiff_tree import Field, read_tree

OFFSETS, BYTES = 273, 279
BYTE, LONG, UNDEFINED = 1, 4, 7
XMP_TAG, RESOURCES_TAG = 700, 34377
LITTLE = "<"


def order_of(exif: bytes | None) -> str:
    """Return the byte order of a TIFF file that begins with this EXIF, as `struct` writes it."""
    return ExifBlock(exif).order if exif else LITTLE


def with_exif(tiff: bytes, exif: bytes | None, more: dict[int, bytes], structural: frozenset[int]) -> bytes:
    """Return a TIFF file with EXIF, and with further tags.

    Its numbers are in the byte order of the EXIF; those of its pixels have to be already. What the EXIF refers to by
    offset, as maker notes do, is where it was. The main directory follows behind it.

    Parameters
    ----------
    tiff : bytes
        A classic TIFF file of one picture, its strips included.
    exif : bytes or None
        A TIFF structure.
    more : dict of int to bytes
        Tags whose values have no byte order.
    structural : frozenset of int
        Tags that are not taken from the EXIF: they would be taken for this file's.

    Raises
    ------
    ValueError
        If `exif` is no TIFF structure.
    """
    if not exif and not more:
        return tiff
    own_order, own = read_tree(io.BytesIO(tiff))
    strips = ExifBlock(tiff)
    sizes = strips.numbers(BYTES)
    parts = [tiff[start : start + size] for start, size in zip(strips.numbers(OFFSETS), sizes, strict=True)]
    block = ExifBlock(exif) if exif else None
    order = block.order if block else own_order
    entries = {} if block is None else {tag: raw for tag, raw in block.raw_entries() if tag not in structural}
    content = bytearray(exif or tiff[:8])
    fields = {tag: each if order == own_order else each.swapped() for tag, each in own.fields.items()}
    fields |= {
        tag: Field(BYTE if tag in (XMP_TAG, RESOURCES_TAG) else UNDEFINED, len(value), value)
        for tag, value in more.items()
    }

    def placed(data: bytes) -> int:
        content.extend(bytes(len(content) % 2))
        content.extend(data)
        return len(content) - len(data)

    offsets = [placed(part) for part in parts]
    fields[OFFSETS] = Field(LONG, len(offsets), struct.pack(f"{order}{len(offsets)}L", *offsets))
    for tag, each in fields.items():
        value = each.value.ljust(4, b"\0")
        if len(value) > 4:
            value = struct.pack(order + "L", placed(value))
        entries[tag] = struct.pack(order + "HHL", tag, each.type, each.count) + value
    directory = b"".join(entries[tag] for tag in sorted(entries))
    place = placed(struct.pack(order + "H", len(directory) // ENTRY_BYTES) + directory + bytes(4))
    struct.pack_into(order + "L", content, 4, place)
    return bytes(content)
