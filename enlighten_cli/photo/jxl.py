"""Read the size of a JPEG XL photo from its header: Pillow's plug-in decodes the whole photo first.

Source: ISO/IEC 18181-1 (the size header of the codestream) and 18181-2 (the boxes around it).
"""

from __future__ import annotations

import os
from typing import IO, BinaryIO, cast

from enlighten_cli.photo.file_parts import parts_of

CODESTREAM = b"\xff\x0a"
HEADER_BYTES = 16
DIMENSION_BITS = (9, 13, 18, 30)
RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # width to height
MOST_BOXES = 1000


def jxl_size(file: IO[bytes]) -> tuple[int, int]:
    """Return width and height.

    Raises
    ------
    ValueError
        If it is no JPEG XL file.
    """
    return _size(_bits_of(file))


def jxl_is_animated(file: IO[bytes]) -> bool:
    """Tell whether there is more than one picture.

    Raises
    ------
    ValueError
        If it is no JPEG XL file.
    """
    bits = _bits_of(file)
    _size(bits)
    if bits.take(1) or not bits.take(1):  # all as usual, or no further fields
        return False
    bits.take(3)  # orientation
    if bits.take(1):  # another size is meant
        _size(bits)
    has_preview, is_animated = bits.take(1), bits.take(1)
    return bool(is_animated and not has_preview)


def jxl_is_lossless(file: IO[bytes]) -> bool:
    """Tell whether the numbers of the photo itself are stored, and not colours for the eye (XYB), nor a JPEG.

    Raises
    ------
    ValueError
        If it is no JPEG XL file.
    """
    bits = _bits_of(file)
    _size(bits)
    if bits.take(1):  # all as usual
        return False
    if bits.take(1) and bits.take(6):  # orientation, sizes, preview or animation: what follows is not looked for
        return False
    bits.depth()
    bits.take(1)  # whether 16 bits suffice
    channels = bits.count()
    if not all(bits.take(1) for _ in range(channels)):  # of another kind than opacity of 8 bits
        return False
    return not bits.take(1) and not any(part.name == b"jbrd" for part in parts_of(cast("BinaryIO", file), "JXL"))


def _bits_of(file: IO[bytes]) -> _Bits:
    head = _codestream(file)
    if not head.startswith(CODESTREAM) or len(head) < len(CODESTREAM) + 2:
        raise ValueError("no JPEG XL codestream")
    return _Bits(head[len(CODESTREAM) :].ljust(HEADER_BYTES, b"\0"))


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)
    height = bits.dimension(small)
    ratio = bits.take(3)
    if ratio == 0:
        return bits.dimension(small), height
    across, down = RATIOS[ratio - 1]
    return height * across // down, height


class _Bits:
    """Reads numbers from bits, the lowest first."""

    def __init__(self, content: bytes) -> None:
        self._left = int.from_bytes(content, "little")

    def take(self, count: int) -> int:
        number = self._left & ((1 << count) - 1)
        self._left >>= count
        return number

    def depth(self) -> None:
        """Read how many bits a channel has."""
        is_float = self.take(1)
        widths = (0, 0, 0, 6)
        self.take(widths[self.take(2)])
        if is_float:
            self.take(4)

    def count(self) -> int:
        """Read how many channels there are besides colours."""
        kind = self.take(2)
        return (0, 1, 2 + self.take(4) if kind == 2 else 0, 1 + self.take(12) if kind == 3 else 0)[kind]

    def dimension(self, small: int) -> int:
        return (self.take(5) + 1) * 8 if small else self.take(DIMENSION_BITS[self.take(2)]) + 1


def _codestream(file: IO[bytes]) -> bytes:
    """Return the beginning of the codestream, bare or from the boxes, which may cut it into parts."""
    file.seek(0)
    head = file.read(HEADER_BYTES)
    if head.startswith(CODESTREAM):
        return head
    file.seek(0)
    found = b""
    for _ in range(MOST_BOXES):
        box = file.read(8)
        size, kind, rest = int.from_bytes(box[:4], "big"), box[4:], 8
        if size == 1:
            size, rest = int.from_bytes(file.read(8), "big"), 16
        if len(box) < 8 or (size and size < rest):
            break
        start = file.tell()
        if kind in (b"jxlc", b"jxlp"):
            file.seek(4 if kind == b"jxlp" else 0, os.SEEK_CUR)
            left = size - rest - (4 if kind == b"jxlp" else 0) if size else HEADER_BYTES
            found += file.read(max(0, min(HEADER_BYTES, left)))
            if kind == b"jxlc" or len(found) >= HEADER_BYTES:
                break
        if size == 0:
            break
        file.seek(start + size - rest)
    return found
