"""Random framing and cropping: a frame of a photo is reduced, and a crop of it becomes the training sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from enlighten_cli.training.config import SQUARE, TrainConfig
from enlighten_cli.training.data.augmentation import exposed


@dataclass(frozen=True)
class CropWindow:
    """A frame of a photo, reduced by a factor, and a crop of the reduced frame.

    Positions are (row, column), sizes are (height, width), in pixels. `steps` are 1, or -1 for an axis along which
    the crop is flipped.
    """

    corner: tuple[int, int]
    frame: tuple[int, int]
    factor: float
    crop: tuple[int, int]
    crop_px: int
    steps: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """Size of the reduced frame."""
        return _reduced_size(self.frame, self.factor)

    @classmethod
    def drawn(cls, photo: tuple[int, int], config: TrainConfig, random: np.random.Generator) -> Self:
        """Draw a random window of a photo of this size."""
        whole = (min(photo),) * 2 if config.frame == SQUARE else photo
        part = random.uniform(config.frame_min, 1)
        height, width = (max(config.crop_px, round(length * part)) for length in whole)
        top, left = (
            int(random.integers(length - side + 1)) for length, side in zip(photo, (height, width), strict=True)
        )
        factor = _factor((height, width), config)
        size = _reduced_size((height, width), factor)
        crop = [int(random.integers(length - config.crop_px + 1)) for length in size]
        steps = [int(random.choice([-1, 1])) for _ in "yx"]
        return cls((top, left), (height, width), factor, (crop[0], crop[1]), config.crop_px, (steps[0], steps[1]))

    @classmethod
    def drawn_unreduced(cls, photo: tuple[int, int], config: TrainConfig, random: np.random.Generator) -> Self:
        """Draw a random window without reduction, of a photo as it is cached."""
        top, left = (int(random.integers(length - config.crop_px + 1)) for length in photo)
        steps = [int(random.choice([-1, 1])) for _ in "yx"]
        frame = (config.crop_px, config.crop_px)
        return cls((top, left), frame, 1.0, (0, 0), config.crop_px, (steps[0], steps[1]))

    def of(self, photo: Tensor) -> Tensor:
        """Return the crop: uint8 (3, H, W) to (3, crop_px, crop_px) in [0, 1], reduced as in use up to rounding."""
        window = self._crop_alone()
        (top, left), (height, width) = window.corner, window.frame
        frame = reduced(photo[:, top : top + height, left : left + width], window.factor)
        top, left = window.crop
        crop = frame[:, top : top + self.crop_px, left : left + self.crop_px]
        return crop.flip([axis for axis, step in enumerate(self.steps, start=1) if step < 0])

    def _crop_alone(self) -> CropWindow:
        """Return a window whose frame is the crop, if nothing is reduced: the rest of the frame is not needed then."""
        if self.factor != 1:
            return self
        top, left = (start + inside for start, inside in zip(self.corner, self.crop, strict=True))
        side = (self.crop_px, self.crop_px)
        return replace(self, corner=(top, left), frame=side, crop=(0, 0))


def _factor(frame: tuple[int, int], config: TrainConfig) -> float:
    """Return the factor by which a frame is reduced: to the training pixels, but never below a crop."""
    most = min(frame) / config.crop_px
    if config.frame == SQUARE:
        return most
    wanted = max(1.0, (frame[0] * frame[1] / config.training_pixels) ** 0.5) if config.training_pixels else 1.0
    return min(wanted, most)


def _reduced_size(size: tuple[int, int], factor: float) -> tuple[int, int]:
    return max(1, round(size[0] / factor)), max(1, round(size[1] / factor))


def reduced(pixels: Tensor, factor: float) -> Tensor:
    """Reduce a photo by area.

    Parameters
    ----------
    pixels : Tensor, shape (3, H, W), uint8
    factor : float
        At least 1; height and width are divided by it.

    Returns
    -------
    Tensor, shape (3, h, w), range [0, 1]
        On the photo's device.

    Notes
    -----
    First by an integer factor, rounded, and then by the remaining factor, as Pillow reduces photos in use.
    """
    size, whole = _reduced_size((pixels.shape[1], pixels.shape[2]), factor), int(factor)
    rgb = pixels.float()
    if whole > 1:
        means = F.avg_pool2d(rgb[None], whole, ceil_mode=True, count_include_pad=False)[0]
        rgb = (means + 0.5).floor()
    for axis, length in enumerate(size, start=1):
        if rgb.shape[axis] != length:
            rgb = _fewer(rgb, axis, length)
    return rgb / 255


def _fewer(values: Tensor, axis: int, length: int) -> Tensor:
    """Average, along an axis, the pixels whose centres lie within each new pixel."""
    scale = values.shape[axis] / length
    centres = (torch.arange(length, device=values.device, dtype=torch.float64) + 0.5) * scale
    starts, stops = (centres - scale / 2 + 0.5).long(), (centres + scale / 2 + 0.5).long()
    sums = F.pad(values, (0, 0) * (2 - axis) + (1, 0)).cumsum(axis, dtype=torch.float64)
    counts = (stops - starts).view((-1, 1) if axis == 1 else (1, -1))
    return ((sums.index_select(axis, stops) - sums.index_select(axis, starts)) / counts).float()


def crops(
    photos: Sequence[Tensor], windows: Sequence[CropWindow], stops: NDArray[np.floating[Any]] | None = None
) -> Tensor:
    """Cut crops, and change their exposure.

    Parameters
    ----------
    photos : sequence of Tensor, shape (3, H, W), uint8
        All on one device.
    windows : sequence of CropWindow
        One for each photo.
    stops : ndarray, shape (N, 3), or None
        Change of exposure of each crop's channels.

    Returns
    -------
    Tensor, shape (N, 3, crop_px, crop_px), range [0, 1]
        On the photos' device, without synchronizing with it.
    """
    batch = torch.stack([window.of(photo) for photo, window in zip(photos, windows, strict=True)])
    if stops is None or not stops.any():
        return batch
    return exposed(batch, torch.from_numpy(stops).float().to(batch.device, non_blocking=True))
