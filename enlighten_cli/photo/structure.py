"""Refuse files whose structure would keep a decoder busy for minutes, before anything of them is decoded."""

from __future__ import annotations

import struct
from typing import IO

from enlighten_cli.errors import TooLargeError

MOST_PARTS = 600_000  # strips or tiles of a TIFF file: more than the longest side has rows
MOST_TAGS = 4096
MOST_SEGMENTS, MOST_FILLING = 10_000, 1 << 16  # of a JPEG before its frame; filling in bytes
OFFSETS = (273, 324)  # of strips and tiles
STANDALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length
FRAME_OR_END = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xD9, 0xDA)


def check_structure(file: IO[bytes], kind: str) -> None:
    """Look at a file's structure; its position stays.

    Raises
    ------
    TooLargeError
        If it has more parts than a photo has.
    """
    before = file.tell()
    try:
        if kind == "TIFF":
            _check_parts(file)
        elif kind == "JPEG":
            _check_segments(file)
    except struct.error:
        pass  # it ends too early, which decoders tell
    finally:
        file.seek(before)


def _check_parts(file: IO[bytes]) -> None:
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    is_big = struct.unpack_from(order + "H", head, 2)[0] == 43
    (place,) = struct.unpack_from(order + ("Q" if is_big else "L"), head, 8 if is_big else 4)
    file.seek(place)
    (count,) = struct.unpack(order + ("Q" if is_big else "H"), file.read(8 if is_big else 2))
    entry = order + ("HHQ8x" if is_big else "HHL4x")
    for _ in range(min(count, MOST_TAGS)):
        tag, _, numbers = struct.unpack(entry, file.read(struct.calcsize(entry)))
        if tag in OFFSETS and numbers > MOST_PARTS:
            raise TooLargeError(f"{numbers:,} strips or tiles: more than a photo has ({MOST_PARTS:,} at most)")


def _check_segments(file: IO[bytes]) -> None:
    file.seek(2)
    for _ in range(MOST_SEGMENTS):
        filling, byte = 0, file.read(1)
        while byte == b"\xff":
            filling, byte = filling + 1, file.read(1)
            if filling > MOST_FILLING:
                raise TooLargeError(f"more than {MOST_FILLING:,} bytes without meaning before its pixels")
        if not filling or not byte or byte[0] in FRAME_OR_END:
            return
        if byte[0] not in STANDALONE:
            (length,) = struct.unpack(">H", file.read(2))
            file.seek(max(0, length - 2), 1)
    raise TooLargeError(f"more than {MOST_SEGMENTS:,} segments before its pixels")
