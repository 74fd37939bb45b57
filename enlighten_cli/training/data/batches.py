"""The batches of a run, prepared ahead of the training steps."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.distributed import ONE_PROCESS, Group

SAMPLES_AHEAD = 2


class Batch(Protocol):
    """A named tuple of tensors.

    Attributes
    ----------
    numbers : Tensor, shape (N,)
        Numbers of the images in the run, on the CPU.
    """

    @property
    def numbers(self) -> Tensor: ...  # noqa: D102


class Samples(Protocol):
    """The training data of an objective. Each image depends only on the run's seed and the image's number."""

    def __getitem__(self, numbers: Sequence[int], /) -> Batch:
        """Return some images of one batch."""
        ...


def batches(
    samples: Samples, config: TrainConfig, first: int, until: int, workers: int, group: Group = ONE_PROCESS
) -> Iterator[Any]:
    """Yield this process's parts of the batches whose first image has a number from `first` to below `until`.

    They are the same for any number of workers, and the same on a GPU except for rounding.

    Without workers, a thread prepares each batch during the step before it: on the GPU, if the photos are
    there. Several processes need parts of equal size, so with them the last batch is complete, and may
    extend beyond the run's last image.
    """
    size = config.batch
    part = size // group.size
    starts = range(first, until, size)
    numbers: list[Sequence[int]] = [range(start, min(start + size, config.images)) for start in starts]
    if group.size > 1:
        numbers = [range(start + group.rank * part, start + (group.rank + 1) * part) for start in starts]
    return _made_by_workers(samples, numbers, workers) if workers else _made_ahead(samples, numbers)


def _made_ahead(samples: Samples, numbers: Sequence[Sequence[int]]) -> Iterator[Batch]:
    ahead: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(1, "samples") as thread:
        for wanted in numbers:
            ahead.append(thread.submit(samples.__getitem__, wanted))
            if len(ahead) > SAMPLES_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _made_by_workers(samples: Samples, numbers: Sequence[Sequence[int]], workers: int) -> Iterator[Batch]:
    loader = DataLoader(
        cast("Dataset[Batch]", samples),
        batch_size=None,
        sampler=cast("Sampler[int]", numbers),
        num_workers=workers,
        prefetch_factor=4,
        # Forked workers share the memory of the cached photos with this process.
        multiprocessing_context="fork" if can_fork() else None,
        worker_init_fn=_leave_signals,
        pin_memory=torch.cuda.is_available(),
    )
    return iter(loader)


def can_fork() -> bool:
    """Tell whether workers can be forked, to share the held photos' memory; otherwise each has a copy."""
    return sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods()


def _leave_signals(worker: int) -> None:
    """Ignore Ctrl-C in workers: the main process handles it, and ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
