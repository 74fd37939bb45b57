"""Cut a photo into tiles that give exactly the pixels of the whole; independent of any model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from enlighten_cli.models.network import MULTIPLE_PX, RECEPTIVE_FIELD_PX
from enlighten_cli.photo import Rgb

HALO_PX = -(-RECEPTIVE_FIELD_PX // MULTIPLE_PX) * MULTIPLE_PX  # tiles begin on the grid on which the network pools


@dataclass(frozen=True)
class Span:
    """One tile along one axis: compute [start, stop), keep [keep_start, keep_stop)."""

    start: int
    stop: int
    keep_start: int
    keep_stop: int


@dataclass(frozen=True)
class Tile:
    """A rectangle of the padded photo to compute, and the part of it to keep."""

    rows: Span
    columns: Span


def padded_size(length_px: int, multiple_px: int = MULTIPLE_PX) -> int:
    """Return the length rounded up to a multiple."""
    return -(-length_px // multiple_px) * multiple_px


def padded_index(length_px: int, multiple_px: int = MULTIPLE_PX) -> np.ndarray:
    """Return which pixel of an axis stands at each place of the padded axis.

    Reflection without repeating the border; replication where there is too little to reflect.
    """
    positions = np.arange(padded_size(length_px, multiple_px))
    beyond = positions - (length_px - 1)
    reflected = np.where(beyond > 0, (length_px - 1) - beyond, positions)
    return np.where(reflected < 0, length_px - 1, reflected)


def plan_spans(length_px: int, payload_px: int, halo_px: int = HALO_PX) -> list[Span]:
    """Plan the tiles along one axis.

    All have the same length if the axis is long enough; the last one is shifted inward.

    Parameters
    ----------
    length_px : int
        Length of the padded axis, a multiple of 16.
    payload_px : int
        Pixels of a tile without its halo, rounded up to a multiple of 16; 0 for one tile.
    halo_px : int
        Pixels on each side that are computed and discarded.
    """
    payload = padded_size(payload_px)
    outer = payload + 2 * halo_px
    if payload_px == 0 or outer >= length_px:
        return [Span(0, length_px, 0, length_px)]
    spans = []
    keep_start = 0
    while keep_start < length_px:
        start = min(max(0, keep_start - halo_px), length_px - outer)
        stop = start + outer
        keep_stop = length_px if stop == length_px else stop - halo_px
        spans.append(Span(start, stop, keep_start, keep_stop))
        keep_start = keep_stop
    return spans


def plan_tiles(height: int, width: int, payload_px: int, halo_px: int = HALO_PX) -> list[Tile]:
    """Plan the tiles of a photo, row by row; sizes are those before padding."""
    return [
        Tile(rows, columns)
        for rows in plan_spans(padded_size(height), payload_px, halo_px)
        for columns in plan_spans(padded_size(width), payload_px, halo_px)
    ]


def run_tiled(
    read: Callable[[np.ndarray, np.ndarray], Rgb],
    network: Callable[[Rgb], Rgb],
    height: int,
    width: int,
    tiles: list[Tile],
) -> Iterator[tuple[slice, slice, Rgb]]:
    """Compute tiles one by one.

    Parameters
    ----------
    read : callable
        Returns the RGB at row and column indices, so that the whole photo is never held as floats.
    network : callable
        (h, w, 3) to (h, w, 3), h and w multiples of 16.
    height, width : int
        Size of the photo before padding.
    tiles : list of Tile

    Yields
    ------
    rows, columns : slice
        Where the pixels belong in the photo; every pixel comes exactly once.
    rgb : ndarray, shape (h, w, 3), float32
    """
    row_index, column_index = padded_index(height), padded_index(width)
    for tile in tiles:
        rows, columns = tile.rows, tile.columns
        kept_rows = slice(rows.keep_start, min(rows.keep_stop, height))
        kept_columns = slice(columns.keep_start, min(columns.keep_stop, width))
        if kept_rows.start >= height or kept_columns.start >= width:
            continue  # nothing but padding
        result = network(read(row_index[rows.start : rows.stop], column_index[columns.start : columns.stop]))
        yield (
            kept_rows,
            kept_columns,
            result[
                kept_rows.start - rows.start : kept_rows.stop - rows.start,
                kept_columns.start - columns.start : kept_columns.stop - columns.start,
            ],
        )
