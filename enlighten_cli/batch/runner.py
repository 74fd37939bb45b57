"""Many photos: decode, enhance, encode, write; the only place where one may fail alone."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from enlighten_cli.atomic_write import exists, remove_stale_temporaries
from enlighten_cli.batch.conflict import Conflict, renamed, write_result
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.outcome import Outcome, Status
from enlighten_cli.enhancement.encoded import BrightAlreadyError, Enhanced, Treatment, enhance_encoded
from enlighten_cli.errors import AlreadyThereError, EnlightenError, OutOfMemoryError, PhotoError
from enlighten_cli.models.network import Network
from enlighten_cli.photo import RAW, RAW_RESULT, SUFFIXES, Photo
from enlighten_cli.photo.source import Source, opened_source
from enlighten_cli.resources import available_memory

# One photo is decoded and another encoded while the network, which uses every core, has a third.
AT_ONCE = 3
# As they were decoded and enhanced, and what encoding and the metadata take.
COPIES_OF_PIXELS, CHANNELS = 4, 3
PART_OF_FREE_MEMORY = 0.5


@dataclass(frozen=True)
class BatchOptions:
    """How photos are read, enhanced and written.

    Parameters
    ----------
    treatment : Treatment
    conflict : Conflict
    preserve : bool
        Whether results get their sources' mode and times.
    at_once : int
        Photos on their way at the same time; 1 is one after the other.
    memory_bytes : int or None
        What photos on their way may take together; one is let through whatever its size. None
        is half of what is free.
    """

    treatment: Treatment = field(default_factory=Treatment)
    conflict: Conflict = Conflict.SKIP
    preserve: bool = False
    at_once: int = AT_ONCE
    memory_bytes: int | None = None


class _DroppedError(Exception):
    """The batch is being stopped, and this photo with it."""


def run_batch(
    jobs: Iterable[Job],
    network: Network,
    options: BatchOptions,
    tell: Callable[[Job, int, int], None] = lambda job, done, total: None,
    stopping: Callable[[], bool] = lambda: False,
    examine: Callable[[Job, Enhanced], object] = lambda job, enhanced: None,
    budget: MemoryBudget | None = None,
) -> Iterator[Outcome]:
    """Enhance photos, a few at once; one that fails does not stop the others.

    Parameters
    ----------
    jobs : iterable of Job
        Taken as they are needed.
    network : Network
        Called by one thread at a time.
    options : BatchOptions
    tell : callable
        Receives the job at the network, its tiles done and their total; from other threads.
    stopping : callable
        Once it is true no photo is begun, and those at the network are dropped.
    examine : callable
        Receives every photo that was written; what it returns becomes the outcome's `examined`. From
        other threads, several at once.
    budget : MemoryBudget, optional
        Shared with work outside of this batch; its own, of `memory_bytes`, by default.

    Yields
    ------
    Outcome
        In the order of the jobs.

    Raises
    ------
    OutputError
        If results cannot be written: the next one could not either.
    """
    batch = _Batch(network, options, tell, stopping, examine, budget)
    pending: deque[Future[Outcome]] = deque()
    pool = ThreadPoolExecutor(options.at_once, thread_name_prefix="photo")
    try:
        for job in jobs:
            if stopping():
                break
            pending.append(pool.submit(batch.run, job, batch.prepared_output(job)))
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
    """What the photos of one batch share."""

    def __init__(
        self,
        network: Network,
        options: BatchOptions,
        tell: Callable[[Job, int, int], None],
        stopping: Callable[[], bool],
        examine: Callable[[Job, Enhanced], object],
        budget: MemoryBudget | None,
    ) -> None:
        self.abandoned = threading.Event()
        free = int(available_memory() * PART_OF_FREE_MEMORY)
        self._budget = budget or MemoryBudget(free if options.memory_bytes is None else options.memory_bytes)
        self._treatment = options.treatment
        if self._treatment.enhance.memory_bytes is None:
            # Settled once, so that all large photos get tiles of one shape.
            enhance = dataclasses.replace(self._treatment.enhance, memory_bytes=free)
            self._treatment = dataclasses.replace(self._treatment, enhance=enhance)
        self._examine = examine
        self._network, self._options, self._tell, self._stopping = network, options, tell, stopping
        self._at_network = threading.Lock()
        self._cleaned: set[Path] = set()
        self._claimed: set[Path] = set()

    def prepared_output(self, job: Job) -> Path:
        """Clear away what a killed run left in the result's folder, and choose the result's name."""
        folder = job.output.parent
        if folder not in self._cleaned:
            remove_stale_temporaries(folder)
            self._cleaned.add(folder)
        output = job.output
        if self._options.conflict is Conflict.RENAME:
            try:
                if exists(output) or output in self._claimed:
                    output = renamed(output, lambda path: exists(path) or path in self._claimed)
            except PhotoError:
                return output  # running it will tell
            self._claimed.add(output)
        return output

    def run(self, job: Job, output: Path) -> Outcome:
        began = time.monotonic()
        try:
            outcome = self._outcome(job, output)
        except (PhotoError, OutOfMemoryError) as error:
            outcome = Outcome(job.source, job.output, Status.FAILED, str(error), error=error)
        except (EnlightenError, _DroppedError):
            raise  # the next photo would fare no better
        except Exception as error:
            reason = f"internal error: {type(error).__name__}: {' '.join(str(error).split())}"
            outcome = Outcome(job.source, job.output, Status.FAILED, reason, error=error)
        return dataclasses.replace(outcome, seconds=time.monotonic() - began)

    def _outcome(self, job: Job, output: Path) -> Outcome:
        self._drop_if_stopping()
        conflict = self._options.conflict
        outcome = Outcome(job.source, job.output, Status.SKIPPED, "the output exists")
        if conflict.leaves_old and exists(job.output):
            return outcome
        with opened_source(job.source, self._treatment.limits) as source, self._budget.reserved(cost_of(source)):
            try:
                enhanced = self._enhanced(job, source.read())
            except BrightAlreadyError as error:
                photo = error.photo
                return dataclasses.replace(outcome, width=photo.width, height=photo.height, reason=str(error))
            like = job.source if self._options.preserve else None
            try:
                output = write_result(job.output, enhanced.content, conflict, first=output, like=like)
            except AlreadyThereError as error:  # another run was first
                if conflict is Conflict.ERROR:
                    raise PhotoError(str(error)) from error
                return outcome
            examined = self._examine(job, enhanced)
        return Outcome(
            job.source,
            output,
            Status.DONE,
            width=enhanced.before.width,
            height=enhanced.before.height,
            notes=enhanced.notes,
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
        )

    def _drop_if_stopping(self) -> None:
        if self.abandoned.is_set() or self._stopping():
            raise _DroppedError


def cost_of(source: Source) -> int:
    """Return the bytes that a photo on its way takes: its file, twice, and its pixels."""
    if source.kind == "TIFF" and not source.pixels:  # of floats, mostly: as large in memory as in the file
        return (2 + COPIES_OF_PIXELS) * source.size_bytes
    return 2 * source.size_bytes + source.pixels * CHANNELS * COPIES_OF_PIXELS


class MemoryBudget:
    """Bytes that photos on their way may take together.

    Parameters
    ----------
    total : int
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def reserved(self, size_bytes: int) -> Iterator[None]:
        """Wait until so many bytes are free, or nobody else has any, and hold them."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken == 0 or self._taken + size_bytes <= self._total)
            self._taken += size_bytes
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size_bytes
                self._changed.notify_all()


def format_of(job: Job, photo: Photo) -> str:
    """Return the format to write: the one asked for, or the photo's own where the name is kept.

    Raises
    ------
    PhotoError
        If the output's name ends in nothing that is a format.
    """
    ending = job.output.suffix.lower()
    if job.format:
        return job.format
    if job.output.suffix == job.source.suffix:
        return RAW_RESULT if photo.format == RAW else photo.format
    if ending not in SUFFIXES:
        raise PhotoError(f"{job.output.name}: the name's ending is no format; one of {' '.join(SUFFIXES)} is")
    return SUFFIXES[ending]
