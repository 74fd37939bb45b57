"""Results at full size, by the same code as batches: into a folder, as downloads, or as one archive."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from enlighten_cli.batch.conflict import Conflict, renamed
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.memory import MemoryBudget
from enlighten_cli.batch.outcome import Outcome, Status
from enlighten_cli.batch.photo_work import BatchOptions
from enlighten_cli.batch.runner import run_batch
from enlighten_cli.enhancement.encoded import Treatment
from enlighten_cli.photo import Limits
from enlighten_cli.serve.gallery import Shown
from enlighten_cli.serve.networks import Networks
from enlighten_cli.serve.problems import as_text
from enlighten_cli.serve.request_options import RequestOptions
from enlighten_cli.serve.trials import Trials
from enlighten_cli.serve.work import Deadline, Stop, StoppedError
from enlighten_cli.stores.address import as_file

TELL_SECONDS = 0.25  # between two reports of progress

Event = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """A photo to save, and its settings."""

    photo: Shown
    options: RequestOptions


class Saver:
    """Enhances photos at full size, exactly as the command line does.

    Parameters
    ----------
    networks : Networks
    limits : Limits
    budget : MemoryBudget
        Shared with all other work of the server.
    memory_bytes : int or None
        Memory that the network may use.
    trials : Trials
    seconds : float
        Time in which a photo must be decoded.
    """

    def __init__(
        self,
        networks: Networks,
        limits: Limits,
        budget: MemoryBudget,
        memory_bytes: int | None,
        trials: Trials,
        seconds: float,
    ) -> None:
        self._networks, self._limits, self._budget = networks, limits, budget
        self._memory_bytes = memory_bytes
        self._trials, self._seconds = trials, seconds
        self._written: set[Path] = set()

    def into_folder(
        self, wanted: list[Wanted], conflict: Conflict, inputs: set[Path], tell: Callable[[Event], None], stop: Stop
    ) -> None:
        """Write results into the folder that the server was started with.

        An upload may be a copy of a file in that folder. So the result of an upload replaces only files that
        this server wrote, whatever `conflict` says.

        Parameters
        ----------
        wanted : list of Wanted
        conflict : Conflict
        inputs : set of Path
            Files that are never overwritten.
        tell : callable
            Receives the events.
        stop : Stop
        """

        def plan(each: Wanted) -> tuple[Job, Conflict]:
            job = each.photo.job
            output = as_file(job.output).resolve()
            is_ours = output in self._written
            if not each.photo.is_upload or (is_ours and conflict is not Conflict.SKIP):
                return job, conflict
            if output in inputs:
                free = renamed(job.output, lambda path: as_file(path).exists() or as_file(path).resolve() in inputs)
                job = dataclasses.replace(job, output=free)
            return job, Conflict.RENAME if conflict is Conflict.OVERWRITE else conflict

        for each, outcome in self._outcomes(wanted, plan, tell, stop):
            if outcome.status is Status.DONE:
                self._written.add(as_file(outcome.output).resolve())
            tell(_event(each, outcome))

    def into_files(
        self, wanted: list[Wanted], folder: Path, tell: Callable[[Event], None], stop: Stop
    ) -> Iterator[tuple[Event, Outcome]]:
        """Write results into a temporary folder, from which they are sent.

        Yields
        ------
        event, outcome
            The event for the page, and the outcome with the result's file.
        """
        numbers = itertools.count()

        def plan(each: Wanted) -> tuple[Job, Conflict]:
            output = folder / str(next(numbers)) / each.photo.job.output.name
            return dataclasses.replace(each.photo.job, output=output), Conflict.SKIP

        for each, outcome in self._outcomes(wanted, plan, tell, stop):
            yield _event(each, outcome), outcome

    def as_archive(
        self,
        wanted: list[Wanted],
        folder: Path,
        give: Callable[[bytes], None],
        tell: Callable[[Event], None],
        stop: Stop,
    ) -> None:
        """Send a ZIP archive while its photos are enhanced; failed ones are left out.

        Photos are stored without further compression: they are compressed already.
        """
        names: set[str] = set()
        by_id = {each.photo.id: each.photo for each in wanted}
        try:
            with zipfile.ZipFile(cast("BinaryIO", _Outlet(give)), "w", zipfile.ZIP_STORED) as archive:
                for event, outcome in self.into_files(wanted, folder, tell, stop):
                    if outcome.status is Status.DONE:
                        name = _unused(by_id[event["photo"]].result_name, names)
                        with as_file(outcome.output).open("rb") as source, archive.open(_entry(name), "w") as entry:
                            shutil.copyfileobj(source, entry, 1 << 20)
                        as_file(outcome.output).unlink()
                    tell(event)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _outcomes(
        self,
        wanted: list[Wanted],
        plan: Callable[[Wanted], tuple[Job, Conflict]],
        tell: Callable[[Event], None],
        stop: Stop,
    ) -> Iterator[tuple[Wanted, Outcome]]:
        """Run a batch for each group of consecutive photos with the same settings."""
        planned = [(each, *plan(each)) for each in wanted]
        for (requested, conflict), group in itertools.groupby(planned, lambda row: (row[0].options, row[2])):
            rows = list(group)
            by_source = {as_file(job.source): each for each, job, _ in rows}
            progress = _Progress(by_source, tell)
            options = BatchOptions(
                Treatment(requested.options(memory_bytes=self._memory_bytes), self._limits), conflict=conflict
            )
            network = self._networks.network(requested.model)
            endless: list[Job] = []
            jobs = self._tried((job for _, job, _ in rows), endless, stop)
            for outcome in run_batch(jobs, network, options, progress, stop.is_set, budget=self._budget):
                yield by_source[as_file(outcome.source)], outcome
            for job in endless:
                reason = f"decoding took longer than {self._seconds:g} s (--seconds)"
                yield by_source[as_file(job.source)], Outcome(job.source, job.output, Status.FAILED, reason)
            if stop.is_set():
                raise StoppedError

    def _tried(self, jobs: Iterable[Job], endless: list[Job], stop: Stop) -> Iterator[Job]:
        """Yield the jobs whose photos can be decoded in time; collect the others."""
        for job in jobs:
            late = Deadline(self._seconds)
            try:
                self._trials.decode(as_file(job.source), self._limits, Stop(stop, late))
            except StoppedError:
                if stop.is_set():
                    return
                endless.append(job)
                continue
            yield job


class _Progress:
    """Reports the progress of photos, at most once in `TELL_SECONDS`."""

    def __init__(self, by_source: dict[Path, Wanted], tell: Callable[[Event], None]) -> None:
        self._by_source, self._tell, self._told = by_source, tell, 0.0

    def __call__(self, job: Job, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told >= TELL_SECONDS and done < total:
            self._told = now
            with suppress(StoppedError):
                self._tell({"photo": self._by_source[as_file(job.source)].photo.id, "done": done, "total": total})


class _Outlet:
    """A write-only file that sends its bytes at once."""

    def __init__(self, give: Callable[[bytes], None]) -> None:
        self._give = give

    def write(self, content: bytes) -> int:
        self._give(bytes(content))
        return len(content)

    def flush(self) -> None:
        """Do nothing: no bytes are held back."""


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, time.localtime()[:6])
    entry.external_attr = 0o644 << 16
    return entry


def _unused(name: str, taken: set[str]) -> str:
    path, number = PurePosixPath(name), 1
    while name.lower() in taken:
        name, number = str(path.with_name(f"{path.stem}-{number}{path.suffix}")), number + 1
    taken.add(name.lower())
    return name


def _event(each: Wanted, outcome: Outcome) -> Event:
    return {
        "photo": each.photo.id,
        "status": outcome.status.value,
        "reason": outcome.reason,
        "notes": list(outcome.notes),
        "name": as_text(outcome.output.name),
        "seconds": round(outcome.seconds, 2),
    }
