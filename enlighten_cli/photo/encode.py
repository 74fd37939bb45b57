"""Encode a `Photo` to a file: at once, or strip by strip where the format allows it."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np

from enlighten_cli.atomic_write import Sink
from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import jpeg_strips, png_strips, tiff_strips
from enlighten_cli.photo.bands import Span
from enlighten_cli.photo.colour import as_integers, in_srgb
from enlighten_cli.photo.encode_whole import chunks_of_metadata, encoded
from enlighten_cli.photo.formats import FORMATS, RAW, RAW_RESULT
from enlighten_cli.photo.icc import GREY, space_of
from enlighten_cli.photo.jpeg_strips import STRIP_ROWS
from enlighten_cli.photo.metadata import Metadata
from enlighten_cli.photo.photo import Photo, Pixels, empty_pixels, spans_of
from enlighten_cli.photo.png_strips import Deflated, deflated
from enlighten_cli.photo.tiff_head import order_of
from enlighten_cli.resources import mapped

STRIPS_FROM_PIXELS = 1_000_000  # smaller photos are encoded at once


def encode(photo: Photo, format: str | None = None, *, quality: int | None = None) -> bytes:
    """Encode a photo with its metadata.

    Parameters
    ----------
    photo : Photo
    format : str, optional
        A name in `formats.FORMATS`; the photo's own by default (TIFF for camera RAW).
        `formats.cannot_hold` lists what it cannot hold.
    quality : int, optional
        1 to 100, for lossy formats; by default a JPEG keeps its source's tables.

    Raises
    ------
    PhotoError
        If the format cannot hold the photo.
    """
    file = io.BytesIO()
    encode_to(file, photo, format, quality=quality)
    return file.getvalue()


def encode_to(file: Sink, photo: Photo, format: str | None = None, *, quality: int | None = None) -> None:
    """Encode a photo to an empty file, in which places can be sought; see `encode`."""
    name = format or (RAW_RESULT if photo.format == RAW else photo.format)
    if not FORMATS[name].writable:
        raise PhotoError(f"{name} files are not written")
    if photo.bits == 32 and not FORMATS[name].floats:
        photo = as_integers(photo.whole())
    if photo.metadata.icc_profile and not _fits_profile(photo, name):
        photo = in_srgb(photo)
    if name == "PNG":
        photo = _with_fitting_bits(photo)
    if can_be_stripped(photo, name):
        _encode_strips(file, photo, name, quality)
    else:
        with _encoding(name):
            content = encoded(photo.whole(empty_pixels), name, quality)
        file.write(content)
    if name == "JPEG":
        file.write(photo.metadata.trailer)


def _fits_profile(photo: Photo, name: str) -> bool:
    """Tell whether the result can have the photo's profile: grey that becomes RGB cannot keep one of grey."""
    own = FORMATS[name]
    becomes_rgb = photo.shape[2] == 1 and (
        not own.grey or (name == "TIFF" and photo.bits > 8 and photo.alpha is not None)
    )
    return own.profiles and not (becomes_rgb and space_of(photo.metadata.icc_profile or b"") == GREY)


def _with_fitting_bits(photo: Photo) -> Photo:
    """Return the photo without a PNG's number of significant bits where the channels are others."""
    bits = photo.metadata.significant_bits or b""
    channels = photo.shape[2] + (photo.alpha is not None)
    if len(bits) == channels and all(0 < each <= photo.bits for each in bits):
        return photo
    return dataclasses.replace(photo, metadata=dataclasses.replace(photo.metadata, significant_bits=None))


def can_be_stripped(photo: Photo, name: str) -> bool:
    """Tell whether a photo is encoded strip by strip, so that its pixels need not be in memory at once."""
    is_jpeg = name == "JPEG" and not photo.coding.progressive and photo.height <= jpeg_strips.LONGEST_PX
    is_possible = is_jpeg or name in ("PNG", "TIFF")
    return is_possible and photo.height * photo.width >= STRIPS_FROM_PIXELS and photo.alpha is None


def _encode_strips(file: Sink, photo: Photo, name: str, quality: int | None) -> None:
    """Encode strips of a photo as files of their own, on all cores, and join them."""
    if name == "PNG":
        with _encoding(name):
            more = chunks_of_metadata(photo)
        with closing(_png_strips(photo)) as png_strips_there:
            for part in png_strips.joined(png_strips_there, photo.height, more):
                file.write(part)
        return
    if name == "TIFF":
        row = np.zeros((1, *photo.shape[1:]), photo.dtype)
        with _encoding(name):
            head = encoded(dataclasses.replace(photo, content=row), name, quality)
        bytes_a_row = photo.width * photo.shape[2] * photo.dtype.itemsize
        options = {"strip_size": STRIP_ROWS * bytes_a_row, "order": order_of(photo.metadata.exif)}
        with closing(_strips(photo, name, quality, **options)) as strips:
            tiff_strips.write_joined(file, head, strips, photo.height)
        return
    with closing(_strips(photo, name, quality, restart_marker_rows=1)) as strips:
        for part in jpeg_strips.joined(strips, photo.height):
            file.write(part)


def _strips(photo: Photo, name: str, quality: int | None, **options: Any) -> Generator[bytes]:
    """Encode strips; only a JPEG's first has metadata."""
    bare = dataclasses.replace(photo, metadata=Metadata())
    first = photo if name == "JPEG" else bare

    def work(item: tuple[Span, Pixels]) -> bytes:
        (start, _), pixels = item
        with _encoding(name):
            strip = dataclasses.replace(bare if start else first, content=pixels)
            return encoded(strip, name, quality, **options)

    spans = spans_of(photo.height, STRIP_ROWS)
    return mapped(work, zip(spans, photo.rows(spans), strict=True))


def _png_strips(photo: Photo) -> Generator[Deflated]:
    """Encode strips, each with the row above it, and compress them."""
    bare = dataclasses.replace(photo, metadata=Metadata())

    def work(item: tuple[Span, Pixels]) -> Deflated:
        (start, stop), pixels = item
        strip = dataclasses.replace(bare, content=pixels)
        with _encoding("PNG"):
            png = encoded(strip, "PNG", None, compress_level=0)
            return deflated(png, is_first=start == 0, is_last=stop == photo.height)

    return mapped(work, _with_row_above(photo))


def _with_row_above(photo: Photo) -> Iterator[tuple[Span, Pixels]]:
    """Yield strips, each but the first with the last row of the strip before, which is not made a second time.

    It might come out a little different, and a decoder would add the difference to all rows below.
    """
    spans = spans_of(photo.height, STRIP_ROWS)
    above = np.empty((0, *photo.shape[1:]), photo.dtype)
    for span, pixels in zip(spans, photo.rows(spans), strict=True):
        yield span, np.concatenate([above, pixels])
        above = pixels[-1:]


@contextmanager
def _encoding(name: str) -> Iterator[None]:
    try:
        yield
    except PhotoError:
        raise
    except Exception as error:  # encoders raise any kind of exception on odd metadata
        raise PhotoError(f"cannot be written as {name}: {' '.join(str(error).split())}") from error
