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
from enum import Enum
from pathlib import Path

from enlighten_cli import photo as photos
from enlighten_cli.atomic_write import exists, remove_stale_temporaries, write_whole
from enlighten_cli.batch.jobs import Job, renamed
from enlighten_cli.batch.outcome import Outcome, Status
from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.errors import EnlightenError, OutOfMemoryError, PhotoError
from enlighten_cli.metrics.luma import mean_luma
from enlighten_cli.models.network import Network
from enlighten_cli.photo import RAW, RAW_RESULT, SUFFIXES, Limits, Photo, Strip, as_srgb, cannot_hold
from enlighten_cli.resources import available_memory

# One photo is decoded and another encoded while the network, which uses every core, has a third.
AT_ONCE = 3
# The file, its pixels, the enhanced ones and the new file.
COPIES_OF_A_PHOTO = 4
PART_OF_FREE_MEMORY = 0.5


class Conflict(Enum):
    """What is done where a result is there already."""

    SKIP = "skip"
    OVERWRITE = "overwrite"
    RENAME = "rename"
    ERROR = "error"


@dataclass(frozen=True)
class BatchOptions:
    """How photos are read, enhanced and written.

    Parameters
    ----------
    enhance : Options
    limits : Limits
        What is decoded at all.
    conflict : Conflict
    quality : int or None
        Of lossy formats; None follows the source.
    strip : Strip
        What is left out of the metadata.
    preserve : bool
        Whether results get their sources' mode and times.
    skip_brighter_than : float or None
        Photos whose mean luma is above this, in [0, 1], are left alone.
    at_once : int
        Photos on their way at the same time; 1 is one after the other.
    memory_bytes : int or None
        What photos on their way may take together; one is let through whatever its size. None
        is half of what is free.
    """

    enhance: Options = field(default_factory=Options)
    limits: Limits = field(default_factory=Limits)
    conflict: Conflict = Conflict.SKIP
    quality: int | None = None
    strip: Strip = Strip.NOTHING
    preserve: bool = False
    skip_brighter_than: float | None = None
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

    Yields
    ------
    Outcome
        In the order of the jobs.

    Raises
    ------
    OutputError
        If results cannot be written: the next one could not either.
    """
    batch = _Batch(network, options, tell, stopping)
    pending: deque[Future[Outcome]] = deque()
    pool = ThreadPoolExecutor(options.at_once, thread_name_prefix="photo")
    try:
        for job in jobs:
            if stopping():
                break
            pending.append(pool.submit(batch.run, batch.prepared(job)))
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
    ) -> None:
        self.abandoned = threading.Event()
        free = int(available_memory() * PART_OF_FREE_MEMORY)
        self._budget = MemoryBudget(free if options.memory_bytes is None else options.memory_bytes)
        if options.enhance.memory_bytes is None:
            # Settled once, so that all large photos get tiles of one shape.
            options = dataclasses.replace(options, enhance=dataclasses.replace(options.enhance, memory_bytes=free))
        self._network, self._options, self._tell, self._stopping = network, options, tell, stopping
        self._at_network = threading.Lock()
        self._cleaned: set[Path] = set()
        self._claimed: set[Path] = set()

    def prepared(self, job: Job) -> Job:
        """Clear away what a killed run left in the result's folder, and settle the result's name."""
        folder = job.output.parent
        if folder not in self._cleaned:
            remove_stale_temporaries(folder)
            self._cleaned.add(folder)
        if self._options.conflict is Conflict.RENAME:
            try:
                if exists(job.output) or job.output in self._claimed:
                    output = renamed(job.output, lambda path: exists(path) or path in self._claimed)
                    job = dataclasses.replace(job, output=output)
            except PhotoError:
                return job  # running it will tell
            self._claimed.add(job.output)
        return job

    def run(self, job: Job) -> Outcome:
        began = time.monotonic()
        try:
            outcome = self._outcome(job)
        except (PhotoError, OutOfMemoryError) as error:
            outcome = Outcome(job.source, job.output, Status.FAILED, str(error))
        except (EnlightenError, _DroppedError):
            raise  # the next photo would fare no better
        except Exception as error:
            reason = f"internal error: {type(error).__name__}: {' '.join(str(error).split())}"
            outcome = Outcome(job.source, job.output, Status.FAILED, reason)
        return dataclasses.replace(outcome, seconds=time.monotonic() - began)

    def _outcome(self, job: Job) -> Outcome:
        self._drop_if_stopping()
        options = self._options
        outcome = Outcome(job.source, job.output, Status.SKIPPED, "the output exists")
        if options.conflict is not Conflict.OVERWRITE and exists(job.output):
            return outcome
        with self._budget.reserved(photos.pixels_of(job.source) * 3 * COPIES_OF_A_PHOTO):
            photo = photos.decode(job.source, options.limits)
            outcome = dataclasses.replace(outcome, width=photo.width, height=photo.height)
            if options.skip_brighter_than is not None:
                level = mean_luma(as_srgb(photo))
                if level > options.skip_brighter_than:
                    return dataclasses.replace(outcome, reason=f"bright already: mean luma {level:.2f}")
            format = format_of(job, photo)
            content = self._enhanced(job, photo, format)
            write_whole(job.output, content, like=job.source if options.preserve else None)
        notes = (*photo.notes, *cannot_hold(photo, format))
        return dataclasses.replace(outcome, status=Status.DONE, reason="", notes=notes)

    def _enhanced(self, job: Job, photo: Photo, format: str) -> bytes:
        def tell(done: int, total: int) -> None:
            self._drop_if_stopping()
            self._tell(job, done, total)

        photo = dataclasses.replace(photo, metadata=photo.metadata.stripped(self._options.strip))
        with self._at_network:
            photo = enhance(photo, self._network, self._options.enhance, tell)
        return photos.encode(photo, format, quality=self._options.quality)

    def _drop_if_stopping(self) -> None:
        if self.abandoned.is_set() or self._stopping():
            raise _DroppedError


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
