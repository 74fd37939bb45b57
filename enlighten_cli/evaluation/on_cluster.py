"""Evaluate on the workers of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from enlighten_cli.batch.photo_work import AT_ONCE, DroppedError
from enlighten_cli.cluster.needs import needs_of
from enlighten_cli.cluster.sent_model import SentModel
from enlighten_cli.cluster.shared_files import SharedFiles
from enlighten_cli.cluster.versions import versions
from enlighten_cli.cluster.worker import OpenedModel, WorkerSpec
from enlighten_cli.cluster.worker_pool import MOST_DEATHS, WorkerPool
from enlighten_cli.enhancement.enhance import Options
from enlighten_cli.errors import PhotoError
from enlighten_cli.evaluation.runner import (
    Candidate,
    Failed,
    Measured,
    PhotoSet,
    Task,
    by_network,
    enhanced_by,
    in_order,
    scored_of,
    tasks_of,
)
from enlighten_cli.evaluation.tables import Scores
from enlighten_cli.models.device import Device
from enlighten_cli.models.network import NamedNetwork
from enlighten_cli.photo import Pixels

Unopened: TypeAlias = tuple[SentModel, Options]


class ClusterEvaluation:
    """Workers that enhance and score photos.

    Parameters
    ----------
    ray : module
        Connected.
    candidates : sequence of Candidate or Unopened
        Models are opened by the workers.
    files : SharedFiles
    device : Device
    threads : int or None
        Cores of a worker.
    scored : bool
        Whether to measure anything.
    optional : collection of str
        Names of optional metrics to measure too.
    keeps_pixels : bool
        Whether the photos are sent back, for `see` of `run`.
    stopping : callable
        Once it returns true, the workers stop.

    Attributes
    ----------
    models : tuple of OpenedModel
        In the order of the candidates.
    """

    def __init__(
        self,
        ray: Any,
        candidates: Sequence[Candidate | Unopened],
        files: SharedFiles,
        *,
        device: Device,
        threads: int | None,
        scored: bool,
        optional: Collection[str],
        keeps_pixels: bool,
        stopping: Callable[[], bool],
    ) -> None:
        needs = needs_of(ray, device, threads)
        models = tuple(each[0] for each in candidates if isinstance(each, tuple))
        rows = [each[1] if isinstance(each, tuple) else each for each in candidates]
        make_work = partial(_RemoteScores, rows, optional if scored else None, keeps_pixels)
        spec = WorkerSpec(models, make_work, files, versions(), needs.cores, device)
        self._pool = WorkerPool(
            ray,
            spec,
            needs,
            at_once=AT_ONCE,
            stopping=stopping,
            died=lambda task: None,
            lost=_lost,
            dropped=DroppedError,
        )
        self.models: tuple[OpenedModel, ...]
        try:
            self.models = self._pool.models()
        except BaseException:
            self._pool.close()
            raise

    def run(
        self,
        sets: Sequence[PhotoSet],
        names: Sequence[str],
        see: Callable[[Scores, Pixels, Pixels], None],
        failed: Failed | None = None,
    ) -> Iterator[Scores]:
        """Enhance and score the photos; see `evaluate`.

        Parameters
        ----------
        sets : sequence of PhotoSet
        names : sequence of str
            Of the candidates.
        see : callable
        failed : callable, optional
        """
        numbers = {name: number for number, name in enumerate(names)}

        def submit(task: Task) -> Future[Measured]:
            return self._pool.submit((task, numbers[task.method]))

        with suppress(DroppedError):  # the caller stopped it
            yield from in_order(tasks_of(sets, names), submit, see, self._pool.in_flight, failed)

    def close(self) -> None:
        """End the workers."""
        self._pool.close()


def _lost(task: tuple[Task, int]) -> Measured:
    raise PhotoError(f"{task[0].path}: {MOST_DEATHS} workers died while they enhanced it")


class _RemoteScores:
    """A worker's part of an evaluation."""

    def __init__(
        self,
        rows: Sequence[Candidate | Options],
        optional: Collection[str] | None,
        keeps_pixels: bool,
        networks: Sequence[NamedNetwork],
        part_of_machine: float,
    ) -> None:
        opened = iter(networks)
        self._candidates = [row if isinstance(row, Candidate) else by_network(next(opened), row) for row in rows]
        self._optional, self._keeps_pixels = optional, keeps_pixels

    def __call__(self, task: tuple[Task, int], *, again: bool) -> Measured:
        each, number = task
        enhanced = enhanced_by(self._candidates[number], each)
        return scored_of(each, enhanced, self._optional, keeps_pixels=self._keeps_pixels)

    def stop(self) -> None:
        """Do nothing: the worker is ended, and nothing is half-written."""
