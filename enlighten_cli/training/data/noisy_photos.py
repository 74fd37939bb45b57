"""Training pairs for a denoiser, simulated from well-lit photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from enlighten_cli.photo import Rgb
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.cropping import reduced
from enlighten_cli.training.data.lettering import lettered
from enlighten_cli.training.data.photo_cache import PhotoCache
from enlighten_cli.training.data.sensor_noise import noise_map, noisy_photo

REDUCED = 2.0  # photos are first reduced by this factor, which removes their own noise


class NoisyCrops(NamedTuple):
    """The crops from which a denoiser learns: float32, on the CPU.

    `numbers` (N,) are the images' numbers in the run. `clean` and `noisy` are dark crops (N, 3, crop_px, crop_px) in
    [0, 1]. `noise` and `gain` (N, 1, crop_px, crop_px) are the standard deviation of luma's noise, and the factor by
    which the crop will be brightened.
    """

    numbers: Tensor
    clean: Tensor
    noisy: Tensor
    noise: Tensor
    gain: Tensor


class NoisyPhotos:
    """The noisy crops of a batch, given the numbers of its images.

    Parameters
    ----------
    config : TrainConfig
    photos : PhotoCache
        Well-lit photos.
    text_probability : float
        Probability that letters are drawn over a crop.
    """

    def __init__(self, config: TrainConfig, photos: PhotoCache, text_probability: float = 0.0) -> None:
        self.config = config
        self.photos = photos
        self.text_probability = text_probability

    def __getitem__(self, numbers: Sequence[int]) -> NoisyCrops:
        """Return the crops of some images."""
        examples = [self._made(number) for number in numbers]
        clean, noisy, noise, gain = (torch.from_numpy(np.stack(each)) for each in zip(*examples, strict=True))
        channels = (0, 3, 1, 2)
        return NoisyCrops(
            torch.tensor(list(numbers)), clean.permute(channels), noisy.permute(channels), noise[:, None], gain[:, None]
        )

    def _made(self, number: int) -> tuple[Rgb, Rgb, Rgb, Rgb]:
        random = np.random.default_rng([self.config.seed, number])
        crop = self._crop(random)
        if self.text_probability and random.random() < self.text_probability:
            crop = lettered(crop, random)
        pair = noisy_photo(crop, random)
        return pair.clean, pair.noisy, noise_map(pair, random), pair.gain

    def _crop(self, random: np.random.Generator) -> Rgb:
        """Cut a crop of a reduced photo, rotated and flipped at random."""
        photo, side = self.photos[int(random.integers(len(self.photos)))].cpu(), self.config.crop_px
        factor = max(1.0, min(REDUCED, min(photo.shape[1:]) / side))
        size = [min(round(side * factor), length) for length in photo.shape[1:]]
        top, left = (
            int(random.integers(length - part + 1)) for length, part in zip(photo.shape[1:], size, strict=True)
        )
        crop = reduced(photo[:, top : top + size[0], left : left + size[1]], factor)[:, :side, :side]
        crop = torch.rot90(crop, int(random.integers(4)), (1, 2))
        crop = crop.flip(2) if random.integers(2) else crop
        return np.ascontiguousarray(crop.permute(1, 2, 0).numpy())
