"""Turn photos upright that were stored turned: whole, or band by band through a temporary file."""

from __future__ import annotations

import io
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.photo.bands import Bands, DamagedError, Span
from enlighten_cli.photo.photo import spans_of
from enlighten_cli.resources import mapped

BLOCK_ROWS = 256
# What each orientation is undone by, on the first two axes.
UPRIGHT: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}
FIRST_COMES_LAST = (3, 4, 6, 7)  # the first row stored is the last row or column of the upright photo
SIDEWAYS = (5, 6, 7, 8)  # rows become columns


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return pixels, (H, W, C) or (H, W), turned as EXIF's orientation asks, 1 to 8, and contiguous."""
    turned = UPRIGHT[orientation](pixels)
    if turned.flags.c_contiguous or turned.ndim == 2:
        return np.ascontiguousarray(turned)
    result = np.empty(turned.shape, turned.dtype)
    for channel in range(turned.shape[2]):  # NumPy copies single numbers faster than groups of three
        result[..., channel] = turned[..., channel]
    return result


def blocks_of(bands: Bands, orientation: int) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Decode a file band by band, turn each, and yield its first row and column in the upright photo, and its pixels.

    Raises
    ------
    DamagedError
        If the decoder has anything to say against the file.
    """
    height = bands.shape[0]
    spans = spans_of(height, BLOCK_ROWS)
    blocks = mapped(lambda band: upright(band, orientation), bands(spans))
    for (start, stop), block in zip(spans, blocks, strict=True):
        first = height - stop if orientation in FIRST_COMES_LAST else start
        row, column = (0, first) if orientation in SIDEWAYS else (first, 0)
        yield row, column, block


def shape_of(bands: Bands, orientation: int) -> tuple[int, int, int]:
    """Return height, width and channels of the upright photo."""
    height, width, channels = bands.shape
    return (width, height, channels) if orientation in SIDEWAYS else (height, width, channels)


def whole_upright(bands: Bands, orientation: int) -> NDArray[Any] | None:
    """Decode all of a photo and turn it as it is decoded; None if the decoder has anything to say against it."""
    if orientation == 1:
        return bands.whole()
    pixels = np.empty(shape_of(bands, orientation), bands.dtype)
    try:
        for row, column, block in blocks_of(bands, orientation):
            pixels[row : row + block.shape[0], column : column + block.shape[1]] = block
    except DamagedError:
        return None
    return pixels


@dataclass(frozen=True)
class Spooled:
    """A block in a file: its first row and column in the upright photo, its shape, and its first byte in the file."""

    row: int
    column: int
    shape: tuple[int, ...]
    place: int


class UprightBands:
    """Rows of the upright photo, of a file that is stored turned.

    A decoder makes rows as they are stored, and an upright row may need all of them. So the photo is decoded once, when
    rows are first asked for; its bands are turned and put into a temporary file, from which rows are read as often as
    needed. Where there is no room for that file, it is held in memory.

    Parameters
    ----------
    bands : Bands
    orientation : int
        EXIF's, 1 to 8.
    """

    def __init__(self, bands: Bands, orientation: int) -> None:
        self.shape = shape_of(bands, orientation)
        self.dtype = bands.dtype
        self._bands, self._orientation = bands, orientation
        self._spooled: list[Spooled] = []
        self._file: BinaryIO | None = None
        self._at_file = threading.Lock()

    def __call__(self, spans: Iterable[Span]) -> Iterator[NDArray[Any]]:
        """Yield these rows; see `bands.Rows`.

        Raises
        ------
        DamagedError
            If the decoder has anything to say against the file.
        """
        with self._at_file:
            if self._file is None:
                self._file = self._decoded()
        for start, stop in spans:
            rows = np.empty((stop - start, *self.shape[1:]), self.dtype)
            for spooled in self._spooled:
                self._read(self._file, spooled, start, rows)
            yield rows

    def _decoded(self) -> BinaryIO:
        """Return the file with all blocks."""
        with suppress(OSError):  # the disk is full, or may not be written
            return self._on_disk()
        file = io.BytesIO()
        self._spool(file)
        return file

    def _on_disk(self) -> BinaryIO:
        file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        try:
            self._spool(file)
            file.flush()
        except BaseException:
            with suppress(OSError):  # what is left in its buffer does not fit either
                file.close()
            raise
        weakref.finalize(self, file.close)
        return file

    def _spool(self, file: BinaryIO) -> None:
        self._spooled, place = [], 0
        for row, column, block in blocks_of(self._bands, self._orientation):
            self._spooled.append(Spooled(row, column, block.shape, place))
            file.write(block.data)
            place += block.nbytes

    def _read(self, file: BinaryIO, spooled: Spooled, start: int, rows: NDArray[Any]) -> None:
        """Copy what a block has of the rows that begin at `start`."""
        height, width, channels = spooled.shape
        first, last = max(start, spooled.row), min(start + len(rows), spooled.row + height)
        if first >= last:
            return
        bytes_a_row = width * channels * self.dtype.itemsize
        with self._at_file:
            file.seek(spooled.place + (first - spooled.row) * bytes_a_row)
            content = file.read((last - first) * bytes_a_row)
        values = np.frombuffer(content, self.dtype).reshape(last - first, width, channels)
        rows[first - start : last - start, spooled.column : spooled.column + width] = values
