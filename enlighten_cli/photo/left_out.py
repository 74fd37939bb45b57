"""What a file has besides one photo, which a result will not have."""

from __future__ import annotations

import re
from typing import BinaryIO

from PIL import Image

from enlighten_cli.photo.file_parts import tables_of
from enlighten_cli.photo.icc import transfer_is_hdr
from enlighten_cli.photo.jpeg_segments import GAIN_MAP_MARKS, JpegParts, is_gain_map
from enlighten_cli.photo.jxl import jxl_is_animated
from enlighten_cli.photo.metadata_reader import MANIFEST_LEFT_OUT

TONE_MAP = re.compile(rb"infe.{8}tmap", re.DOTALL)  # an item of this type, not a word such as bitmap
DEPTH_MAPS = (b"urn:mpeg:hevc:2015:auxid:2", b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth", b"auxid:depth")


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
        tables = tables_of(file, kind)
        has_map = any(mark in tables for mark in GAIN_MAP_MARKS) or bool(TONE_MAP.search(tables))
        has_manifest = (b"c2pa" in tables and b"jumb" in tables) or b"caBX" in tables or b"C2PA" in tables
    if has_map:
        notes.append("its HDR gain map is left out: the result is an ordinary photo")
    if pictures > 1:
        notes.append(f"only the first of its {pictures} pictures is enhanced; the others are left out")
    if kind == "JXL" and jxl_is_animated(file):
        notes.append("only the first picture of its animation is enhanced; the others are left out")
    if any(mark in tables for mark in DEPTH_MAPS):
        notes.append("its depth map is left out")
    if has_manifest:
        notes.append(MANIFEST_LEFT_OUT)
    if transfer_is_hdr(image.info.get("icc_profile")):
        notes.append("it is coded for HDR (PQ or HLG), and enhanced as its profile shows it without; check the result")
    if kind in ("AVIF", "HEIF") and _heif_bits(head) > 8:
        notes.append(f"its {_heif_bits(head)} bits a channel are read as 8")
    return notes


def _heif_bits(head: bytes) -> int:
    """Read the depth from the codec's box: av1C or pixi."""
    if (place := head.find(b"pixi")) > 0 and place + 10 <= len(head):
        return head[place + 9]
    return 8
