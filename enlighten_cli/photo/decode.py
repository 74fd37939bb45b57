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
from enlighten_cli.photo.decoders import by_vips, compression_of, deep_pixels, is_deep, plain_pixels
from enlighten_cli.photo.float_tiff import check_finite, opened_tiff
from enlighten_cli.photo.formats import FORMATS, RAW, check_kind, import_plugin, sniff
from enlighten_cli.photo.gain_map import read_gain_map
from enlighten_cli.photo.jpeg_segments import read_parts
from enlighten_cli.photo.jxl import jxl_size
from enlighten_cli.photo.left_out import left_out
from enlighten_cli.photo.limits import Limits
from enlighten_cli.photo.metadata_reader import read_metadata
from enlighten_cli.photo.photo import Coding, Photo
from enlighten_cli.photo.promises import takes_promises
from enlighten_cli.photo.raw import FIRST_TAG_OF_DNG, develop
from enlighten_cli.photo.source import content_of, open_image, opened_source
from enlighten_cli.photo.truncation import ended_jpeg, forgiving, is_forgiving
from enlighten_cli.photo.upright import UprightBands, upright, whole_upright
from enlighten_cli.photo.zero_tails import check_tail

BY_PATH = ("PNG", "TIFF")  # formats of large files
VIPS_FROM_PIXELS = 1_000_000  # libvips decodes a large JPEG faster than Pillow does
NO_PIXELS = np.zeros((0, 0, 3), np.uint8)
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
    except UnidentifiedImageError as error:
        raise PhotoError("damaged, or its pixels are of a type that cannot be kept") from error
    except MemoryError as error:
        raise PhotoError("too large for the free memory") from error
    except PhotoError:
        raise
    except Exception as error:  # decoders raise any kind of exception on damaged files
        raise PhotoError(_reason(error)) from error


def _forgiven(file: BinaryIO, suffix: str, limits: Limits, error: OSError) -> Photo:
    """Decode what there is of a file, or say which option would do that."""
    try:
        with forgiving():
            photo = _decoded(file, suffix, limits)
    except Exception:
        if limits.allow_truncated:
            raise
        raise error from None
    if not photo.pixels.any():  # decoders leave 0 where they read nothing
        raise PhotoError("damaged: none of its pixels can be read") from error
    if not limits.allow_truncated:
        word = "incomplete" if "truncated" in str(error).lower() else "damaged"
        raise TruncatedError(f"the file is {word}") from error
    return replace(photo, notes=(*photo.notes, "the file ends too early: a part of the photo is missing"))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or f"damaged ({type(error).__name__})"


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
    import_plugin(kind)
    if kind == "JXL":
        limits.check(*jxl_size(file))  # opening it decodes it
    file.seek(0)
    opened, floats = opened_tiff(file) if kind == "TIFF" else (open_image(file, kind), False)
    with opened as image:
        limits.check(*image.size)
        if kind == "TIFF" and FIRST_TAG_OF_DNG in getattr(image, "tag_v2", {}):
            return develop(content_of(file), limits)  # a camera's, under another name
        if not is_forgiving():
            check_tail(file, image, kind)
        place = file.tell()  # where Pillow goes on reading
        parts = read_parts(content_of(file)) if kind == "JPEG" else None
        can_keep_map = parts and takes_promises(image.info.get("xmp"))
        gain_map = read_gain_map(parts.pictures, *image.size) if parts and can_keep_map else None
        notes = left_out(image, file, head, kind, parts, gain_map)
        if suffix and suffix.lower() not in FORMATS[kind].suffixes:
            notes.append(f"is really {'an' if kind == 'AVIF' else 'a'} {kind} despite its {suffix} ending")
        metadata = read_metadata(image, file, parts, notes)
        file.seek(place)
        orientation = metadata.orientation
        coding = _coding(image, head)
        photo = Photo(
            NO_PIXELS,
            kind,
            metadata=metadata.upright(),
            coding=coding,
            notes=tuple(notes),
            gain_map=gain_map and gain_map.upright(orientation),
        )
        stored = None if is_forgiving() else bands_of(image, head, path or partial(content_of, file), is_float=floats)
        # Pillow gives the size of a TIFF file as it turns it, and libvips as it is stored.
        if stored and by_bands and by_bands(image.height, image.width) and (orientation == 1 or kind != "TIFF"):
            return replace(photo, content=stored if orientation == 1 else UprightBands(stored, orientation))
        if stored and kind == "JPEG" and image.height * image.width >= VIPS_FROM_PIXELS:
            whole = whole_upright(stored, orientation)
            if whole is not None:
                return replace(photo, content=whole)
        if floats:
            planes = by_vips(content_of(file), np.float32, compression_of(image))
            check_finite(planes[0])
        elif is_deep(image, head, kind):
            planes = deep_pixels(content_of(file), image, kind)
        else:
            animated = content_of(file) if kind == "PNG" and getattr(image, "is_animated", False) else None
            planes, metadata = plain_pixels(image, animated, metadata, notes)
            orientation = 1 if kind == "TIFF" else orientation  # Pillow has turned it as it loaded it
    pixels, alpha = planes
    return replace(
        photo,
        content=upright(pixels, orientation),
        alpha=None if alpha is None else upright(alpha, orientation),
        metadata=metadata.upright(),
        notes=tuple(notes),
    )


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
    if image.format == "TIFF":
        compression = str(image.info.get("compression", "raw"))
        return Coding(
            tiff_compression=compression if compression in ("raw", "tiff_lzw", "packbits") else "tiff_adobe_deflate"
        )
    return Coding()
