"""Crops of low-light and of normal-light photos that have nothing to do with each other."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from enlighten_cli import photo
from enlighten_cli.discover import find_photos
from enlighten_cli.errors import EnlightenError, TrainingError, UsageError
from enlighten_cli.fast import look
from enlighten_cli.photo import Rgb, as_rgb
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.exposure import exposed
from enlighten_cli.training.group import ALONE, Group
from enlighten_cli.training.lift import lift

FEWEST_PHOTOS = 2
HELD_LOOKS = 16  # of as many pixels as so many looks photos are kept, where a look's size is given
DARKENING_STOPS = (-5.0, -1.0)  # how far well-lit photos are darkened, which are to serve as low ones
BALANCE_STOPS = 0.15
HELD_BYTES = 3 * 2**30  # decoded photos kept in memory, over both folders


class Sample(NamedTuple):
    """What one step needs, an image each or a batch of them.

    `low`, `lifted`, `normal` and `kept` are float32 (3, crop, crop) in [0, 1]; `lifted` is what
    `lift` makes of the low photo, where that is asked for, or black, and `kept` the normal
    photo, lifted by the part of it that well-lit photos get; `dimming` is the factor that the
    low crop is divided by before the generator sees it; `corners` (patches, 2) are the patches'
    top left.
    """

    low: Tensor
    lifted: Tensor
    normal: Tensor
    kept: Tensor
    dimming: Tensor
    corners: Tensor


class UnpairedPhotos(Dataset[Sample]):
    """Samples by image number; each is a function of the seed and that number alone.

    Parameters
    ----------
    config : TrainConfig

    Raises
    ------
    UsageError
        If both folders are the same, or one is none.
    TrainingError
        If a folder has too few photos, or one cannot be read.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        if Path(config.low).resolve() == Path(config.normal).resolve():
            raise UsageError(f"{config.low}: one folder cannot be both low and normal light")
        self.low, self.normal = _HeldPhotos(Path(config.low), config), _HeldPhotos(Path(config.normal), config)
        held = HELD_BYTES
        for photos in (self.low, self.normal):
            held -= photos.hold(held)

    def __len__(self) -> int:
        """Return the number of images in the run."""
        return self.config.images

    def __getitem__(self, number: int) -> Sample:
        """Return the sample of one image number."""
        config = self.config
        random = np.random.default_rng([config.seed, number])
        darkened = random.random() < config.darkened_probability
        low = _view(_any_of(self.normal if darkened else self.low, random), config, random)
        if darkened or config.exposure_stops:
            stops = random.uniform(*DARKENING_STOPS) if darkened else random.uniform(-1, 1) * config.exposure_stops
            low = exposed(low, stops, random.uniform(-BALANCE_STOPS, BALANCE_STOPS, 3))
        normal = _view(_any_of(self.normal, random), config, random)
        dimmed = random.random() < config.dim_probability
        factor = random.uniform(config.dim_min, config.dim_max) if dimmed else 1.0
        corners = random.integers(config.crop_px - config.patch_px + 1, size=(config.patches, 2))
        return Sample(
            *_crops(low, _lifted(low, 1.0) if config.teaches_lift else np.zeros_like(low), config, random),
            *_crops(normal, _lifted(normal, config.well_lit_lift), config, random),
            torch.tensor(factor, dtype=torch.float32),
            torch.from_numpy(corners),
        )


class _HeldPhotos:
    """The photos of a folder, decoded, (H, W, 3); kept where they fit."""

    def __init__(self, folder: Path, config: TrainConfig) -> None:
        self.config = config
        self.paths = find_photos(folder)
        self.kept: dict[int, NDArray[np.uint8]] = {}
        if len(self.paths) < FEWEST_PHOTOS:
            raise TrainingError(f"{folder}: {len(self.paths)} photos; at least {FEWEST_PHOTOS} are needed")

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        return self.kept[index] if index in self.kept else self._decode(index)

    def _decode(self, index: int) -> NDArray[np.uint8]:
        path = self.paths[index]
        try:
            pixels = photo.as_srgb(photo.decode(path))
        except EnlightenError as error:
            raise TrainingError(f"{path}: {error}") from error
        return _resized(pixels, self.config)

    def hold(self, budget_bytes: int) -> int:
        """Decode every photo once, so that a bad one is found now; keep what fits."""
        used = 0
        for index in range(len(self)):
            pixels = self._decode(index)
            if used + pixels.nbytes <= budget_bytes:
                self.kept[index] = pixels
                used += pixels.nbytes
        return used


def _resized(pixels: NDArray[np.uint8], config: TrainConfig) -> NDArray[np.uint8]:
    """Reduce what is far larger than the model will see; enlarge what is too small for a crop."""
    height, width = pixels.shape[:2]
    enough = (HELD_LOOKS * config.look_pixels / (height * width)) ** 0.5 if config.look_pixels else 1.0
    factor = max(min(1.0, enough), config.crop_px / min(height, width))
    if factor == 1:
        return pixels
    size = tuple(max(config.crop_px, round(length * factor)) for length in (width, height))
    how = Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(pixels).resize(size, how))


def _any_of(photos: _HeldPhotos, random: np.random.Generator) -> NDArray[np.uint8]:
    return photos[int(random.integers(len(photos)))]


def _view(pixels: NDArray[np.uint8], config: TrainConfig, random: np.random.Generator) -> Rgb:
    """Return a random frame of a photo as if it were the whole, reduced by a random factor: (h, w, 3) in [0, 1]."""
    whole = pixels.shape[:2]
    part = random.uniform(config.frame_min, 1)
    height, width = (max(config.crop_px, round(length * part)) for length in whole)
    top, left = (int(random.integers(length - side + 1)) for length, side in zip(whole, (height, width), strict=True))
    to_look = max(1.0, (height * width / config.look_pixels) ** 0.5) if config.look_pixels else 1.0
    most = min(to_look * config.reduce_max, min(height, width) / config.crop_px)
    least = min(max(1.0, to_look * config.reduce_min), most)
    seen = height * width / random.uniform(least, most) ** 2
    # As it will be in use.
    return look(pixels[top : top + height, left : left + width], as_rgb, seen)


def _lifted(rgb: Rgb, part: float) -> Rgb:
    if not part:
        return rgb
    chw = torch.from_numpy(rgb.transpose(2, 0, 1))
    return np.asarray(torch.lerp(chw, lift(chw), part).permute(1, 2, 0).numpy())


def _crops(view: Rgb, taught: Rgb, config: TrainConfig, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Cut the same random crop from both, (3, crop, crop), flipped at random."""
    top, left = (int(random.integers(length - config.crop_px + 1)) for length in view.shape[:2])
    steps = [int(random.choice([-1, 1])) for _ in "yx"]
    crops = [
        rgb[top : top + config.crop_px, left : left + config.crop_px][:: steps[0], :: steps[1]]
        for rgb in (view, taught)
    ]
    low, lifted = (torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1))) for crop in crops)
    return low, lifted


def batches(photos: UnpairedPhotos, first: int, workers: int, group: Group = ALONE) -> Iterator[Sample]:
    """Yield this process's parts of the run's batches from image number `first` on, the same for any `workers`.

    Several processes need parts of one size, so with them the last batch is whole, and may end after
    the run's last image.
    """
    part = photos.config.batch // group.size
    starts = range(first, len(photos), photos.config.batch)
    numbers: Sequence[int] = range(first, len(photos))
    if group.size > 1:
        numbers = [start + group.rank * part + place for start in starts for place in range(part)]
    loader = DataLoader(
        photos,
        batch_size=part,
        sampler=numbers,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        # Forked workers share the held photos' memory with this process.
        multiprocessing_context="fork" if workers else None,
        worker_init_fn=_leave_signals,
        pin_memory=torch.cuda.is_available(),
    )
    return cast("Iterator[Sample]", iter(loader))


def _leave_signals(worker: int) -> None:
    """Leave Ctrl-C to the main process, and let it end the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
