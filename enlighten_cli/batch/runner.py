"""Decode, enhance, encode and write many photos; one that fails does not stop the others."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from enlighten_cli.atomic_write import remove_stale_temporaries
from enlighten_cli.batch.conflict import Conflict, renamed, write_result
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.memory import PART_OF_FREE_MEMORY, MemoryBudget, cost_of
from enlighten_cli.batch.outcome import EXISTS, Outcome, Status
from enlighten_cli.batch.places import Taken
from enlighten_cli.enhancement.encoded import BrightAlreadyError, Enhanced, Treatment, enhance_encoded
from enlighten_cli.errors import AlreadyThereError, EnlightenError, OutOfMemoryError, OutputError, PhotoError
from enlighten_cli.models.network import Network
from enlighten_cli.photo import FORMATS, RAW, RAW_RESULT, SUFFIXES, Photo
from enlighten_cli.photo.source import opened_source
from enlighten_cli.resources import available_memory
from enlighten_cli.stores.address import Place

# One photo is decoded and another encoded while the network, which uses every core, has a third.
AT_ONCE = 3


@dataclass(frozen=True)
class BatchOptions:
    """How photos are read, enhanced and written.

    Parameters
    ----------
    treatment : Treatment
    conflict : Conflict
    preserve : bool
        Whether the mode and times of the photos are copied to their results.
    at_once : int
        Photos in work at the same time; 1 is one after the other.
    memory_bytes : int or None
        Memory for the photos in work together; a single photo is let through whatever its size. None is half of
        the free memory.
    """

    treatment: Treatment = field(default_factory=Treatment)
    conflict: Conflict = Conflict.SKIP
    preserve: bool = False
    at_once: int = AT_ONCE
    memory_bytes: int | None = None


class _DroppedError(Exception):
    """The batch is being stopped, and this photo is dropped."""


def run_batch(
    jobs: Iterable[Job],
    network: Network,
    options: BatchOptions,
    tell: Callable[[Job, int, int], None] = lambda job, done, total: None,
    stopping: Callable[[], bool] = lambda: False,
    examine: Callable[[Job, Enhanced], object] | None = None,
    budget: MemoryBudget | None = None,
) -> Iterator[Outcome]:
    """Enhance photos, a few at once; one that fails does not stop the others.

    Parameters
    ----------
    jobs : iterable of Job
        Taken lazily.
    network : Network
        Called by one thread at a time.
    options : BatchOptions
    tell : callable
        Called with a job, its finished tiles and their total; from other threads.
    stopping : callable
        Once it returns true, no photo is begun, and those in the network are dropped.
    examine : callable, optional
        Called with every photo that was written; its result becomes the outcome's `examined`. Called from
        several threads at once.
    budget : MemoryBudget, optional
        Shared with work outside this batch; by default one of `memory_bytes`.

    Yields
    ------
    Outcome
        In the order of the jobs.

    Raises
    ------
    OutputError
        If a result cannot be written for a reason that holds for all, such as a full disk.
    """
    batch = _Batch(network, options, tell, stopping, examine, budget)
    pending: deque[Future[Outcome]] = deque()
    pool = ThreadPoolExecutor(options.at_once, thread_name_prefix="photo")
    try:
        for job in jobs:
            if stopping():
                break
            output = batch.prepared_output(job)
            pending.append(batch.skipped(job) or pool.submit(batch.run, job, output))
            if len(pending) > options.at_once:
                yield from _finished(pending.popleft())
        while pending:
            yield from _finished(pending.popleft())
    finally:
        batch.abandoned.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _finished(future: Future[Outcome]) -> Iterator[Outcome]:
    try:
        yield future.result()
    except _DroppedError:
        return


class _Batch:
    """The state that the photos of one batch share."""

    def __init__(
        self,
        network: Network,
        options: BatchOptions,
        tell: Callable[[Job, int, int], None],
        stopping: Callable[[], bool],
        examine: Callable[[Job, Enhanced], object] | None,
        budget: MemoryBudget | None,
    ) -> None:
        self.abandoned = threading.Event()
        free = int(available_memory() * PART_OF_FREE_MEMORY)
        self._budget = budget or MemoryBudget(free if options.memory_bytes is None else options.memory_bytes)
        self._treatment = options.treatment
        if self._treatment.enhance.memory_bytes is None:
            # Set once, so that all large photos get tiles of the same shape.
            enhance = dataclasses.replace(self._treatment.enhance, memory_bytes=free)
            self._treatment = dataclasses.replace(self._treatment, enhance=enhance)
        self._examine = examine
        self._network, self._options, self._tell, self._stopping = network, options, tell, stopping
        self._at_network = threading.Lock()
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
        if self._options.conflict is Conflict.RENAME:
            try:
                if self._taken(output) or output in self._claimed:
                    output = renamed(output, lambda path: self._taken(path) or path in self._claimed)
            except PhotoError:
                return output  # the job will report it
            self._claimed.add(output)
        return output

    def skipped(self, job: Job) -> Future[Outcome] | None:
        """Return the outcome of a photo whose result exists; a thread for each would take most of a second run."""
        outcome: Future[Outcome] = Future()
        try:
            if not (self._options.conflict.leaves_old and self._taken(job.output)):
                return None
        except OutputError as error:  # the job would only repeat it, after as many retries
            outcome.set_exception(error)
            return outcome
        except EnlightenError:
            return None  # the job will report it
        outcome.set_result(Outcome(job.source, job.output, Status.SKIPPED, EXISTS))
        return outcome

    def run(self, job: Job, output: Place) -> Outcome:
        began = time.monotonic()
        try:
            outcome = self._outcome(job, output)
        except (PhotoError, OutOfMemoryError) as error:
            outcome = Outcome(job.source, job.output, Status.FAILED, str(error), error=error)
        except (EnlightenError, _DroppedError):
            raise  # the next photo would fail too
        except Exception as error:
            reason = f"internal error: {type(error).__name__}: {' '.join(str(error).split())}"
            outcome = Outcome(job.source, job.output, Status.FAILED, reason, error=error)
        return dataclasses.replace(outcome, seconds=time.monotonic() - began)

    def _outcome(self, job: Job, output: Place) -> Outcome:
        self._drop_if_stopping()
        conflict = self._options.conflict
        outcome = Outcome(job.source, job.output, Status.SKIPPED, EXISTS)
        if conflict.leaves_old and self._taken(job.output):
            return outcome
        with opened_source(job.source, self._treatment.limits) as source, self._budget.reserved(cost_of(source)):
            try:
                enhanced = self._enhanced(job, source.read())
            except BrightAlreadyError as error:
                photo = error.photo
                return dataclasses.replace(outcome, width=photo.width, height=photo.height, reason=str(error))
            like = job.source if self._options.preserve and isinstance(job.source, Path) else None
            try:
                output = write_result(job.output, enhanced.content, conflict, first=output, like=like)
            except AlreadyThereError as error:  # another run was first
                if conflict is Conflict.ERROR:
                    raise PhotoError(str(error)) from error
                return outcome
            examined = self._examine(job, enhanced) if self._examine else None
        return Outcome(
            job.source,
            output,
            Status.DONE,
            width=enhanced.width,
            height=enhanced.height,
            notes=(*enhanced.notes, *_notes_on_ending(output, enhanced.format)),
            denoised=enhanced.denoised,
            examined=examined,
        )

    def _enhanced(self, job: Job, content: bytes) -> Enhanced:
        def tell(done: int, total: int) -> None:
            self._drop_if_stopping()
            self._tell(job, done, total)

        return enhance_encoded(
            content,
            self._network,
            self._treatment,
            suffix=job.source.suffix,
            format_of=lambda photo: format_of(job, photo),
            at_network=self._at_network,
            tell=tell,
            keep_before=self._examine is not None,
        )

    def _drop_if_stopping(self) -> None:
        if self.abandoned.is_set() or self._stopping():
            raise _DroppedError


def _notes_on_ending(output: Place, format: str) -> list[str]:
    """Say so where a result keeps its photo's wrong ending."""
    said = SUFFIXES.get(output.suffix.lower(), format)
    if said == format:
        return []
    choice = FORMATS[said].choice
    return [f"so is its result, {output.name}" + (f" (--format {choice} converts it)" if choice else "")]


def format_of(job: Job, photo: Photo) -> str:
    """Return the format to write: the requested one, or the photo's own where the suffix is kept.

    Raises
    ------
    PhotoError
        If the suffix of the output is not that of a format.
    """
    ending = job.output.suffix.lower()
    if job.format:
        return job.format
    if job.output.suffix == job.source.suffix:
        return RAW_RESULT if photo.format == RAW else photo.format
    if ending not in SUFFIXES:
        raise PhotoError(f"{job.output.name}: the ending is not that of a format; use one of {' '.join(SUFFIXES)}")
    return SUFFIXES[ending]
