"""One photo: from dark to bright."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from enlighten_cli.errors import UsageError
from enlighten_cli.photo import Photo, Rgb, colour_of
from enlighten_cli.tiling import HALO_PX, MULTIPLE_PX, padded_size, plan_tiles, run_tiled

MAX_STRENGTH = 1.5
# A tile this large, with its halo, needs 1.8 GB with a network of width 32.
AUTOMATIC_TILE_PX = 1024
WHOLE = 0


@dataclass(frozen=True)
class Options:
    """How a photo is enhanced.

    Parameters
    ----------
    strength : float
        0 leaves the photo as it is, 1 is what the model says, up to 1.5 goes beyond.
    tile_px : int or None
        Pixels that a tile gives, at least 16; 0 for the whole photo at once; None to choose by
        the photo's size.
    """

    strength: float = 1.0
    tile_px: int | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises
        ------
        UsageError
            If an option is out of its range.
        """
        if not 0 <= self.strength <= MAX_STRENGTH:
            raise UsageError(f"strength is {self.strength}; it must be from 0 to {MAX_STRENGTH}")
        if self.tile_px is not None and self.tile_px != WHOLE and self.tile_px < MULTIPLE_PX:
            raise UsageError(f"tile is {self.tile_px}; it must be 0 (the whole photo) or at least {MULTIPLE_PX} px")

    def tile_for(self, height: int, width: int) -> int:
        """Return the payload of a tile for a photo of this size; 0 for the whole."""
        if self.tile_px is not None:
            return self.tile_px
        outer = AUTOMATIC_TILE_PX + 2 * HALO_PX
        return WHOLE if padded_size(height) * padded_size(width) <= outer * outer else AUTOMATIC_TILE_PX


def enhance(
    photo: Photo,
    model: Callable[[Rgb], Rgb],
    options: Options,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Photo:
    """Brighten a photo; everything but its light stays.

    Parameters
    ----------
    photo : Photo
    model : callable
        (H, W, 3) to (H, W, 3), RGB, H and W multiples of 16.
    options : Options
    tell : callable
        Receives the tiles done and their total.

    Returns
    -------
    Photo
        Of the same size, depth and colour space, with the same format and metadata. Only the
        change that the network makes is added, so that 16-bit photos stay smooth and colours
        outside sRGB survive.
    """
    pixels = photo.pixels
    colour = colour_of(photo.metadata.icc_profile, pixels.shape[2])

    def read(rows: np.ndarray, columns: np.ndarray) -> Rgb:
        return colour.to_srgb(pixels[np.ix_(rows, columns)]).clip(0, 1)

    enhanced = np.empty_like(pixels)
    tiles = plan_tiles(photo.height, photo.width, options.tile_for(photo.height, photo.width))
    tell(0, len(tiles))
    for done, (rows, columns, rgb) in enumerate(run_tiled(read, model, photo.height, photo.width, tiles), start=1):
        own = pixels[rows, columns]
        # Colours outside sRGB are shown to the network at its border, and keep their distance to it.
        before = colour.to_srgb(own)
        after = before + np.float32(options.strength) * (rgb - before.clip(0, 1))
        enhanced[rows, columns] = colour.changed(own, before, after)
        tell(done, len(tiles))
    return dataclasses.replace(photo, pixels=enhanced)
