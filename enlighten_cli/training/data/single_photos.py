"""Crops of single photos, for objectives that compare a result with its own input only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.cropping import CropWindow, crops
from enlighten_cli.training.data.photo_cache import PhotoCache


class SingleCrops(NamedTuple):
    """The crops of one training step: `rgb`, float32 (N, 3, crop_px, crop_px) in [0, 1].

    `numbers` (N,) are the images' numbers in the run, on the CPU.
    """

    numbers: Tensor
    rgb: Tensor


class SinglePhotos:
    """The crops of a batch, given the numbers of its images.

    Parameters
    ----------
    config : TrainConfig
    caches : sequence of PhotoCache
        Each photo of each is equally likely.
    """

    def __init__(self, config: TrainConfig, caches: Sequence[PhotoCache]) -> None:
        self.config = config
        self.indices = [(cache, index) for cache in caches for index in range(len(cache))]

    def __getitem__(self, numbers: Sequence[int]) -> SingleCrops:
        """Return the crops of some images of one batch, on the photos' device."""
        photos, windows, stops = [], [], []
        for number in numbers:
            random = np.random.default_rng([self.config.seed, number])
            cache, index = self.indices[int(random.integers(len(self.indices)))]
            photos.append(cache[index])
            windows.append(CropWindow.drawn(cache.size(index), self.config, random))
            stops.append(np.full(3, random.uniform(-1, 1) * self.config.exposure_stops))
        return SingleCrops(torch.tensor(list(numbers)), crops(photos, windows, np.stack(stops)))
