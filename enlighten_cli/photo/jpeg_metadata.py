"""Write metadata into a JPEG, whose segments hold 64 KB each: more is divided, or left out."""

from __future__ import annotations

import io
import struct

from enlighten_cli.photo import xmp_extension
from enlighten_cli.photo.jpeg_segments import (
    APP1,
    COMMENT,
    EXIF_PREFIX,
    MOST_BYTES,
    XMP_PREFIX,
    resource_segments,
    segment,
)
from enlighten_cli.photo.metadata import Metadata
from enlighten_cli.photo.photoshop import photoshop_block
from enlighten_cli.photo.tiff_tree import read_tree, structure_of

JFIF = slice(6, 11), b"JFIF\0"
JFIF_DENSITY = 13  # unit, across, down
NO_UNIT = 0


def segments_for(metadata: Metadata) -> bytes:
    """Return XMP, IPTC, Photoshop's resources, comments and others' segments; Pillow writes EXIF and the profile."""
    parts = []
    if metadata.xmp:
        if len(metadata.xmp) <= MOST_BYTES - len(XMP_PREFIX):
            parts.append(segment(APP1, XMP_PREFIX + metadata.xmp))
        else:
            standard, extension = xmp_extension.split(metadata.xmp)
            parts += [segment(APP1, part) for part in (XMP_PREFIX + standard, *extension)]
    resources = (photoshop_block(metadata.iptc) if metadata.iptc else b"") + (metadata.resources or b"")
    parts.append(resource_segments(resources))
    parts += [segment(marker, content) for marker, content in metadata.segments if len(content) <= MOST_BYTES]
    parts += [segment(COMMENT, comment[:MOST_BYTES]) for comment in metadata.comments]
    return b"".join(parts)


def fitting_exif(exif: bytes | None) -> tuple[bytes | None, list[int]]:
    """Return EXIF that fits into a segment, and the tags that had to be left out, the longest first."""
    most = MOST_BYTES - len(EXIF_PREFIX)
    if not exif or len(exif) <= most:
        return exif, []
    try:
        order, tree = read_tree(io.BytesIO(exif))
    except ValueError:
        return None, []
    lost = []
    while tree and len(content := structure_of(tree, order)) > most:
        owner, tag, _ = max(tree.every(), key=lambda each: len(each[2].value))
        del owner.fields[tag]
        lost.append(tag)
    return (content if tree else None), lost


def too_large(metadata: Metadata) -> list[str]:
    """List what a JPEG has no room for, as messages for the user."""
    from PIL.ExifTags import TAGS

    notes = []
    exif, lost = fitting_exif(metadata.exif)
    if lost or (metadata.exif and not exif):
        names = ", ".join(TAGS.get(tag, f"tag {tag}") for tag in lost) or "all"
        notes.append(f"its EXIF is larger than a JPEG can hold: left out: {names}")
    if any(len(comment) > MOST_BYTES for comment in metadata.comments):
        notes.append("its comment is larger than a JPEG can hold: cut off")
    return notes


def with_aspect(jpeg: bytes, aspect: tuple[int, int]) -> bytes:
    """Return a JPEG with the shape of its pixels in its header."""
    where, mark = JFIF
    if jpeg[where] != mark:
        return jpeg
    density = struct.pack(">BHH", NO_UNIT, *aspect)
    return jpeg[:JFIF_DENSITY] + density + jpeg[JFIF_DENSITY + len(density) :]
