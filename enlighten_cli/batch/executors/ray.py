"""Photos worked on by workers on a Ray cluster."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.outcome import Outcome, Status
from enlighten_cli.batch.photo_work import BatchOptions, DroppedError, Examine, PhotoWork
from enlighten_cli.cluster.needs import needs_of
from enlighten_cli.cluster.sent_model import SentModel
from enlighten_cli.cluster.shared_files import SharedFiles
from enlighten_cli.cluster.versions import versions
from enlighten_cli.cluster.worker import OpenedModel, WorkerSpec
from enlighten_cli.cluster.worker_pool import MOST_DEATHS, WorkerPool
from enlighten_cli.errors import EnlightenError, PhotoError
from enlighten_cli.models.device import Device
from enlighten_cli.models.network import NamedNetwork
from enlighten_cli.stores.address import Place
from enlighten_cli.temporaries import remove_stale_temporaries

LOCKS_END_SECONDS = 0.2  # after a process was killed
MakeExamine = Callable[[str, int], Examine]


class RayExecutor:
    """An `Executor` on a Ray cluster. Each worker holds one session of the model.

    Parameters
    ----------
    ray : module
        Connected.
    model : SentModel
    options : BatchOptions
        Of each worker; its memory is that of one worker.
    files : SharedFiles
    device : Device
    threads : int or None
        Cores of a worker.
    tell : callable
        Called once for each photo, when it is done; tiles are not told.
    stopping : callable
    make_examine : callable, optional
        Given the model's name and the number of workers, returns what each worker calls with the photos that it wrote;
        see `PhotoWork`. It is pickled.

    Attributes
    ----------
    in_flight : int
        Photos handed over and not yet taken back; they bound the memory.
    network : OpenedModel

    Raises
    ------
    EnlightenError
        If no worker can be started.
    """

    def __init__(
        self,
        ray: Any,
        model: SentModel,
        options: BatchOptions,
        files: SharedFiles,
        *,
        device: Device,
        threads: int | None = None,
        tell: Callable[[Job, int, int], None] = lambda job, done, total: None,
        stopping: Callable[[], bool] = lambda: False,
        make_examine: MakeExamine | None = None,
    ) -> None:
        self._tell = tell
        self._left: set[Path] = set()
        needs = needs_of(ray, device, threads)
        workers = max(1, needs.fitting(ray.nodes()))
        make_work = partial(_RemotePhotos, options, make_examine, workers)
        spec = WorkerSpec((model,), make_work, files, versions(), needs.cores, device)
        self._pool = WorkerPool(
            ray,
            spec,
            needs,
            at_once=options.at_once,
            stopping=stopping,
            died=self._note_temporaries,
            lost=_lost,
            dropped=DroppedError,
        )
        self.in_flight = self._pool.in_flight
        try:
            self.network: OpenedModel = self._pool.models()[0]
        except BaseException:
            self._pool.close()
            raise

    def submit(self, job: Job, output: Place) -> Future[Outcome]:
        """Hand a photo to the cluster."""
        future = self._pool.submit((job, output))
        future.add_done_callback(lambda done: self._tell(job, 1, 1))
        return future

    def close(self) -> None:
        """Drop the photos in work, end the workers, and remove the temporary files of those that were killed."""
        self._pool.close()
        if self._left:
            time.sleep(LOCKS_END_SECONDS)
        for folder in self._left:
            remove_stale_temporaries(folder)

    def _note_temporaries(self, task: tuple[Job, Place]) -> None:
        folder = task[0].output.parent
        if isinstance(folder, Path):
            self._left.add(folder)


def _lost(task: tuple[Job, Place]) -> Outcome:
    job, _ = task
    reason = f"{MOST_DEATHS} workers died while they enhanced it; maybe it needs more memory than their machines have"
    return Outcome(job.source, job.output, Status.FAILED, reason, error=PhotoError(reason))


class _RemotePhotos:
    """A worker's photos."""

    def __init__(
        self,
        options: BatchOptions,
        make_examine: MakeExamine | None,
        workers: int,
        networks: Sequence[NamedNetwork],
        part_of_machine: float,
    ) -> None:
        (network,) = networks
        examine = make_examine(network.name, workers) if make_examine else None
        self._work = PhotoWork(network, options, examine=examine, part_of_machine=part_of_machine)

    def __call__(self, task: tuple[Job, Place], *, again: bool) -> Outcome:
        job, output = task
        outcome = self._work.run(job, output, again=again)
        if isinstance(outcome.error, EnlightenError):
            return outcome
        return dataclasses.replace(outcome, error=None)  # an error of another library may not survive pickling

    def stop(self) -> None:
        self._work.abandoned.set()
