"""Decode a file to a `Photo`."""

from __future__ import annotations

import dataclasses
import io
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from enlighten_cli.errors import PhotoError, TruncatedError
from enlighten_cli.photo.bands import Rows, bands_of, can_be_opened
from enlighten_cli.photo.float_tiff import DEPTH_REFUSED, check_finite, opened_tiff
from enlighten_cli.photo.formats import FORMATS, RAW, check_kind, import_plugin, sniff
from enlighten_cli.photo.jxl import jxl_size
from enlighten_cli.photo.left_out import left_out
from enlighten_cli.photo.limits import Limits
from enlighten_cli.photo.metadata import Metadata, read_metadata
from enlighten_cli.photo.photo import Coding, Photo, Pixels, banded
from enlighten_cli.photo.raw import FIRST_TAG_OF_DNG, develop
from enlighten_cli.photo.source import content_of, open_image, opened_source
from enlighten_cli.photo.truncation import forgiving, is_forgiving
from enlighten_cli.photo.upright import UprightBands, upright, whole_upright

TIFF_BITS_PER_SAMPLE, TIFF_SAMPLE_FORMAT = 258, 339
UNSIGNED = 1
PLAIN_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I;16B", "I;16L")
BAND_ROWS = 256
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
        has `bands` then, and damage of the file shows later.

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
    if not limits.allow_truncated:
        word = "incomplete" if "truncated" in str(error).lower() else "damaged"
        raise TruncatedError(f"the file is {word}") from error
    return dataclasses.replace(photo, notes=(*photo.notes, "the file ends too early: a part of the photo is missing"))


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
        notes = left_out(image, head, kind)
        if suffix and suffix.lower() not in FORMATS[kind].suffixes:
            notes.append(f"is really {'an' if kind == 'AVIF' else 'a'} {kind} despite its {suffix} ending")
        metadata = read_metadata(image, notes)
        coding = _coding(image, head)
        deep = floats or _is_deep(image, head, kind)
        orientation = metadata.orientation
        stored = None if is_forgiving() else bands_of(image, head, path or partial(content_of, file), is_float=floats)
        bands: Rows | None = None
        whole: Pixels | None = None
        pixels: Pixels = NO_PIXELS
        alpha: Pixels | None = None
        # Pillow gives the size of a TIFF file as it turns it, and libvips as it is stored.
        if stored and by_bands and by_bands(image.height, image.width) and (orientation == 1 or kind != "TIFF"):
            bands = stored if orientation == 1 else UprightBands(stored, orientation)
        elif stored and kind == "JPEG" and image.height * image.width >= VIPS_FROM_PIXELS:
            whole = whole_upright(stored, orientation)
        if bands:
            pass
        elif whole is not None:
            pixels, orientation = whole, 1
        elif floats:
            pixels, alpha = _by_vips(content_of(file), np.float32)
            check_finite(pixels)
        elif deep:
            pixels, alpha = _deep_pixels(content_of(file), image, kind)
        else:
            pixels, alpha, metadata = _plain_pixels(image, metadata, notes)
            orientation = 1 if kind == "TIFF" else orientation  # Pillow has turned it as it loaded it
    photo = Photo(
        pixels=upright(pixels, orientation),
        format=kind,
        alpha=None if alpha is None else upright(alpha, orientation),
        metadata=metadata.upright(),
        coding=coding,
        notes=tuple(notes),
    )
    return banded(photo, bands) if bands else photo


def _is_deep(image: Image.Image, head: bytes, kind: str) -> bool:
    """Tell by the file's header whether channels have 16 bits: Pillow reduces RGB to 8 without a word."""
    if kind == "PNG":
        return head[24] == 16  # in IHDR, always the first chunk
    if kind != "TIFF":
        return False
    directory = getattr(image, "tag_v2", {})
    bits = set(directory.get(TIFF_BITS_PER_SAMPLE, (1,)))
    if max(bits) <= 8:
        return False
    if bits != {16} or set(directory.get(TIFF_SAMPLE_FORMAT, (UNSIGNED,))) != {UNSIGNED}:
        raise PhotoError(f"channels of {max(bits)} bits, or of numbers other than unsigned integers, {DEPTH_REFUSED}")
    return True


def _deep_pixels(content: bytes, image: Image.Image, kind: str) -> tuple[Pixels, Pixels | None]:
    """Decode 16-bit channels."""
    if kind == "TIFF" and image.mode not in ("RGB", "RGBA", "RGBX", "L", "LA", "I;16", "I;16B", "I;16L"):
        raise PhotoError(f"16-bit {image.mode} cannot be kept")
    return _by_vips(content, np.uint16)


def _by_vips(content: bytes, kind: type[np.uint16 | np.float32]) -> tuple[Pixels, Pixels | None]:
    """Decode channels of more than 8 bits by libvips: colours, and opacity where there is one."""
    import pyvips

    fail_on = "none" if is_forgiving() else "error"
    try:
        deep = pyvips.Image.new_from_buffer(content, "", access="sequential", fail_on=fail_on)
        array = np.asarray(deep.numpy()).reshape(deep.height, deep.width, deep.bands)
    except pyvips.Error as error:
        raise OSError(" ".join(str(error).split())[:200]) from error
    if array.dtype != kind or array.shape[2] > 4:
        raise PhotoError(f"channels of an unusual kind {DEPTH_REFUSED}")
    colours = array.shape[2] - 1 if array.shape[2] in (2, 4) else array.shape[2]
    return array[..., :colours], array[..., colours] if colours < array.shape[2] else None


def _plain_pixels(image: Image.Image, metadata: Metadata, notes: list[str]) -> tuple[Pixels, Pixels | None, Metadata]:
    """Decode with Pillow, expand palettes and convert CMYK."""
    if image.mode not in PLAIN_MODES:
        raise PhotoError(f"pixels of mode {image.mode} cannot be kept")
    image.load()
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)[..., None], None, metadata
    if image.mode == "CMYK":
        image, profile = _without_cmyk(image, metadata.icc_profile)
        notes.append("CMYK is converted to RGB")
        metadata = dataclasses.replace(metadata, icc_profile=profile)
    alpha = None
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    grey = image.mode in ("1", "L", "LA")
    return _array(image, "L" if grey else "RGB"), alpha, metadata


def _array(image: Image.Image, mode: str) -> Pixels:
    """Convert an image to an array, (H, W, C) uint8, by bands: Pillow would copy all of it three times."""
    pixels = np.empty((image.height, image.width, len(mode)), np.uint8)
    for top in range(0, image.height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, image.height)
        band = np.asarray(image.crop((0, top, image.width, bottom)).convert(mode))
        pixels[top:bottom] = band.reshape(bottom - top, image.width, len(mode))
    return pixels


def _without_cmyk(image: Image.Image, icc_profile: bytes | None) -> tuple[Image.Image, bytes]:
    """Convert CMYK to sRGB, by its profile where it has one."""
    from PIL import ImageCms

    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    converted: Image.Image | None = None
    if icc_profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
            converted = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            converted = None  # a profile of something else
    return converted or image.convert("RGB"), srgb.tobytes()


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
