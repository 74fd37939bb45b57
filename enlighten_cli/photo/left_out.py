"""What a file has besides one photo, which a result will not have."""

from __future__ import annotations

import struct
from typing import BinaryIO

from PIL import Image

from enlighten_cli.photo.colour import transfer_is_hdr
from enlighten_cli.photo.jpeg_segments import GAIN_MAP_MARKS, JpegParts, is_gain_map
from enlighten_cli.photo.metadata_reader import MANIFEST_LEFT_OUT
from enlighten_cli.photo.png_strips import SIGNATURE

GAIN_MAPS = (*GAIN_MAP_MARKS, b"tmap")
DEPTH_MAPS = (b"urn:mpeg:hevc:2015:auxid:2", b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth", b"auxid:depth")
BOXES_WITH_TABLES = (b"ftyp", b"meta", b"uuid", b"jumb", b"moov")
MOST_TABLE_BYTES = 16 << 20
MOST_PARTS = 100_000  # boxes or chunks of a file


def left_out(image: Image.Image, file: BinaryIO, head: bytes, kind: str, parts: JpegParts | None) -> list[str]:
    """List what the file has besides one photo, because the result will not have it.

    Parameters
    ----------
    image : Image
        The file as Pillow opened it.
    file : binary file
    head : bytes
        Its beginning.
    kind : str
        Its format.
    parts : JpegParts or None
        Of a JPEG.
    """
    notes = []
    pictures = int(getattr(image, "n_frames", 1))
    if parts:
        maps = [picture for picture in parts.pictures if is_gain_map(picture)]
        has_map, has_manifest = bool(maps) or parts.has_map, parts.has_manifest
        pictures = max(pictures, 1 + len(parts.pictures)) - len(maps)
        tables = b""
    else:
        tables = _tables(file, kind)
        has_map = any(mark in tables for mark in GAIN_MAPS)
        has_manifest = b"c2pa" in tables or b"caBX" in tables or b"C2PA" in tables
        pictures = max(pictures, _frames_of_png(tables)) if kind == "PNG" else pictures
    if has_map:
        notes.append("its HDR gain map is left out: the result is an ordinary photo")
    if pictures > 1:
        notes.append(f"only the first of its {pictures} pictures is enhanced; the others are left out")
    if any(mark in tables for mark in DEPTH_MAPS):
        notes.append("its depth map is left out")
    if has_manifest:
        notes.append(MANIFEST_LEFT_OUT)
    if transfer_is_hdr(image.info.get("icc_profile")) or _cicp_is_hdr(head, kind):
        notes.append("it is coded for HDR (PQ or HLG) but treated as ordinary sRGB; check the result")
    if kind in ("AVIF", "HEIF") and _heif_bits(head) > 8:
        notes.append(f"its {_heif_bits(head)} bits a channel are read as 8")
    return notes


def _tables(file: BinaryIO, kind: str) -> bytes:
    """Return what tells of a file's parts, wherever it stands: boxes with tables, or the names of chunks."""
    if kind in ("AVIF", "HEIF", "JXL"):
        return b"".join(_boxes(file))
    if kind == "PNG":
        return b"".join(_chunks(file, len(SIGNATURE), ">L4s", 4))
    if kind == "WEBP":
        return b"".join(_chunks(file, 12, "<4sL", 0))
    return b""


def _boxes(file: BinaryIO) -> list[bytes]:
    """Return the boxes of an ISO base media file that have tables, not those with pixels."""
    found = []
    place = 0
    left = MOST_TABLE_BYTES
    for _ in range(MOST_PARTS):
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            break
        size, kind = struct.unpack_from(">L4s", head)
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack_from(">Q", head, 8)
        if kind in BOXES_WITH_TABLES or size == 0:
            file.seek(place)
            content = file.read(min(size or left, left))
            left -= len(content)
            found.append(content if kind in BOXES_WITH_TABLES else b"")
        if size < 8 or size > 1 << 62:
            break
        place += size
    return found


def _chunks(file: BinaryIO, place: int, header: str, checksum: int) -> list[bytes]:
    """Return the names of a file's chunks; of an animation's first, with what it says."""
    found = []
    for _ in range(MOST_PARTS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            break
        first, second = struct.unpack(header, head)
        name, size = (first, second) if isinstance(first, bytes) else (second, first)
        found.append(name + (file.read(4) if name == b"acTL" else b""))
        place += 8 + size + (checksum or size % 2)
    return found


def _frames_of_png(tables: bytes) -> int:
    place = tables.find(b"acTL")
    return int.from_bytes(tables[place + 4 : place + 8], "big") if place >= 0 else 1


def _cicp_is_hdr(head: bytes, kind: str) -> bool:
    if kind == "PNG" and (place := head.find(b"cICP")) > 0:
        return head[place + 5 : place + 6] in (b"\x10", b"\x12")
    if kind in ("AVIF", "HEIF") and (place := head.find(b"colrnclx")) > 0:
        return head[place + 11 : place + 12] in (b"\x10", b"\x12")
    return False


def _heif_bits(head: bytes) -> int:
    """Read the depth from the codec's box: av1C or pixi."""
    if (place := head.find(b"pixi")) > 0 and place + 10 <= len(head):
        return head[place + 9]
    return 8
