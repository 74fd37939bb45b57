"""Every pixel shown to the network, tile by tile; light is judged from a look here, too, if that is how it learned."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.enhancement.thumbnail import LIGHT_PIXELS, look, missing_light, upsampled
from enlighten_cli.enhancement.tiles import plan_tiles, run_tiled
from enlighten_cli.photo import Photo, Pixels, Rgb, colour_of

STRIP_ROWS = 64
KEPT_SCALE = 65535  # what the network made is kept in 16 bits until its light is known


def brighten(
    photo: Photo, model: Callable[[Rgb], Rgb], strength: float, tile_px: int, tell: Callable[[int, int], None]
) -> Pixels:
    """Brighten a photo by a network that sees all of it.

    Parameters
    ----------
    photo : Photo
    model : callable
        (h, w, 3) to (h, w, 3), RGB, h and w multiples of 16. Its attribute `look_pixels`, if it has one,
        says from how many pixels of a photo, reduced, it judges light: detail is then as it
        is made here, and light as it is judged from so many.
    strength : float
        Of the change; 0 gives the photo's own numbers.
    tile_px : int
        Pixels that a tile gives; 0 for one tile.
    tell : callable
        Receives the tiles done and their total.

    Returns
    -------
    ndarray
        The photo's new numbers, the same for any tile.
    """
    pixels = photo.pixels
    height, width = pixels.shape[:2]
    colour = colour_of(photo.metadata.icc_profile, pixels.shape[2])
    bright = np.empty_like(pixels)

    def finish(rows: slice, columns: slice, rgb: Rgb) -> None:
        own = pixels[rows, columns]
        # Colours outside sRGB are shown to the network at its border, and keep their distance to it.
        before = colour.to_srgb(own)
        after = before + np.float32(strength) * (rgb - before.clip(0, 1))
        bright[rows, columns] = colour.changed(own, before, after)

    def read(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Rgb:
        return colour.to_srgb(pixels[np.ix_(rows, columns)]).clip(0, 1)

    judged_pixels = _judged_pixels(photo, model)
    made = np.empty((height, width, 3), np.uint16) if judged_pixels else None
    tiles = plan_tiles(height, width, tile_px)
    tell(0, len(tiles))
    for done, (rows, columns, rgb) in enumerate(run_tiled(read, model, height, width, tiles), start=1):
        if made is None:
            finish(rows, columns, rgb)
        else:
            made[rows, columns] = np.rint(rgb.clip(0, 1) * KEPT_SCALE)
        tell(done, len(tiles))

    if made is not None:
        light = missing_light(look(pixels, colour.to_srgb, judged_pixels), model, look(made, _from_kept, LIGHT_PIXELS))
        for start in range(0, height, STRIP_ROWS):
            rows = slice(start, min(start + STRIP_ROWS, height))
            more = upsampled(light, rows.start, rows.stop, height, width)
            finish(rows, slice(None), (_from_kept(made[rows]) + more).clip(0, 1))
    return bright


def kept_bytes(photo: Photo, model: Callable[[Rgb], Rgb]) -> int:
    """Return what it takes to keep what the network made until its light is known, where it judges that from a look."""
    return 2 * 3 * photo.height * photo.width if _judged_pixels(photo, model) else 0


def _judged_pixels(photo: Photo, model: Callable[[Rgb], Rgb]) -> int:
    """Return from how many pixels the network judges light; 0 if that is from all that there are."""
    judged_pixels = getattr(model, "look_pixels", None) or 0
    return judged_pixels if judged_pixels < photo.height * photo.width else 0


def _from_kept(made: Pixels) -> Rgb:
    return np.asarray(made, np.float32) / np.float32(KEPT_SCALE)
