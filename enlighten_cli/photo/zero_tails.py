"""Find files that end in zeros, as a full disk or a broken copy leaves them, where decoders do not notice."""

from __future__ import annotations

import os
import struct
import zlib
from typing import BinaryIO

from PIL import Image

from enlighten_cli.photo.jpeg_segments import end_of

OFFSETS, BYTES = ((273, 279), (324, 325)), 1 << 16  # tags of a TIFF file's strips and tiles; read at a time
CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
MOST_ZEROS = 64  # in a row, which compressed data do not have
DENSE_BYTES, DENSE_ZEROS = 4096, 40  # before the zeros of a broken copy, a photo is not nearly black
ROW_END = 8  # bytes: a row may be padded, and its last pixels black


def check_tail(file: BinaryIO, image: Image.Image, kind: str) -> None:
    """Look for pixels that were overwritten with zeros.

    Raises
    ------
    OSError
        If there are some.
    """
    before, size = file.tell(), file.seek(0, os.SEEK_END)
    try:
        if kind == "PNG":
            found = _png_is_damaged(file, size)
        elif kind == "WEBP":
            found = _ends_in_zeros(file, *_last(file, size, 12, "<4sL", (b"VP8 ", b"VP8L")))
        elif kind in ("AVIF", "HEIF"):
            found = _ends_in_zeros(file, *_last(file, size, 0, ">L4s", (b"mdat",)))
        elif kind == "JPEG":
            found = _zeros(file, 0, size) >= MOST_ZEROS and _has_no_end(file)
        elif kind == "BMP":
            file.seek(10)
            (start,) = struct.unpack("<L", file.read(4))
            file.seek(28)
            (bits,) = struct.unpack("<H", file.read(2))
            found = _is_cut(file, start, size, (image.width * bits + 31) // 32 * 4)
        else:
            found = kind == "TIFF" and _tiff_is_damaged(file, image)
    except (struct.error, TypeError, ValueError):
        return  # of a structure that decoders judge
    finally:
        file.seek(before)  # where Pillow left it
    if found:
        raise OSError("pixels were overwritten with zeros")


def _png_is_damaged(file: BinaryIO, size: int) -> bool:
    place = 8
    while place + 12 <= size:
        file.seek(place)
        length, kind = struct.unpack(">L4s", file.read(8))
        if kind == bytes(4):
            return True
        if place + 12 + length > size:
            return False  # it ends too early, which decoders notice
        if kind in CRITICAL:
            checksum, left = zlib.crc32(kind), length
            while left:
                part = file.read(min(left, BYTES))
                checksum, left = zlib.crc32(part, checksum), left - len(part)
            if file.read(4) != struct.pack(">L", checksum):
                return True
        if kind == b"IEND":
            return False
        place += 12 + length
    return False


def _has_no_end(file: BinaryIO) -> bool:
    """Tell whether a JPEG lacks its end marker; what follows one may end in zeros."""
    file.seek(0)
    content = file.read()
    return end_of(content) == len(content)


def _last(file: BinaryIO, size: int, place: int, layout: str, kinds: tuple[bytes, ...]) -> tuple[int, int]:
    """Return the first byte of the last box or chunk of these kinds, and the byte after its last."""
    found, is_riff = (0, 0), layout.startswith("<")
    while place + 8 <= size:
        file.seek(place)
        first, second = struct.unpack(layout, file.read(8))
        kind, length = (first, second + second % 2 + 8) if is_riff else (second, first or size - place)
        if length < 8:
            break
        if kind in kinds:
            found = place + 8, min(place + length, size)
        place += length
    return found


def _zeros(file: BinaryIO, start: int, end: int) -> int:
    """Count the zeros before a byte, or before the file's end if that is earlier: a directory may say anything."""
    end = min(end, file.seek(0, os.SEEK_END))
    place = end
    while place > start:
        first = max(start, place - BYTES)
        file.seek(first)
        left = file.read(place - first).rstrip(b"\0")
        if left:
            return end - first - len(left)
        place = first
    return end - start


def _ends_in_zeros(file: BinaryIO, start: int, end: int) -> bool:
    return end > start and _zeros(file, start, end) >= MOST_ZEROS


def _is_cut(file: BinaryIO, start: int, end: int, row_bytes: int) -> bool:
    """Tell whether uncompressed rows end in zeros from the middle of a row on, right after bytes that are not black."""
    zeros = _zeros(file, start, end)
    cut = end - zeros
    in_row = (cut - start) % row_bytes
    if zeros < 2 * row_bytes or cut - start < DENSE_BYTES or not 0 < in_row < row_bytes - ROW_END:
        return False
    file.seek(cut - DENSE_BYTES)
    return file.read(DENSE_BYTES).count(0) <= DENSE_ZEROS


def _tiff_is_damaged(file: BinaryIO, image: Image.Image) -> bool:
    tags = getattr(image, "tag_v2", {})
    for offsets, counts in OFFSETS:
        if offsets not in tags or counts not in tags:
            continue
        parts = sorted(zip(tags[offsets], tags[counts], strict=True))
        start, end = parts[0][0], sum(parts[-1])
        if image.info.get("compression") not in ("raw", "packbits"):
            return _ends_in_zeros(file, parts[-1][0], end)
        height = int(image.height)
        return offsets == OFFSETS[0][0] and height > 0 and _is_cut(file, start, end, max(1, (end - start) // height))
    return False
