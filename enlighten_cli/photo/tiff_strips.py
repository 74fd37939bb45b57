"""Join TIFF files of strips of a photo to one TIFF file, so that the photo is never in memory as a whole."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from enlighten_cli.atomic_write import Sink
from enlighten_cli.errors import PhotoError
from enlighten_cli.photo.exif_patch import ExifBlock

# ImageLength, Compression, StripOffsets, RowsPerStrip, StripByteCounts
HEIGHT, COMPRESSION, OFFSETS, ROWS, BYTES = 257, 259, 273, 278, 279
MOST_BYTES = 2**32  # a place in a classic TIFF file is a number of 32 bits


def write_joined(file: Sink, head: bytes, strips: Iterable[bytes], height: int) -> None:
    """Write a TIFF file.

    Parameters
    ----------
    file : Sink
        Empty.
    head : bytes
        A classic TIFF file of the first row or rows of the photo, from which the tags are taken.
    strips : iterable of bytes
        Classic TIFF files of one strip each, of the same number of rows, but for the last. They are compressed in the
        same way, which may be another than that of the head.
    height : int
        Of the photo.

    Raises
    ------
    PhotoError
        If the file would be too large for a TIFF file.
    """
    tags = ExifBlock(head)
    file.write(head)
    offsets: list[int] = []
    sizes: list[int] = []
    for strip in strips:
        block = ExifBlock(strip)
        if not offsets:
            for tag in (ROWS, COMPRESSION):
                tags.put(tag, *block.numbers(tag))
        (place,), (size,) = block.numbers(OFFSETS), block.numbers(BYTES)
        file.write(bytes(file.tell() % 2))  # what tags refer to begins at even places
        offsets.append(file.tell())
        sizes.append(size)
        file.write(memoryview(strip)[place : place + size])
        if file.tell() + 8 * len(sizes) >= MOST_BYTES:
            raise PhotoError("the result would have over 4 GB, more than a TIFF file can hold; choose --format png")
    tags.put(HEIGHT, height)
    file.write(bytes(file.tell() % 2))
    for tag, numbers in ((OFFSETS, offsets), (BYTES, sizes)):
        tags.put(tag, numbers[0] if len(numbers) == 1 else file.tell(), len(numbers))
        file.write(struct.pack(f"{tags.order}{len(numbers)}L", *numbers))
    file.seek(0)
    file.write(bytes(tags))
