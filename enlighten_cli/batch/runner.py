"""Run the jobs of a batch on an executor; a photo that fails does not stop the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path

from enlighten_cli.batch.conflict import Conflict, renamed
from enlighten_cli.batch.executors import Executor
from enlighten_cli.batch.executors.local import LocalExecutor
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.memory import MemoryBudget
from enlighten_cli.batch.outcome import EXISTS, Outcome, Status
from enlighten_cli.batch.paths import Taken
from enlighten_cli.batch.photo_work import BatchOptions, DroppedError, Examine, PhotoWork
from enlighten_cli.errors import EnlightenError, OutputError, PhotoError
from enlighten_cli.models.network import Network
from enlighten_cli.stores.address import Place
from enlighten_cli.temporaries import remove_stale_temporaries


def run_batch(
    jobs: Iterable[Job],
    network: Network,
    options: BatchOptions,
    tell: Callable[[Job, int, int], None] = lambda job, done, total: None,
    stopping: Callable[[], bool] = lambda: False,
    examine: Examine | None = None,
    budget: MemoryBudget | None = None,
) -> Iterator[Outcome]:
    """Enhance photos in this process, a few at once; see `run_jobs`.

    Parameters
    ----------
    jobs : iterable of Job
    network, options, tell, stopping, examine, budget
        See `PhotoWork`.
    """
    work = PhotoWork(network, options, tell, stopping, examine, budget)
    return run_jobs(jobs, LocalExecutor(work, options.at_once), options, stopping)


def run_jobs(
    jobs: Iterable[Job],
    executor: Executor,
    options: BatchOptions,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[Outcome]:
    """Enhance photos on an executor, and close it; one that fails does not stop the others.

    Parameters
    ----------
    jobs : iterable of Job
        Taken lazily, so that only the photos in work are in memory.
    executor : Executor
    options : BatchOptions
    stopping : callable
        Once it returns true, no photo is begun.

    Yields
    ------
    Outcome
        In the order of the jobs.

    Raises
    ------
    OutputError
        If a result cannot be written for a reason that holds for all, such as a full disk.
    """
    names = _Names(options)
    pending: deque[Future[Outcome]] = deque()
    try:
        for job in jobs:
            if stopping():
                break
            output = names.prepared_output(job)
            pending.append(names.settled(job) or executor.submit(job, output))
            if len(pending) > executor.in_flight:
                yield from _finished(pending.popleft())
        while pending:
            yield from _finished(pending.popleft())
    finally:
        executor.close()


def _finished(future: Future[Outcome]) -> Iterator[Outcome]:
    try:
        yield future.result()
    except DroppedError:
        return


class _Names:
    """The names of the results of one batch: which exist, and which are chosen."""

    def __init__(self, options: BatchOptions) -> None:
        self._conflict = options.conflict
        self._cleaned: set[Path] = set()
        self._claimed: set[Place] = set()
        self._taken = Taken()

    def prepared_output(self, job: Job) -> Place:
        """Remove temporary files of a killed run from the result's folder, and choose the result's name."""
        folder = job.output.parent
        if isinstance(folder, Path) and folder not in self._cleaned:
            remove_stale_temporaries(folder)
            self._cleaned.add(folder)
        output = job.output
        if self._conflict is Conflict.RENAME:
            try:
                if self._taken(output) or output in self._claimed:
                    output = renamed(output, lambda path: self._taken(path) or path in self._claimed)
            except PhotoError:
                return output  # the job will report it
            self._claimed.add(output)
        return output

    def settled(self, job: Job) -> Future[Outcome] | None:
        """Return the outcome of a photo whose result exists, or would replace an input.

        A thread for each that is skipped would take most of a second run. And workers elsewhere do not know the inputs.
        """
        outcome: Future[Outcome] = Future()
        try:
            if self._conflict is Conflict.OVERWRITE and isinstance(job.output, Path):
                job.originals.check(job.output)
        except PhotoError as error:
            outcome.set_result(Outcome(job.source, job.output, Status.FAILED, str(error), error=error))
            return outcome
        try:
            if not (self._conflict.leaves_old and self._taken(job.output)):
                return None
        except OutputError as error:  # the job would only repeat it, after as many retries
            outcome.set_exception(error)
            return outcome
        except EnlightenError:
            return None  # the job will report it
        outcome.set_result(Outcome(job.source, job.output, Status.SKIPPED, EXISTS))
        return outcome
