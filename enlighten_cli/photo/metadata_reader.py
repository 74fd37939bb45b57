"""Read a file's metadata, and say what of them a result will not have."""

from __future__ import annotations

import dataclasses
import io
import struct
from fractions import Fraction
from itertools import takewhile
from typing import TYPE_CHECKING, BinaryIO

from enlighten_cli.photo import photoshop, xmp_extension
from enlighten_cli.photo.exif_patch import ORIENTATION, ExifBlock
from enlighten_cli.photo.file_parts import content_of_part, parts_of
from enlighten_cli.photo.jpeg_segments import EXIF_PREFIX, JpegParts, name_of
from enlighten_cli.photo.metadata import (
    C2PA_TIFF_TAG,
    IPTC_TIFF_TAG,
    RESOURCES_TIFF_TAG,
    STRUCTURAL_TAGS,
    XMP_TIFF_TAG,
    Metadata,
)
from enlighten_cli.photo.photoshop import iptc_of, others_of, resources_of
from enlighten_cli.photo.png_texts import XMP_KEYWORD, taken_profiles
from enlighten_cli.photo.promises import without_depth, without_pictures
from enlighten_cli.photo.tiff_tree import Field, read_tree, structure_of
from enlighten_cli.photo.told_colour import told_profile

if TYPE_CHECKING:
    from PIL import Image

MOST_TEXT_BYTES = 8 << 20  # of a PNG, decompressed; Pillow has its own limits, of 1 MB a text and 64 MB in all
IPTC_MARK = 0x1C
SHORT, LONG = 3, 4
AVIF_EXIF = 4  # its place in what Pillow's decoder tells
ELSEWHERE = (XMP_TIFF_TAG, IPTC_TIFF_TAG, RESOURCES_TIFF_TAG, C2PA_TIFF_TAG)  # tags that are not part of EXIF
NO_UNIT = 1  # of resolutions in a TIFF file
RESOLUTION_UNIT = 296
MOST_CHANNELS = 4
MOST_DENSITY = 65535  # a JPEG's has 16 bits
MANIFEST_LEFT_OUT = "its C2PA manifest is left out: it vouches for the unchanged photo"


def read_metadata(image: Image.Image, file: BinaryIO, parts: JpegParts | None, notes: list[str]) -> Metadata:
    """Read the metadata of a file; pixels need not be loaded.

    Parameters
    ----------
    image : Image
        The file as Pillow opened it.
    file : binary file
    parts : JpegParts or None
        Of a JPEG.
    notes : list of str
        What is left out is added, as messages for the user.
    """
    info = image.info
    text = dict(getattr(image, "text", {}))
    if sum(map(len, text.values())) > MOST_TEXT_BYTES:
        notes.append(f"its text chunks are more than {MOST_TEXT_BYTES >> 20} MB: left out")
        text = {}
    text.pop(XMP_KEYWORD, None)
    profiles = taken_profiles(text)
    exif = _as_bytes(info.get("exif")) or profiles.get("exif")
    if image.format == "AVIF":
        exif = _exif_of_avif(image, exif)
    xmp = info.get("xmp") or info.get(XMP_KEYWORD) or profiles.get("xmp")
    iptc = profiles.get("iptc")
    resources = resources_of(parts.resources if parts else profiles.get("resources", b""))
    if image.format == "TIFF":
        exif, elsewhere = _read_tiff(file, notes)
        iptc = _iptc_of_tiff(elsewhere.get(IPTC_TIFF_TAG))
        xmp = elsewhere[XMP_TIFF_TAG].value if XMP_TIFF_TAG in elsewhere else None
        if RESOURCES_TIFF_TAG in elsewhere:
            resources = resources_of(elsewhere[RESOURCES_TIFF_TAG].value)
        if C2PA_TIFF_TAG in elsewhere:
            notes.append(MANIFEST_LEFT_OUT)
    dpi = info.get("dpi")
    metadata = Metadata(
        exif=exif.removeprefix(EXIF_PREFIX) or None if exif else None,
        xmp=without_pictures(xmp.encode() if isinstance(xmp, str) else _as_bytes(xmp)),
        iptc=iptc or iptc_of(resources),
        icc_profile=_as_bytes(told_profile(image, file, str(image.format), notes)),
        # Where a JPEG's header tells of no unit, Pillow looks into EXIF, or invents one.
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and min(dpi) > 0 and info.get("jfif_unit") != 0 else None,
        aspect=_aspect(image),
        text=tuple((key, str(value)) for key, value in text.items()),
        resources=others_of(resources),
        significant_bits=_significant_bits(file) if image.format == "PNG" else None,
    )
    if parts:
        metadata = _with_parts(metadata, parts, notes)
    elif image.format == "JXL":
        metadata = dataclasses.replace(metadata, xmp=without_pictures(_xmp_of_jxl(file, notes) or metadata.xmp))
        if not getattr(image, "jpeg", False):  # a JPEG in it comes out as it was; all else is turned by the decoder
            metadata = metadata.without_orientation()
    return _of_the_turned(metadata, notes) if metadata.orientation != 1 else metadata


def _with_parts(metadata: Metadata, parts: JpegParts, notes: list[str]) -> Metadata:
    """Add what only a JPEG has."""
    xmp = metadata.xmp
    if parts.xmp_extension is not None:
        joined = xmp_extension.merged(xmp or b"", parts.xmp_extension)
        if joined is None:
            notes.append("the extension of its XMP is left out")
        xmp = without_pictures(joined) or xmp_extension.without_pointer(xmp)
    return dataclasses.replace(
        metadata, xmp=xmp, comments=tuple(parts.comments), segments=tuple(parts.others), trailer=parts.trailer
    )


def _of_the_turned(metadata: Metadata, notes: list[str]) -> Metadata:
    """Leave out what says where something is in the photo as it was stored, and cannot be turned."""
    xmp, lost_depth = without_depth(metadata.xmp)
    if lost_depth:
        notes.append("its depth map is left out: the photo was turned")
    resources, lost_paths = photoshop.without_geometry(metadata.resources or b"")
    if lost_paths:
        notes.append("its clipping paths, guides and slices are left out: the photo was turned")
    if metadata.segments:
        names = ", ".join(sorted({name_of(content) for _, content in metadata.segments}))
        notes.append(f"its data of other programs ({names}) are left out: the photo was turned")
    return dataclasses.replace(metadata, xmp=xmp, resources=resources, segments=())


def _read_tiff(file: BinaryIO, notes: list[str]) -> tuple[bytes | None, dict[int, Field]]:
    """Collect the photo's own tags from a TIFF file, and what is kept in others of its tags."""
    try:
        order, tree = read_tree(file, STRUCTURAL_TAGS - {ORIENTATION, *ELSEWHERE})
    except ValueError as error:
        notes.append(f"its metadata are left out: {error}")
        return None, {}
    elsewhere = {tag: tree.fields.pop(tag) for tag in ELSEWHERE if tag in tree.fields}
    return structure_of(tree, order) if tree else None, elsewhere


def _exif_of_avif(image: Image.Image, exif: bytes | None) -> bytes | None:
    """Return the EXIF of an AVIF file: where its box says how to turn it, Pillow writes EXIF anew and spoils texts."""
    try:
        stored = image._decoder.get_info()[AVIF_EXIF]  # type: ignore[attr-defined]
        orientation = ExifBlock((exif or b"").removeprefix(EXIF_PREFIX)).value(ORIENTATION) or 1
        order, tree = read_tree(io.BytesIO(stored.removeprefix(EXIF_PREFIX)))
    except (AttributeError, IndexError, ValueError):
        return exif
    if stored == exif:
        return exif
    tree.fields[ORIENTATION] = Field(SHORT, 1, struct.pack(order + "H", orientation))
    return structure_of(tree, order)


def _xmp_of_jxl(file: BinaryIO, notes: list[str]) -> bytes | None:
    """Return XMP, which the plug-in does not read."""
    xmp = None
    for part in parts_of(file, "JXL"):
        if part.name == b"xml ":
            xmp = content_of_part(file, part)
        elif part.name == b"brob" and content_of_part(file, part, 4) in (b"xml ", b"Exif"):
            notes.append("its compressed metadata are left out")
    return xmp


def _iptc_of_tiff(field: Field | None) -> bytes | None:
    """Return IPTC records, which Adobe's programs write as numbers of 32 bits; some swap their bytes."""
    if field is None:
        return None
    if field.type == LONG and field.value[0] != IPTC_MARK and field.value[3] == IPTC_MARK:
        return field.swapped().value
    return field.value


def _aspect(image: Image.Image) -> tuple[int, int] | None:
    """Return densities without a unit, which tell the shape of a pixel; None for squares."""
    info = image.info
    found = None
    if info.get("jfif_unit") == 0:
        found = info.get("jfif_density")
    elif image.format == "PNG":
        found = info.get("aspect")
    elif getattr(image, "tag_v2", {}).get(RESOLUTION_UNIT) == NO_UNIT and "resolution" in info:
        across, down = (float(each) for each in info["resolution"])
        if across > 0 and down > 0:
            found = Fraction(across / down).limit_denominator(MOST_DENSITY).as_integer_ratio()
    if not found or min(found) <= 0 or found[0] == found[1]:
        return None
    return int(found[0]), int(found[1])


def _significant_bits(file: BinaryIO) -> bytes | None:
    """Return what a PNG tells of its channels' significant bits, which stands before its pixels."""
    names = takewhile(lambda part: part.name != b"IDAT", parts_of(file, "PNG"))
    return next((content_of_part(file, part, MOST_CHANNELS) for part in names if part.name == b"sBIT"), None)


def _as_bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) and value else None
