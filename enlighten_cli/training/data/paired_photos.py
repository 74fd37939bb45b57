"""Crops of pairs: the same crop of a dark and of a well-lit photo of one scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.cropping import CropWindow, crops
from enlighten_cli.training.data.pairs import matched
from enlighten_cli.training.data.photo_cache import PhotoCache


class PairedCrops(NamedTuple):
    """The crops of one training step: float32 (N, 3, crop_px, crop_px) in [0, 1].

    `numbers` (N,) are the images' numbers in the run, on the CPU. `low` and `high` show the same.
    """

    numbers: Tensor
    low: Tensor
    high: Tensor


class PairedPhotos:
    """The paired crops of a batch, given the numbers of its images.

    Parameters
    ----------
    config : TrainConfig
    low, high : PhotoCache
        A photo without a partner, which may have been unreadable, is left out.
    """

    def __init__(self, config: TrainConfig, low: PhotoCache, high: PhotoCache) -> None:
        self.config = config
        self.low, self.high = low, high
        self.pairs = matched(low, high)

    def __getitem__(self, numbers: Sequence[int]) -> PairedCrops:
        """Return the crops of some images of one batch, on the photos' device."""
        pairs, windows = [], []
        for number in numbers:
            random = np.random.default_rng([self.config.seed, number])
            pairs.append(self.pairs[int(random.integers(len(self.pairs)))])
            windows.append(CropWindow.drawn(self.low.size(pairs[-1][0]), self.config, random))
        low, high = (
            crops([cache[pair[place]] for pair in pairs], windows) for place, cache in enumerate((self.low, self.high))
        )
        return PairedCrops(torch.tensor(list(numbers)), low, high)
