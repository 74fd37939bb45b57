"""Unpaired crops of low-light and normal-light photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.cropping import CropWindow, crops
from enlighten_cli.training.data.photo_cache import PhotoCache, PhotoFolders

LOW_PER_FINE = 4
DARKENING_STOPS = (-5.0, -1.0)  # exposure of well-lit photos that take the place of low ones
BALANCE_STOPS = 0.15
FINE_OF_LOW = 0.5  # part of the fine crops


class UnpairedCrops(NamedTuple):
    """The crops of one training step: float32 (N, 3, crop_px, crop_px) in [0, 1].

    `numbers` (N,) are the images' numbers in the run, on the CPU. `low` and `normal` are unpaired. `fine` are
    unreduced crops of some of these photos, low or normal. There may be fewer normal and fine crops than low ones,
    or none.
    """

    numbers: Tensor
    low: Tensor
    normal: Tensor
    fine: Tensor


@dataclass(frozen=True)
class Draw:
    """The random choices for one image of a run, a function of the seed and the image's number only.

    If `darkened`, the low photo is one of the normal ones; its exposure changes by `stops` (3,). The fine crop is
    cut from the low or the normal photo.
    """

    darkened: bool
    low: int
    low_window: CropWindow
    stops: NDArray[np.float64]
    normal: int
    normal_window: CropWindow
    fine_of_low: bool
    fine_window: CropWindow


class UnpairedPhotos:
    """The crops of a batch, given the numbers of its images.

    Parameters
    ----------
    config : TrainConfig
    photos : PhotoFolders
        ``"low"`` and ``"normal"``.
    low_per_normal : int
        Number of low crops for each normal one.
    fine : bool
        Whether unreduced crops are included.
    """

    def __init__(
        self, config: TrainConfig, photos: PhotoFolders, *, low_per_normal: int = 1, fine: bool = False
    ) -> None:
        self.config = config
        self.low, self.normal = photos["low"], photos["normal"]
        self.low_per_normal = low_per_normal
        self.fine = fine

    def draw(self, number: int) -> Draw:
        """Draw the random choices for one image."""
        config = self.config
        random = np.random.default_rng([config.seed, number])
        darkened = bool(random.random() < config.darkened_probability)
        stops = random.uniform(*DARKENING_STOPS) if darkened else random.uniform(-1, 1) * config.exposure_stops
        balance = random.uniform(-BALANCE_STOPS, BALANCE_STOPS, 3) * (stops != 0)
        low, normal = (int(random.integers(len(photos))) for photos in (self._low(darkened), self.normal))
        low_size, normal_size = self._low(darkened).size(low), self.normal.size(normal)
        fine_of_low = bool(random.random() < FINE_OF_LOW)
        return Draw(
            darkened=darkened,
            low=low,
            low_window=CropWindow.drawn(low_size, config, random),
            stops=stops + balance,
            normal=normal,
            normal_window=CropWindow.drawn(normal_size, config, random),
            fine_of_low=fine_of_low,
            fine_window=CropWindow.drawn_unreduced(low_size if fine_of_low else normal_size, config, random),
        )

    def _low(self, darkened: bool) -> PhotoCache:
        return self.normal if darkened else self.low

    def __getitem__(self, numbers: Sequence[int]) -> UnpairedCrops:
        """Return the crops of some images of one batch, on the photos' device."""
        draws = [self.draw(number) for number in numbers]
        dark = [self._low(draw.darkened)[draw.low] for draw in draws]
        stops = np.stack([draw.stops for draw in draws])
        low = crops(dark, [draw.low_window for draw in draws], stops)
        few = draws[: max(1, len(draws) // self.low_per_normal)]
        normal = crops([self.normal[draw.normal] for draw in few], [draw.normal_window for draw in few])
        fine = low[:0]
        if self.fine:
            few = draws[: max(1, len(draws) // LOW_PER_FINE)]
            photos = [dark[place] if draw.fine_of_low else self.normal[draw.normal] for place, draw in enumerate(few)]
            of_low = np.array([draw.fine_of_low for draw in few])[:, None]
            fine = crops(photos, [draw.fine_window for draw in few], stops[: len(few)] * of_low)
        return UnpairedCrops(torch.tensor(list(numbers)), low, normal, fine)
