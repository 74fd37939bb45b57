"""Develop camera RAW files to a `Photo`."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from enlighten_cli.photo.exif_patch import EXIF_DIRECTORY, GPS_DIRECTORY
from enlighten_cli.photo.formats import RAW, missing
from enlighten_cli.photo.limits import Limits
from enlighten_cli.photo.metadata import EXIF_PREFIX, STRUCTURAL_TAGS, XMP_TIFF_TAG, Metadata
from enlighten_cli.photo.photo import Photo

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
    with rawpy.imread(io.BytesIO(content)) as raw:
        limits.check(raw.sizes.width, raw.sizes.height)
        pixels = raw.postprocess(use_camera_wb=True, output_bps=16, no_auto_bright=True)
    metadata = _raw_metadata(content)
    notes = () if metadata.exif else ("its EXIF is stored in a form that is not supported: left out",)
    return Photo(content=pixels, format=RAW, metadata=metadata, notes=notes)


def _raw_metadata(content: bytes) -> Metadata:
    """Take EXIF from a RAW file that is a TIFF structure; developed pixels are upright already."""
    exif = Image.Exif()
    try:
        exif.load_from_fp(io.BytesIO(content))
    except Exception:  # RAW files of another structure: their pixels are developed without EXIF
        return Metadata()
    xmp = exif.get(XMP_TIFF_TAG)
    kept: Any = Image.Exif()
    for tag in set(exif) - STRUCTURAL_TAGS:
        if tag < FIRST_TAG_OF_DNG and tag not in (EXIF_DIRECTORY, GPS_DIRECTORY):
            kept[tag] = exif[tag]
    for directory in (EXIF_DIRECTORY, GPS_DIRECTORY):
        if values := exif.get_ifd(directory):
            kept.get_ifd(directory).update(values)
    block = kept.tobytes().removeprefix(EXIF_PREFIX) if len(kept) else None
    return Metadata(exif=block, xmp=xmp if isinstance(xmp, bytes) else None).upright()
