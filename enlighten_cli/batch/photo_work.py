"""The work on one photo of a batch: read, enhance, write."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from enlighten_cli.atomic_write import NewFile, Sink
from enlighten_cli.batch.conflict import Conflict, holds, write_result
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.memory import MemoryBudget, cost_of
from enlighten_cli.batch.outcome import EXISTS, Outcome, Status
from enlighten_cli.batch.paths import Taken
from enlighten_cli.enhancement.encoded import (
    BANDS_FROM_PIXELS,
    BrightAlreadyError,
    Enhanced,
    Treatment,
    enhance_encoded,
)
from enlighten_cli.errors import AlreadyThereError, EnlightenError, OutOfMemoryError, PhotoError
from enlighten_cli.models.network import Network
from enlighten_cli.photo import FORMATS, RAW, RAW_RESULT, SUFFIXES, Photo
from enlighten_cli.photo.decode import BY_PATH
from enlighten_cli.photo.source import CHANGED, ChangedError, Source, opened_source
from enlighten_cli.resources import PART_OF_FREE_MEMORY, available_memory
from enlighten_cli.stores.address import Place

# One photo is decoded and another encoded while the network, which uses every core, has a third.
AT_ONCE = 3
TRIES = 3  # of a photo whose file is written while it is read
MIXED = "the file changed while it was read: the result may be of two versions"
STREAMED_FROM_PIXELS = BANDS_FROM_PIXELS  # larger PNG and TIFF files go from file to file

Examine = Callable[[Job, Enhanced], object]


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


class DroppedError(Exception):
    """The batch is being stopped, and this photo is dropped."""


class PhotoWork:
    """The work on a photo, and what the photos of one process share.

    Parameters
    ----------
    network : Network
        Called by one thread at a time.
    options : BatchOptions
    tell : callable
        Called with a job, its finished tiles and their total; from several threads.
    stopping : callable
        Once it returns true, the photos in the network are dropped.
    examine : callable, optional
        Called with every photo that was written; its result becomes the outcome's `examined`. Called from
        several threads at once.
    budget : MemoryBudget, optional
        Shared with other work; by default one of `memory_bytes`.
    part_of_machine : float
        The part of the free memory that is this process's, where others work beside it.

    Attributes
    ----------
    abandoned : threading.Event
        Once it is set, photos are dropped as by `stopping`.
    """

    def __init__(
        self,
        network: Network,
        options: BatchOptions,
        tell: Callable[[Job, int, int], None] = lambda job, done, total: None,
        stopping: Callable[[], bool] = lambda: False,
        examine: Examine | None = None,
        budget: MemoryBudget | None = None,
        part_of_machine: float = 1.0,
    ) -> None:
        self.abandoned = threading.Event()
        free = int(available_memory() * PART_OF_FREE_MEMORY * part_of_machine)
        self._budget = budget or MemoryBudget(free if options.memory_bytes is None else options.memory_bytes)
        self._treatment = options.treatment
        if self._treatment.enhance.memory_bytes is None:
            # Set once, so that all large photos get tiles of the same shape.
            enhance = dataclasses.replace(self._treatment.enhance, memory_bytes=free)
            self._treatment = dataclasses.replace(self._treatment, enhance=enhance)
        self._examine = examine
        self._network, self._options, self._tell, self._stopping = network, options, tell, stopping
        self._at_network = threading.Lock()
        self._taken = Taken()

    def run(self, job: Job, output: Place, *, again: bool = False) -> Outcome:
        """Enhance a photo.

        Parameters
        ----------
        job : Job
        output : Path or Address
            The name that the batch chose for the result.
        again : bool
            Whether a process that did this work died, maybe after it had written the result. If the result is there,
            the photo is done, and not skipped.

        Raises
        ------
        DroppedError
        EnlightenError
            If the next photo would fail too.
        """
        began = time.monotonic()
        try:
            outcome = self._unchanged_outcome(job, output, again=again)
        except (PhotoError, OutOfMemoryError) as error:
            outcome = Outcome(job.source, job.output, Status.FAILED, str(error), error=error)
        except MemoryError as error:
            reason = "too little memory for this photo; close other programs, or try --mode fast or --at-once 1"
            outcome = Outcome(job.source, job.output, Status.FAILED, reason, error=error)
        except (EnlightenError, DroppedError):
            raise  # the next photo would fail too
        except Exception as error:
            reason = f"internal error: {type(error).__name__}: {' '.join(str(error).split())}"
            outcome = Outcome(job.source, job.output, Status.FAILED, reason, error=error)
        return dataclasses.replace(outcome, seconds=time.monotonic() - began)

    def _unchanged_outcome(self, job: Job, output: Place, *, again: bool) -> Outcome:
        """Work on a photo; once more if its file was written meanwhile."""
        for _ in range(TRIES - 1):
            with suppress(ChangedError):
                return self._outcome(job, output, again=again)
        return self._outcome(job, output, again=again, may_change=self._treatment.limits.allow_truncated)

    def _outcome(self, job: Job, output: Place, *, again: bool, may_change: bool = False) -> Outcome:
        self._drop_if_stopping()
        conflict = self._options.conflict
        outcome = Outcome(job.source, job.output, Status.SKIPPED, EXISTS)
        if conflict.leaves_old and not again and self._taken(job.output):
            return outcome
        with opened_source(job.source, self._treatment.limits) as source, self._budget.reserved(cost_of(source)):
            try:
                path = None if again else self._streamed_from(job, source)
                if path and isinstance(output, Path):
                    with closing(NewFile(output)) as new:
                        enhanced = self._enhanced(job, path, new)
                        has_changed = self._check_unchanged(source, path, may_change=may_change)
                        output = self._written(job, new, output)
                else:
                    enhanced = self._enhanced(job, source.read())
                    has_changed = self._check_unchanged(source, None, may_change=may_change)
                    if not (again and conflict is not Conflict.OVERWRITE and holds(output, enhanced.content)):
                        output = self._written(job, enhanced.content, output)
            except BrightAlreadyError as error:
                self._check_unchanged(source, path, may_change=may_change)
                photo = error.photo
                return dataclasses.replace(outcome, width=photo.width, height=photo.height, reason=str(error))
            except AlreadyThereError as error:  # another run was first
                if conflict is Conflict.ERROR:
                    raise PhotoError(str(error)) from error
                return outcome
            except PhotoError as error:
                if source.has_changed(path) and not may_change:
                    raise ChangedError(CHANGED) from error
                raise
            examined = self._examine(job, enhanced) if self._examine else None
        return Outcome(
            job.source,
            output,
            Status.DONE,
            width=enhanced.width,
            height=enhanced.height,
            notes=(*enhanced.notes, *([MIXED] if has_changed else []), *_notes_on_ending(output, enhanced.format)),
            denoised=enhanced.denoised,
            examined=examined,
        )

    def _check_unchanged(self, source: Source, path: Path | None, *, may_change: bool) -> bool:
        """Tell whether a photo's file was written since it was opened; an error where it may not be."""
        has_changed = source.has_changed(path)
        if has_changed and not may_change:
            raise ChangedError(CHANGED)
        return has_changed

    def _written(self, job: Job, content: bytes | NewFile, output: Place) -> Place:
        like = job.source if self._options.preserve and isinstance(job.source, Path) else None
        return write_result(
            job.output, content, self._options.conflict, first=output, like=like, originals=job.originals
        )

    def _streamed_from(self, job: Job, source: Source) -> Path | None:
        """Return the file of a photo that goes from file to file, without being in memory as a whole; or None."""
        is_huge = source.kind in BY_PATH and source.pixels >= STREAMED_FROM_PIXELS
        return job.source if is_huge and isinstance(job.source, Path) and self._examine is None else None

    def _enhanced(self, job: Job, photo: bytes | Path, into: Sink | None = None) -> Enhanced:
        def tell(done: int, total: int) -> None:
            self._drop_if_stopping()
            self._tell(job, done, total)

        return enhance_encoded(
            photo,
            self._network,
            self._treatment,
            into=into,
            suffix=job.source.suffix,
            format_of=lambda photo: format_of(job, photo),
            at_network=self._at_network,
            tell=tell,
            keep_before=self._examine is not None,
        )

    def _drop_if_stopping(self) -> None:
        if self.abandoned.is_set() or self._stopping():
            raise DroppedError


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
