"""Develop camera RAW files to a `Photo`."""

from __future__ import annotations

import io

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo.exif_patch import ORIENTATION
from enlighten_cli.photo.formats import RAW, missing
from enlighten_cli.photo.limits import Limits
from enlighten_cli.photo.metadata import STRUCTURAL_TAGS, XMP_TIFF_TAG, Metadata
from enlighten_cli.photo.photo import Photo
from enlighten_cli.photo.tiff_tree import read_tree, structure_of

FIRST_TAG_OF_DNG = 50706  # DNGVersion: from here on tags tell how to develop


def develop(content: bytes, limits: Limits) -> Photo:
    """Develop a camera RAW file to 16-bit sRGB, with the camera's white balance.

    Raises
    ------
    PhotoError
        If it is too large, or the package for it is not installed.
    """
    try:
        import rawpy
    except ImportError as error:
        raise missing(RAW) from error
    try:
        with rawpy.imread(io.BytesIO(content)) as raw:
            limits.check(raw.sizes.width, raw.sizes.height)
            pixels = raw.postprocess(use_camera_wb=True, output_bps=16, no_auto_bright=True)
    except rawpy.LibRawError as error:
        said = error.args[0] if error.args else ""
        said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise PhotoError(
            f"the camera RAW file is damaged, or of a camera that LibRaw does not know ({said}); "
            "copy it again, or convert it to DNG or TIFF in the camera's own program"
        ) from error
    metadata = _raw_metadata(content)
    notes = () if metadata.exif else ("its EXIF is stored in a form that is not supported: left out",)
    return Photo(content=pixels, format=RAW, metadata=metadata, notes=notes)


def _raw_metadata(content: bytes) -> Metadata:
    """Take EXIF from a RAW file that is a TIFF structure; developed pixels are upright already."""
    try:
        order, tree = read_tree(io.BytesIO(content), STRUCTURAL_TAGS - {ORIENTATION, XMP_TIFF_TAG})
    except ValueError:  # RAW files of another structure: their pixels are developed without EXIF
        return Metadata()
    xmp = tree.fields.pop(XMP_TIFF_TAG, None)
    for tag in [tag for tag in tree.fields if tag >= FIRST_TAG_OF_DNG]:
        del tree.fields[tag]
    exif = structure_of(tree, order) if tree else None
    return Metadata(exif=exif, xmp=xmp.value if xmp else None).upright()
