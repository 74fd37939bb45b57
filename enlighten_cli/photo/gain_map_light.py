"""Lessen a gain map by what the photo was brightened, so that its HDR rendition keeps its highlights."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.photo.bands import Rows, Span
from enlighten_cli.photo.colour import colour_of, linear_srgb
from enlighten_cli.photo.gain_map import GainMap
from enlighten_cli.photo.photo import BAND_ROWS, Photo, Pixels, as_eight_bits, spans_of

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # of linear red, green and blue: ITU-R BT.709
LEAST_LIGHT = 1e-4  # a third of an 8-bit step above black
MOST_RISE = 1.0  # in stops, above the greatest gain, where the photo became darker


class ReducedLight:
    """Rows of a photo, whose linear light is averaged over each pixel of its gain map as they pass.

    Parameters
    ----------
    rows : Rows
        8 bits, of 1 or 3 channels.
    icc_profile : bytes or None
    gain_map : GainMap
        No larger than the photo.
    """

    def __init__(self, rows: Rows, icc_profile: bytes | None, gain_map: GainMap) -> None:
        self._rows, self.shape, self.dtype = rows, rows.shape, rows.dtype
        ramp = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 256, 1), 3, axis=2)
        self._linear = linear_srgb(colour_of(icc_profile, self.shape[2]).to_srgb(ramp))[0, :, 1].clip(0)
        height, width, channels = gain_map.pixels.shape
        self._is_luminance = channels == 1 and self.shape[2] == 3
        self._sums = np.zeros((height, width, 1 if self._is_luminance else self.shape[2]), np.float64)
        self._lefts = _firsts(self.shape[1], width)
        self._tops = _firsts(self.shape[0], height)

    def __call__(self, spans: Iterable[Span]) -> Iterator[NDArray[Any]]:
        """Yield these rows, which may not overlap."""
        asked = list(spans)
        for (start, _), band in zip(asked, self._rows(asked), strict=True):
            self._add(start, band)
            yield band

    def means(self) -> NDArray[np.float64]:
        """Return the mean light, once all rows have passed: (h, w, 1) or (h, w, 3), in [0, 1]."""
        heights, widths = np.diff(self._tops, append=self.shape[0]), np.diff(self._lefts, append=self.shape[1])
        return np.asarray(self._sums / (heights[:, None] * widths)[..., None])

    def _add(self, start: int, band: Pixels) -> None:
        light = self._linear[as_eight_bits(band)]
        columns = np.add.reduceat(light @ LUMINANCE[:, None] if self._is_luminance else light, self._lefts, axis=1)
        rows = np.searchsorted(self._tops, np.arange(start, start + len(band)), side="right") - 1
        firsts = np.flatnonzero(np.diff(rows, prepend=-1))
        self._sums[rows[firsts]] += np.add.reduceat(columns, firsts, axis=0)


def lessened(photo: Photo, after: ReducedLight) -> GainMap:
    """Return a photo's gain map, less log2 of what became of its light.

    No gain becomes less than 0 by that: where the photo is brightened by more, it is as bright in HDR.

    Parameters
    ----------
    photo : Photo
        Changed, with a gain map that knows the photo before.
    after : ReducedLight
        Through which all of its rows have passed.
    """
    gain_map = photo.gain_map
    assert gain_map is not None
    if gain_map.before is None:
        return gain_map
    before = ReducedLight(gain_map.before, photo.metadata.icc_profile, gain_map)
    for _ in before(spans_of(photo.height, BAND_ROWS)):
        pass
    offset = np.maximum(gain_map.scale.offset_sdr, LEAST_LIGHT)
    change = np.log2((after.means() + offset) / (before.means() + offset)).astype(np.float32)
    if not change.any():
        return gain_map
    stops = gain_map.scale.stops(gain_map.pixels)
    stops = (stops - change).clip(np.minimum(stops, 0), stops.max() + np.float32(MOST_RISE))
    scale, pixels = gain_map.scale.fitted(stops)
    return dataclasses.replace(gain_map, scale=scale, pixels=pixels, before=None)


def _firsts(pixels: int, cells: int) -> NDArray[np.int64]:
    """Return the first pixel of each cell."""
    return -(-np.arange(cells) * pixels // cells)
