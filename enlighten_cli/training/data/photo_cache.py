"""The photos of a folder, decoded once and held where samples are made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from enlighten_cli import photo
from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.enhancement.thumbnail import THUMBNAIL_PIXELS
from enlighten_cli.errors import EnlightenError, TrainingError
from enlighten_cli.photo import Pixels
from enlighten_cli.training.config import TrainConfig

FEWEST_PHOTOS = 2
HELD_LOOKS = 16  # of as many pixels as so many looks photos are kept, and no fewer than fast mode looks at


class HeldPhotos:
    """Photos by their place among those of a folder, nested or not: uint8 (3, H, W).

    Parameters
    ----------
    folder : Path
    config : TrainConfig
    budget_bytes : int
        Photos that do not fit into it are decoded anew whenever they are asked for.

    Raises
    ------
    TrainingError
        If there are too few, or one cannot be read: each is decoded here, so that a bad one is found now.
    """

    def __init__(self, folder: Path, config: TrainConfig, budget_bytes: int) -> None:
        self.paths = find_photos(folder)
        if len(self.paths) < FEWEST_PHOTOS:
            raise TrainingError(f"{folder}: {len(self.paths)} photos; at least {FEWEST_PHOTOS} are needed")
        self._config = config
        self._sizes: list[tuple[int, int]] = []
        self._held: dict[int, Tensor] = {}
        self.held_bytes = 0
        self.device = torch.device("cpu")
        for index in range(len(self.paths)):
            pixels = self._decode(index)
            self._sizes.append((pixels.shape[1], pixels.shape[2]))
            if self.held_bytes + pixels.nbytes <= budget_bytes:
                self._held[index] = pixels
                self.held_bytes += pixels.nbytes

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        """Return one of them, from where it is held or decoded anew."""
        return self._held[index] if index in self._held else self._decode(index)

    @property
    def complete(self) -> bool:
        """Whether all of them are held."""
        return len(self._held) == len(self.paths)

    def size(self, index: int) -> tuple[int, int]:
        """Return the height and width of one of them."""
        return self._sizes[index]

    def move_to(self, device: torch.device) -> None:
        """Hold them there from now on."""
        self.device = device
        for index, pixels in self._held.items():
            self._held[index] = pixels.to(device)

    def _decode(self, index: int) -> Tensor:
        path = self.paths[index]
        try:
            pixels = photo.as_srgb(photo.decode(path))
        except EnlightenError as error:
            raise TrainingError(f"{path}: {error}") from error
        return torch.from_numpy(np.ascontiguousarray(_resized(pixels, self._config).transpose(2, 0, 1)))


def _resized(pixels: Pixels, config: TrainConfig) -> Pixels:
    """Reduce what is far larger than the model will see; enlarge what is too small for a crop."""
    height, width = pixels.shape[:2]
    enough = max(HELD_LOOKS * config.look_pixels, THUMBNAIL_PIXELS) if config.look_pixels else height * width
    factor = max(min(1.0, (enough / (height * width)) ** 0.5), config.crop_px / min(height, width))
    if factor == 1:
        return pixels
    size = tuple(max(config.crop_px, round(length * factor)) for length in (width, height))
    how = Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(pixels).resize(size, how))
