"""Join PNGs of strips of a photo to one PNG: compressed on several cores, and never in memory as a whole.

A row's filter may look at the row above (PNG specification, 9.2), so each strip begins with the last row of the strip
before, which is left out again. Deflated parts can follow one another if all but the last end with a full flush.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LEVEL = 6  # of compression, zlib's default
ZLIB_HEADER = b"\x78\x9c"
RAW_DEFLATE = -15  # window bits, without zlib's header
ADLER_BASE = 65521


class Deflated(NamedTuple):
    """A strip, compressed.

    `header` is the strip's IHDR chunk. `checksum` and `size_bytes` are those of the bytes that `data` hold
    compressed.
    """

    header: bytes
    data: bytes
    checksum: int
    size_bytes: int


def deflated(png: bytes, *, is_first: bool, is_last: bool) -> Deflated:
    """Compress a strip.

    Parameters
    ----------
    png : bytes
        The strip as a PNG, best an uncompressed one, in one pass; unless it is the first, with one row before it.
    is_first, is_last : bool
    """
    found: dict[bytes, list[bytes]] = {}
    for kind, chunk in chunks_of(png):
        found.setdefault(kind, []).append(chunk)
    (header,) = found[b"IHDR"]
    filtered = zlib.decompress(b"".join(content_of_chunk(chunk) for chunk in found[b"IDAT"]))
    if not is_first:
        rows = struct.unpack_from(">L", header, 12)[0]
        filtered = filtered[len(filtered) // rows :]
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW_DEFLATE, zlib.DEF_MEM_LEVEL + 1, zlib.Z_FILTERED)
    data = compressor.compress(filtered) + compressor.flush(zlib.Z_FINISH if is_last else zlib.Z_FULL_FLUSH)
    return Deflated(header, data, zlib.adler32(filtered), len(filtered))


def joined(strips: Iterable[Deflated], height: int, more: bytes) -> Iterator[bytes]:
    """Yield the parts of a PNG.

    Parameters
    ----------
    strips : iterable of Deflated
    height : int
        Of the photo.
    more : bytes
        Chunks of metadata.
    """
    checksum, is_first = 1, True
    for strip in strips:
        if is_first:
            header = content_of_chunk(strip.header)
            yield SIGNATURE + chunk(b"IHDR", header[:4] + struct.pack(">L", height) + header[8:]) + more
        yield chunk(b"IDAT", (ZLIB_HEADER if is_first else b"") + strip.data)
        checksum, is_first = combined(checksum, strip.checksum, strip.size_bytes), False
    yield chunk(b"IDAT", struct.pack(">L", checksum)) + chunk(b"IEND", b"")


def combined(first: int, second: int, size_bytes: int) -> int:
    """Return the Adler-32 of two parts from those of each, and the size of the second (RFC 1950, 8.2)."""
    low, high = first & 0xFFFF, first >> 16
    low_there, high_there = second & 0xFFFF, second >> 16
    high = (high + high_there + size_bytes * (low - 1)) % ADLER_BASE
    return high << 16 | (low + low_there - 1) % ADLER_BASE


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))


def chunks_of(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Cut a PNG into chunks: kind, and the whole with length and checksum."""
    place = len(SIGNATURE)
    while place < len(png):
        (size,) = struct.unpack_from(">L", png, place)
        yield png[place + 4 : place + 8], png[place : place + size + 12]
        place += size + 12


def content_of_chunk(whole: bytes) -> bytes:
    """Return what is between a chunk's kind and its checksum."""
    return whole[8:-4]
