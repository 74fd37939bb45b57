"""Exposure fusion in the network's place: what a trained network has to beat. Imported by board.py."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from enlighten_cli.methods.fusion import SPREAD, WELL_EXPOSED, blended
from enlighten_cli.models.network import EVERYWHERE
from enlighten_cli.photo import Rgb
from enlighten_cli.photo.colour import encoded_srgb, linear_srgb

STOPS = range(7)  # of the simulated exposures, above the photo's own


@dataclass(frozen=True)
class FusionNetwork:
    """Fuse seven exposures of a photo, good exposure being the only weight, as the network of the pipeline."""

    name: str = "fusion in the pipeline"
    training_pixels: int = 112**2
    receptive_field_px: int = EVERYWHERE
    bytes_per_pixel: int = 400
    provider: str = "NumPy"
    warning: str = ""
    tiles_exactly: bool = False

    def __call__(self, rgb: Rgb, /) -> Rgb:
        """Fuse exposures (Mertens, Kautz and Van Reeth 2007, doi:10.1109/PG.2007.17), to the coarsest level."""
        linear = linear_srgb(rgb)
        exposures = [encoded_srgb((linear * np.float32(2**stops)).clip(0, 1)) for stops in STOPS]
        weights = np.stack(
            [np.exp(-((each - WELL_EXPOSED) ** 2) / (2 * SPREAD**2)).prod(axis=2) + 1e-12 for each in exposures]
        ).astype(np.float32)
        return blended(exposures, list(weights / weights.sum(axis=0)), coarsest_px=1).clip(0, 1)
