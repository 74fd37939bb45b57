"""Decode a large photo a band of rows at a time, as often as needed, instead of holding all of its pixels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo.libvips import libvips

Span = tuple[int, int]

VIPS_NAMES = {"uint8": "uchar", "uint16": "ushort", "float32": "float"}
PNG_OPAQUE = (0, 2)  # colour types: grey, and RGB
BITS, PHOTOMETRIC, SAMPLES, SAMPLE_FORMAT = 258, 262, 277, 339  # tags of a TIFF file
UNSIGNED, GREY, RGB = 1, 1, 2
TIFF_COMPRESSIONS = ("raw", "tiff_lzw", "packbits", "tiff_deflate", "tiff_adobe_deflate")
FETCHED_ROWS = 16  # at a time, which stay in a core's cache until they are copied


class Rows(Protocol):
    """A source of pixels, which gives rows as often as they are asked for; only an array has all of them in memory."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        ...

    def __call__(self, spans: Iterable[Span], /) -> Iterator[NDArray[Any]]:
        """Yield these rows: first row of each band, and the row after its last. Neither number may decrease."""
        ...


class NotInMemoryError(RuntimeError):
    """All pixels at once were asked of a source that makes them band by band: a mistake in the program."""


@dataclass(frozen=True)
class ArrayRows:
    """The pixels of an array.

    Parameters
    ----------
    pixels : ndarray, shape (H, W, C)
    """

    pixels: NDArray[Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        height, width, channels = self.pixels.shape
        return height, width, channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.pixels.dtype

    def __call__(self, spans: Iterable[Span]) -> Iterator[NDArray[Any]]:
        """Yield these rows; see `Rows`."""
        return (self.pixels[start:stop] for start, stop in spans)


class DamagedError(PhotoError):
    """The file is damaged in some way; decoding it whole tells how, and what there is of it."""


@dataclass(frozen=True)
class Bands:
    """The pixels of a file, decoded by libvips from the top.

    Parameters
    ----------
    source : Path, or callable that returns bytes
        The file, if it `can_be_opened`, or what returns its content.
    shape : tuple of int
        Height, width and channels.
    depth : str
        Type of its numbers: ``"uint8"``, ``"uint16"`` or ``"float32"``.
    """

    source: Path | Callable[[], bytes]
    shape: tuple[int, int, int]
    depth: str = "uint8"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return np.dtype(self.depth)

    def __call__(self, spans: Iterable[Span]) -> Iterator[NDArray[Any]]:
        """Decode the photo once, and yield these rows of it.

        Parameters
        ----------
        spans : iterable of tuple of int
            First row of each band, and the row after its last. They may overlap, but neither number may decrease.

        Raises
        ------
        DamagedError
            If the decoder has anything to say against the file, or a number is NaN or infinite.
        """
        pyvips = libvips()

        with self._opened() as image:
            region = pyvips.Region.new(image)
            before, start = np.empty((0, *self.shape[1:]), self.dtype), 0
            for first, last in spans:
                band = np.empty((last - first, *self.shape[1:]), self.dtype)
                known = before[first - start :]
                band[: len(known)] = known[: len(band)]
                for top in range(first + len(known), last, FETCHED_ROWS):
                    bottom = min(top + FETCHED_ROWS, last)
                    rows = np.frombuffer(region.fetch(0, top, image.width, bottom - top), self.dtype)
                    band[top - first : bottom - first] = self._checked(rows.reshape(-1, *self.shape[1:]))
                if last > start + len(before):
                    before, start = band, first
                yield band

    def whole(self) -> NDArray[Any] | None:
        """Decode all of the photo, which is faster than Pillow; None if the decoder has anything to say against it."""
        try:
            with self._opened() as image:
                return self._checked(np.asarray(image.numpy()).reshape(self.shape))
        except DamagedError:
            return None

    def _checked(self, rows: NDArray[Any]) -> NDArray[Any]:
        if rows.dtype == np.float32 and not np.isfinite(rows).all():
            raise DamagedError("NaN or infinity")
        return rows

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        pyvips = libvips()

        pyvips.cache_set_max(0)  # nothing is asked for twice
        options = {"access": "sequential", "fail_on": "warning"}
        try:
            if isinstance(self.source, Path):
                image = pyvips.Image.new_from_file(os.fspath(self.source), **options)
            else:
                image = pyvips.Image.new_from_buffer(self.source(), "", **options)
            if (image.height, image.width, image.bands) != self.shape or image.format != VIPS_NAMES[self.depth]:
                raise DamagedError("libvips and Pillow see different photos")
            yield image
        except pyvips.Error as error:
            raise DamagedError(" ".join(str(error).split())[:200]) from error


def can_be_opened(path: Path) -> bool:
    """Tell whether libvips can open a file by its name: it knows UTF-8 alone, and takes ``[...]`` for options."""
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        return False
    return not path.name.endswith("]")


def bands_of(
    image: Image.Image, head: bytes, source: Path | Callable[[], bytes], *, is_float: bool = False
) -> Bands | None:
    """Return what decodes a file band by band; None unless libvips decodes it to the same pixels as Pillow.

    Parameters
    ----------
    image : Image
        The file as Pillow opened it.
    head : bytes
        Its first bytes.
    source : Path, or callable that returns bytes
        See `Bands`.
    is_float : bool
        Whether its numbers are floats, which Pillow does not tell.
    """
    depth = None
    if image.format in ("JPEG", "MPO"):
        depth = "uint8"
    elif image.format == "PNG":
        depth = _depth_of_png(head)
    elif image.format == "TIFF":
        depth = "float32" if is_float else _depth_of_tiff(image)
    channels = len(image.getbands())
    if depth is None or channels not in (1, 3) or "transparency" in image.info:
        return None
    return Bands(source, (image.height, image.width, channels), depth)


def _depth_of_png(head: bytes) -> str | None:
    depth, colour_type, interlaced = head[24], head[25], head[28]  # in IHDR, always the first chunk
    return {8: "uint8", 16: "uint16"}.get(depth) if colour_type in PNG_OPAQUE and not interlaced else None


def _depth_of_tiff(image: Image.Image) -> str | None:
    tags = getattr(image, "tag_v2", {})
    depths = set(tags.get(BITS, (1,)))
    is_plain = (
        len(depths) == 1
        and set(tags.get(SAMPLE_FORMAT, (UNSIGNED,))) == {UNSIGNED}
        and tags.get(PHOTOMETRIC) in (GREY, RGB)
        and tags.get(SAMPLES, 1) == len(image.getbands())
        and image.info.get("compression") in TIFF_COMPRESSIONS
    )
    return {8: "uint8", 16: "uint16"}.get(depths.pop()) if is_plain else None
