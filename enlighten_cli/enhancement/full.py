"""Full mode: the network sees every pixel, tile by tile; the exposure is that of the plan, if it was trained so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.enhancement.apply import applied
from enlighten_cli.enhancement.denoise import Denoising
from enlighten_cli.enhancement.exposure import corrected
from enlighten_cli.enhancement.plan import Plan
from enlighten_cli.enhancement.thumbnail import thumbnail, upsampled
from enlighten_cli.enhancement.tiles import padded_size, plan_tiles, run_tiled
from enlighten_cli.models.network import Network
from enlighten_cli.photo import Photo, Pixels, Rgb, colour_of_photo
from enlighten_cli.resources import mapped

STRIP_ROWS, DENOISED_ROWS = 64, 192
KEPT_SCALE = 65535  # the network's result is kept in 16 bits until its exposure is corrected


def enhance(
    photo: Photo,
    network: Network,
    plan: Plan,
    strengths: Sequence[float],
    tile_px: int,
    tell: Callable[[int, int], None],
) -> list[Pixels]:
    """Enhance a photo with a network that sees every pixel.

    Parameters
    ----------
    photo : Photo
    network : Network
        If it was trained on photos reduced to `training_pixels`, the detail comes from the full photo and the
        exposure from the plan.
    plan : Plan
    strengths : sequence of float
        Factors on the change; 0 gives the photo's own pixels.
    tile_px : int
        Side of a tile without its halo; 0 for one tile.
    tell : callable
        Receives the tiles done and their total.

    Returns
    -------
    list of ndarray
        The photo's new pixels at each strength, the same for any tile size.
    """
    pixels = photo.pixels
    height, width = pixels.shape[:2]
    colour = colour_of_photo(photo)
    results = [np.empty_like(pixels) for _ in strengths]
    clean = _denoised(plan.denoising, pixels, colour.to_srgb) if plan.denoising and any(strengths) else None

    def read(rows: NDArray[np.intp] | slice, columns: NDArray[np.intp] | slice) -> Rgb:
        if clean is not None:
            return _from_kept(clean[rows][:, columns])
        return colour.to_srgb(pixels[rows][:, columns]).clip(0, 1)

    def finish(rows: slice, columns: slice, rgb: Rgb) -> None:
        own, source = pixels[rows, columns], read(rows, columns)
        confidence = upsampled(plan.confidence, rows.start, rows.stop, height, width)[:, columns]
        lifted = source + confidence * (rgb - source)
        before = colour.to_srgb(own)
        for bright, strength in zip(results, strengths, strict=True):
            bright[rows, columns] = colour.changed(own, before, applied(lifted, before, strength))

    exposure_pixels = _exposure_pixels(photo, network)
    kept = np.empty((height, width, 3), np.uint16) if exposure_pixels else None
    tiles = plan_tiles(height, width, tile_px, padded_size(network.receptive_field_px))
    tell(0, len(tiles))
    for done, (rows, columns, rgb) in enumerate(run_tiled(read, network, height, width, tiles), start=1):
        if kept is None:
            finish(rows, columns, rgb)
        else:
            kept[rows, columns] = np.rint(rgb.clip(0, 1) * KEPT_SCALE)
        tell(done, len(tiles))

    if kept is not None:
        correction = plan.exposure.correction(thumbnail(kept, _from_kept, exposure_pixels))
        for start in range(0, height, STRIP_ROWS):
            rows = slice(start, min(start + STRIP_ROWS, height))
            there = upsampled(correction, rows.start, rows.stop, height, width)
            finish(rows, slice(None), corrected(_from_kept(kept[rows]), there))
    return results


def _denoised(denoising: Denoising, pixels: Pixels, to_srgb: Callable[[Pixels], Rgb]) -> Pixels:
    """Return the photo without noise, as sRGB in 16 bits."""
    height, width = pixels.shape[:2]
    clean = np.empty((height, width, 3), np.uint16)

    def read(rows: slice, columns: slice) -> Rgb:
        return to_srgb(pixels[rows, columns]).clip(0, 1)

    def work(start: int) -> None:
        stop = min(start + DENOISED_ROWS, height)
        rows = denoising.rows(read, start, stop, height, width)
        if rows is None:
            rows = read(slice(start, stop), slice(None))
        clean[start:stop] = np.rint(rows.clip(0, 1) * KEPT_SCALE)

    for _ in mapped(work, range(0, height, DENOISED_ROWS)):
        pass
    return clean


def kept_bytes(photo: Photo, network: Network, denoise: float, results: int = 1) -> int:
    """Return the bytes for the denoised photo, the network's result before it is corrected, and further results."""
    kept = (_exposure_pixels(photo, network) > 0) + (denoise > 0)
    return kept * 2 * 3 * photo.height * photo.width + (results - 1) * photo.pixels.nbytes


def _exposure_pixels(photo: Photo, network: Network) -> int:
    """Return the size, in pixels, at which the network estimates exposure; 0 if that is the photo's own."""
    return network.training_pixels if network.training_pixels < photo.height * photo.width else 0


def _from_kept(kept: Pixels) -> Rgb:
    return np.asarray(kept, np.float32) / np.float32(KEPT_SCALE)
