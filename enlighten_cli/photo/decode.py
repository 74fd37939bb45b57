"""Decode a file to a `Photo`."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from enlighten_cli.errors import PhotoError, TruncatedError
from enlighten_cli.photo.bands import bands_of, can_be_opened
from enlighten_cli.photo.decoders import Planes, by_vips, compression_of, deep_pixels, is_deep, plain_pixels
from enlighten_cli.photo.float_tiff import check_finite, opened_tiff
from enlighten_cli.photo.formats import FORMATS, RAW, check_kind, import_plugin, sniff
from enlighten_cli.photo.jpeg_segments import read_parts
from enlighten_cli.photo.jxl import jxl_is_lossless, jxl_size
from enlighten_cli.photo.left_out import left_out
from enlighten_cli.photo.libtiff import silence
from enlighten_cli.photo.limits import Limits
from enlighten_cli.photo.metadata import Metadata
from enlighten_cli.photo.metadata_reader import read_metadata
from enlighten_cli.photo.photo import Coding, Photo
from enlighten_cli.photo.raw import develop
from enlighten_cli.photo.source import content_of, open_image, opened_source
from enlighten_cli.photo.tiff_photo import find_photo, with_photo_first
from enlighten_cli.photo.truncation import ended_jpeg, forgiving, is_forgiving, jpeg_is_damaged
from enlighten_cli.photo.unread import reason
from enlighten_cli.photo.upright import UprightBands, upright, whole_upright
from enlighten_cli.photo.zero_tails import check_tail

BY_PATH = ("PNG", "TIFF")  # formats of large files
VIPS_FROM_PIXELS = 1_000_000  # libvips decodes a large JPEG faster than Pillow does
NO_PIXELS = np.zeros((0, 0, 3), np.uint8)
DAMAGED_WITHIN = "its decoder met damaged data: a part of the photo may look wrong"
HEAD_BYTES = 1 << 18  # where manifests and boxes stand


def decode(
    source: Path | bytes,
    limits: Limits | None = None,
    *,
    suffix: str = "",
    by_bands: Callable[[int, int], bool] | None = None,
) -> Photo:
    """Decode a photo and turn it upright.

    Parameters
    ----------
    source : Path or bytes
        A file, or its content. The content decides the format, not the name.
    limits : Limits, optional
    suffix : str
        Suffix of the file's name, where `source` is its content; it decides only between TIFF and camera
        RAW.
    by_bands : callable, optional
        Told the height and width, says whether the pixels, where they can, should be decoded band by band: the photo
        is not in memory then, and damage of the file shows later.

    Raises
    ------
    PhotoError
        If it is no photo, damaged, too large, of an unsupported pixel type, or of a format that needs
        a package which is not installed.
    """
    limits = limits or Limits()
    if isinstance(source, Path):
        with opened_source(source, limits) as opened:
            # By bands, it is decoded from the file, which need not be in memory either.
            if opened.kind in BY_PATH and by_bands and can_be_opened(source):
                return _safely(opened.file, source.suffix, limits, by_bands, source)
            content, suffix = opened.read(), source.suffix
    else:
        content = source
    return _safely(io.BytesIO(content), suffix, limits, by_bands)


def _safely(
    file: BinaryIO, suffix: str, limits: Limits, by_bands: Callable[[int, int], bool] | None, path: Path | None = None
) -> Photo:
    """Decode a file, and raise nothing but `PhotoError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata; the pixels decide
            try:
                return _decoded(file, suffix, limits, by_bands, path)
            except OSError as error:
                if isinstance(error, UnidentifiedImageError):
                    raise
                if ended := ended_jpeg(content_of(file)):
                    return _decoded(io.BytesIO(ended), suffix, limits, by_bands)
                return _forgiven(file, suffix, limits, error)
    except MemoryError as error:
        raise PhotoError("too large for the free memory") from error
    except PhotoError:
        raise
    except Exception as error:  # decoders raise any kind of exception on damaged files
        content = content_of(file)
        raise PhotoError(reason(error, content, sniff(content, suffix))) from error


def _forgiven(file: BinaryIO, suffix: str, limits: Limits, error: OSError) -> Photo:
    """Decode what there is of a file, or say which option would do that."""
    try:
        with forgiving():
            photo = _decoded(file, suffix, limits)
    except Exception:
        if limits.allow_truncated:
            raise
        raise error from None
    if photo.pixels.min() == photo.pixels.max():  # decoders leave one number where they read nothing
        raise PhotoError("the file is damaged: none of its pixels can be read; copy it again") from error
    if not limits.allow_truncated:
        word = "incomplete" if "truncated" in str(error).lower() else "damaged"
        raise TruncatedError(f"the file is {word}") from error
    return replace(photo, notes=(*photo.notes, "the file ends too early: a part of the photo is missing"))


def _decoded(
    file: BinaryIO,
    suffix: str,
    limits: Limits,
    by_bands: Callable[[int, int], bool] | None = None,
    path: Path | None = None,
) -> Photo:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    kind = sniff(head, suffix)
    check_kind(head, kind)
    if kind == RAW:
        return develop(content_of(file), limits)
    if kind == "TIFF":
        silence()
    if kind == "TIFF" and (found := find_photo(file)):
        if found.is_raw:
            return develop(content_of(file), limits)  # a camera's, under another name
        if found.own:
            file, path = io.BytesIO(with_photo_first(content_of(file), found.own)), None
    import_plugin(kind)
    if kind == "JXL":
        limits.check(*jxl_size(file))  # opening it decodes it
    file.seek(0)
    opened, channels = opened_tiff(file) if kind == "TIFF" else (open_image(file, kind), None)
    depth = channels.depth if channels else None
    with opened as image:
        limits.check(*image.size)
        if not is_forgiving():
            check_tail(file, image, kind)
        place = file.tell()  # where Pillow goes on reading
        parts = read_parts(content_of(file)) if kind == "JPEG" else None
        notes = left_out(image, file, head, kind, parts)
        if suffix and suffix.lower() not in FORMATS[kind].suffixes:
            notes.append(f"is really {'an' if kind == 'AVIF' else 'a'} {kind} despite its {suffix} ending")
        notes += channels.notes() if channels else []
        metadata = read_metadata(image, file, parts, notes)
        file.seek(place)
        orientation = metadata.orientation
        coding = _coding(image, head)
        photo = Photo(NO_PIXELS, kind, metadata=metadata.upright(), coding=coding, notes=tuple(notes))
        stored = None
        if not is_forgiving() and not (channels and channels.extras):
            stored = bands_of(image, head, path or partial(content_of, file), is_float=depth is np.float32)
        # Pillow gives the size of a TIFF file as it turns it, and libvips as it is stored.
        if stored and by_bands and by_bands(image.height, image.width) and (orientation == 1 or kind != "TIFF"):
            return replace(photo, content=stored if orientation == 1 else UprightBands(stored, orientation))
        if stored and kind == "JPEG" and image.height * image.width >= VIPS_FROM_PIXELS:
            whole = whole_upright(stored, orientation)
            if whole is not None:
                return replace(photo, content=whole)
        if depth:
            planes = by_vips(content_of(file), depth, compression_of(image), channels)
            check_finite(planes[0])
        elif is_deep(image, head, kind):
            planes = deep_pixels(content_of(file), image, kind, channels)
        else:
            animated = content_of(file) if kind == "PNG" and getattr(image, "is_animated", False) else None
            planes, metadata = _plain(image, file, kind, animated, metadata, notes)
            orientation = 1 if kind == "TIFF" else orientation  # Pillow has turned it as it loaded it
    pixels, alpha = planes
    return replace(
        photo,
        content=upright(pixels, orientation),
        alpha=None if alpha is None else upright(alpha, orientation),
        metadata=metadata.upright(),
        notes=tuple(notes),
    )


def _plain(
    image: Image.Image, file: BinaryIO, kind: str, animated: bytes | None, metadata: Metadata, notes: list[str]
) -> tuple[Planes, Metadata]:
    """Decode with Pillow; where it gives nothing of a damaged file, libvips may give a part."""
    # Pillow would have turned a TIFF file's pixels.
    can_help = is_forgiving() and (kind == "JPEG" or (kind == "TIFF" and metadata.orientation == 1))
    can_help = can_help and image.mode in ("L", "RGB") and len(image.getbands()) in (1, 3)
    if kind == "JPEG" and not is_forgiving() and jpeg_is_damaged(content_of(file)):
        notes.append(DAMAGED_WITHIN)
    try:
        planes, metadata = plain_pixels(image, animated, metadata, notes)
    except OSError:
        if not can_help:
            raise
    else:
        if not can_help or planes[0].any():
            return planes, metadata
    return by_vips(content_of(file), np.uint8), metadata


def _coding(image: Image.Image, head: bytes) -> Coding:
    if image.format in ("JPEG", "MPO"):
        tables = getattr(image, "quantization", {})
        subsampling = JpegImagePlugin.get_sampling(image)
        return Coding(
            quantisation=tuple(tuple(tables[key]) for key in sorted(tables)),
            subsampling=subsampling if subsampling in (0, 1, 2) else 0,
            progressive=bool(image.info.get("progressive")),
        )
    if image.format == "WEBP":
        return Coding(lossless=b"VP8L" in head)
    if image.format == "JXL":
        return Coding(lossless=jxl_is_lossless(io.BytesIO(head)))
    if image.format == "TIFF":
        compression = str(image.info.get("compression", "raw"))
        return Coding(
            tiff_compression=compression if compression in ("raw", "tiff_lzw", "packbits") else "tiff_adobe_deflate"
        )
    return Coding()
