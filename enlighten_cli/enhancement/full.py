"""Full mode: the network sees every pixel, tile by tile; it judges light on a thumbnail if it was trained so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.enhancement.denoise import Denoising, DenoisingNetwork
from enlighten_cli.enhancement.highlights import hold_highlights
from enlighten_cli.enhancement.judged_light import relit
from enlighten_cli.enhancement.survey import surveyed
from enlighten_cli.enhancement.thumbnail import thumbnail, upsampled
from enlighten_cli.enhancement.tiles import padded_size, plan_tiles, run_tiled
from enlighten_cli.models.denoiser import package_denoiser
from enlighten_cli.models.network import Network
from enlighten_cli.photo import Photo, Pixels, Rgb, colour_of_photo
from enlighten_cli.resources import mapped

STRIP_ROWS, DENOISED_ROWS = 64, 192
FEW_PIXELS = 25_000  # enough to estimate the gain, where the network does not judge light on a thumbnail
KEPT_SCALE = 65535  # the network's result is kept in 16 bits until its light is corrected


def enhance(
    photo: Photo,
    network: Network,
    strength: float,
    tile_px: int,
    tell: Callable[[int, int], None],
    denoise: float,
    denoiser: Callable[[], DenoisingNetwork] = package_denoiser,
) -> tuple[Pixels, float]:
    """Enhance a photo with a network that sees every pixel.

    Parameters
    ----------
    photo : Photo
    network : Network
        If it was trained on photos reduced to `training_pixels`, the detail comes from the full photo and the
        light from a thumbnail of that size.
    strength : float
        Factor on the change; 0 returns the photo's own pixels.
    tile_px : int
        Side of a tile without its halo; 0 for one tile.
    tell : callable
        Receives the tiles done and their total.
    denoise, denoiser
        As of `survey.surveyed`.

    Returns
    -------
    ndarray
        The photo's new pixels, the same for any tile size.
    float
        Part of its area from which noise was removed, in [0, 1].
    """
    pixels = photo.pixels
    height, width = pixels.shape[:2]
    colour = colour_of_photo(photo)
    bright = np.empty_like(pixels)

    survey = surveyed(photo, network, network.training_pixels or FEW_PIXELS, denoise if strength else 0, denoiser)
    clean = _denoised(survey.denoising, pixels, colour.to_srgb) if survey.denoising else None

    def read(rows: NDArray[np.intp] | slice, columns: NDArray[np.intp] | slice) -> Rgb:
        if clean is not None:
            return _from_kept(clean[rows][:, columns])
        return colour.to_srgb(pixels[rows][:, columns]).clip(0, 1)

    def finish(rows: slice, columns: slice, rgb: Rgb) -> None:
        own, seen = pixels[rows, columns], read(rows, columns)
        known = upsampled(survey.known, rows.start, rows.stop, height, width)[:, columns]
        lifted = seen + known * (rgb - seen)
        # The network sees colours outside sRGB clipped; the part that was clipped is kept.
        before = colour.to_srgb(own)
        after = before + np.float32(strength) * (lifted - before.clip(0, 1))
        hold_highlights(after, before)
        bright[rows, columns] = colour.changed(own, before, after)

    judged_pixels = _judged_pixels(photo, network)
    made = np.empty((height, width, 3), np.uint16) if judged_pixels else None
    tiles = plan_tiles(height, width, tile_px, padded_size(network.receptive_field_px))
    tell(0, len(tiles))
    for done, (rows, columns, rgb) in enumerate(run_tiled(read, network, height, width, tiles), start=1):
        if made is None:
            finish(rows, columns, rgb)
        else:
            made[rows, columns] = np.rint(rgb.clip(0, 1) * KEPT_SCALE)
        tell(done, len(tiles))

    if made is not None:
        missing = survey.judged.missing(thumbnail(made, _from_kept, judged_pixels))
        for start in range(0, height, STRIP_ROWS):
            rows = slice(start, min(start + STRIP_ROWS, height))
            missing_there = upsampled(missing, rows.start, rows.stop, height, width)
            finish(rows, slice(None), relit(_from_kept(made[rows]), missing_there))
    return bright, survey.denoising.extent if survey.denoising else 0.0


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


def kept_bytes(photo: Photo, network: Network, denoise: float) -> int:
    """Return the bytes for the denoised photo, and for the network's result before its light is corrected."""
    kept = (_judged_pixels(photo, network) > 0) + (denoise > 0)
    return kept * 2 * 3 * photo.height * photo.width


def _judged_pixels(photo: Photo, network: Network) -> int:
    """Return the size, in pixels, at which the network judges light; 0 if that is the photo's own."""
    return network.training_pixels if network.training_pixels < photo.height * photo.width else 0


def _from_kept(made: Pixels) -> Rgb:
    return np.asarray(made, np.float32) / np.float32(KEPT_SCALE)
