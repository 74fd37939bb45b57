"""Crops of low-light and of normal-light photos that have nothing to do with each other."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from enlighten_cli.errors import UsageError
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.cropping import View, crops
from enlighten_cli.training.data.photo_cache import HeldPhotos
from enlighten_cli.training.distributed import ALONE, Group

WELL_LIT_PART = 4  # of a batch of low crops, so many normal ones are taught
DARKENING_STOPS = (-5.0, -1.0)  # how far well-lit photos are darkened, which are to serve as low ones
BALANCE_STOPS = 0.15
FINE_OF_LOW = 0.5  # part of the fine crops
SAMPLES_AHEAD = 2
HELD_BYTES = 3 * 2**30  # decoded photos kept in memory, over both folders


class Sample(NamedTuple):
    """What one step needs: crops, float32 (N, 3, crop_px, crop_px) in [0, 1], and figures for them.

    `low` and `normal` are of unpaired photos. `lifted` is what `lift` makes of the low ones; `kept` what the generator
    is to make of the first of the normal ones: themselves, or a part of what `lift` makes of them. `fine` are
    unreduced crops of some photos, low or normal, whose detail is to be kept. What a step has no use for is left
    out: normal crops that are not taught from the lessons alone, and `lifted`, `kept` and `fine` where there is
    no such lesson. `dimming` (N,) is the factor that a low crop is divided by before the generator sees it;
    `corners` (N, patches, 2) are the top left of patches, on the CPU.
    """

    low: Tensor
    lifted: Tensor
    normal: Tensor
    kept: Tensor
    fine: Tensor
    dimming: Tensor
    corners: Tensor


@dataclass(frozen=True)
class Draw:
    """What chance decides about one image of a run, a function of the seed and the image's number alone.

    The low photo is one of the normal ones where it is `darkened`; by `stops` (3,) it is exposed anew. The fine crop is
    of the low photo, or of the normal one.
    """

    darkened: bool
    low: int
    low_view: View
    stops: NDArray[np.float64]
    normal: int
    normal_view: View
    fine_of_low: bool
    fine_view: View
    dimming: float
    corners: NDArray[np.int64]


class UnpairedPhotos(Dataset[Sample]):
    """Samples by the numbers of a batch's images.

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
        self.low = HeldPhotos(Path(config.low), config, HELD_BYTES)
        self.normal = HeldPhotos(Path(config.normal), config, HELD_BYTES - self.low.held_bytes)

    def __len__(self) -> int:
        """Return the number of images in the run."""
        return self.config.images

    @property
    def device(self) -> torch.device:
        """Where samples are made."""
        return self.normal.device

    def move_to(self, device: torch.device) -> bool:
        """Hold the photos on a device, so that samples are made there; false if it has no room for all of them."""
        both = (self.low, self.normal)
        room = torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else HELD_BYTES
        if not all(photos.complete for photos in both) or sum(photos.held_bytes for photos in both) > room:
            return False
        for photos in both:
            photos.move_to(device)
        return True

    def draw(self, number: int) -> Draw:
        """Decide about one image."""
        config = self.config
        random = np.random.default_rng([config.seed, number])
        darkened = bool(random.random() < config.darkened_probability)
        stops = random.uniform(*DARKENING_STOPS) if darkened else random.uniform(-1, 1) * config.exposure_stops
        balance = random.uniform(-BALANCE_STOPS, BALANCE_STOPS, 3) * (stops != 0)
        low, normal = (int(random.integers(len(photos))) for photos in (self._low(darkened), self.normal))
        low_size, normal_size = self._low(darkened).size(low), self.normal.size(normal)
        fine_of_low = bool(random.random() < FINE_OF_LOW)
        dimmed = random.random() < config.dim_probability
        return Draw(
            darkened=darkened,
            low=low,
            low_view=View.drawn(low_size, config, random),
            stops=stops + balance,
            normal=normal,
            normal_view=View.drawn(normal_size, config, random),
            fine_of_low=fine_of_low,
            fine_view=View.drawn_unreduced(low_size if fine_of_low else normal_size, config, random),
            dimming=random.uniform(config.dim_min, config.dim_max) if dimmed else 1.0,
            corners=random.integers(config.crop_px - config.patch_px + 1, size=(config.patches, 2)),
        )

    def _low(self, darkened: bool) -> HeldPhotos:
        return self.normal if darkened else self.low

    def __getitem__(self, numbers: Sequence[int]) -> Sample:
        """Return the samples of some images of one batch, on the device that holds the photos."""
        config = self.config
        draws = [self.draw(number) for number in numbers]
        warms_up = config.warms_up(numbers[0] // config.batch * config.batch)
        lifts, keeps = warms_up or config.lift_weight > 0, warms_up or config.well_lit_weight > 0
        taught = max(1, len(draws) // WELL_LIT_PART)

        dark = [self._low(draw.darkened)[draw.low] for draw in draws]
        bright = [self.normal[draw.normal] for draw in (draws[:taught] if warms_up else draws)]
        stops = np.stack([draw.stops for draw in draws])
        low, lifted = crops(dark, [draw.low_view for draw in draws], 1.0 if lifts else 0.0, stops)
        views = [draw.normal_view for draw in draws]
        normal, kept = crops(bright[:taught], views[:taught], config.well_lit_lift if keeps else 0.0)
        if not warms_up and len(draws) > taught:
            normal = torch.cat([normal, crops(bright[taught:], views[taught:])[0]])
        fine = _none_of(low)
        if config.kept_detail_weight:
            of_low = np.array([draw.fine_of_low for draw in draws])[:, None]
            photos = [dark[place] if of_low[place] else bright[place] for place in range(taught)]
            fine, _ = crops(photos, [draw.fine_view for draw in draws[:taught]], stops=(stops * of_low)[:taught])
        return Sample(
            low,
            lifted if lifts else _none_of(lifted),
            normal,
            kept if keeps else _none_of(kept),
            fine,
            torch.tensor([draw.dimming for draw in draws], dtype=torch.float32),
            torch.from_numpy(np.stack([draw.corners for draw in draws])),
        )


def _none_of(crops: Tensor) -> Tensor:
    return crops.new_empty((0, *crops.shape[1:]))


def batches(photos: UnpairedPhotos, first: int, workers: int, group: Group = ALONE) -> Iterator[Sample]:
    """Yield this process's parts of the run's batches from image number `first` on.

    They are the same for any number of workers, and on a GPU but for rounding.

    Without workers a thread makes each sample while the step before it is computed: on a GPU, where
    photos are held there. Several processes need parts of one size, so with them the last batch is
    whole, and may end after the run's last image.
    """
    size = photos.config.batch
    part = size // group.size
    starts = range(first, len(photos), size)
    numbers: list[Sequence[int]] = [range(start, min(start + size, len(photos))) for start in starts]
    if group.size > 1:
        numbers = [range(start + group.rank * part, start + (group.rank + 1) * part) for start in starts]
    return _made_by_workers(photos, numbers, workers) if workers else _made_ahead(photos, numbers)


def _made_ahead(photos: UnpairedPhotos, numbers: Sequence[Sequence[int]]) -> Iterator[Sample]:
    ahead: deque[Future[Sample]] = deque()
    with ThreadPoolExecutor(1, "samples") as thread:
        for wanted in numbers:
            ahead.append(thread.submit(photos.__getitem__, wanted))
            if len(ahead) > SAMPLES_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _made_by_workers(photos: UnpairedPhotos, numbers: Sequence[Sequence[int]], workers: int) -> Iterator[Sample]:
    loader = DataLoader(
        photos,
        batch_size=None,
        sampler=cast("Sampler[int]", numbers),
        num_workers=workers,
        prefetch_factor=4,
        # Forked workers share the held photos' memory with this process.
        multiprocessing_context="fork",
        worker_init_fn=_leave_signals,
        pin_memory=torch.cuda.is_available(),
    )
    return iter(loader)


def _leave_signals(worker: int) -> None:
    """Leave Ctrl-C to the main process, and let it end the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
