"""The batches of a run, made ahead of the steps that learn from them."""

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
from enlighten_cli.training.distributed import ALONE, Group

SAMPLES_AHEAD = 2


class Batch(Protocol):
    """A named tuple of tensors.

    Attributes
    ----------
    numbers : Tensor, shape (N,)
        Of the images in the run, on the CPU.
    """

    @property
    def numbers(self) -> Tensor: ...  # noqa: D102


class Samples(Protocol):
    """What an objective learns from. Each image is a function of the run's seed and the image's number alone."""

    def __getitem__(self, numbers: Sequence[int], /) -> Batch:
        """Return some images of one batch."""
        ...


def batches(
    samples: Samples, config: TrainConfig, first: int, until: int, workers: int, group: Group = ALONE
) -> Iterator[Any]:
    """Yield this process's parts of the batches that begin with image number `first` up to before `until`.

    They are the same for any number of workers, and on a GPU but for rounding.

    Without workers a thread makes each batch while the step before it is computed: on a GPU, where
    photos are held there. Several processes need parts of one size, so with them the last batch is
    whole, and may end after the run's last image.
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
        multiprocessing_context="fork" if can_fork() else None,
        worker_init_fn=_leave_signals,
        pin_memory=torch.cuda.is_available(),
    )
    return iter(loader)


def can_fork() -> bool:
    """Tell whether workers can be forked, to share the held photos' memory; otherwise each has a copy."""
    return sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods()


def _leave_signals(worker: int) -> None:
    """Leave Ctrl-C to the main process, and let it end the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
