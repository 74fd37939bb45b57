"""Many photos: decode, enhance, encode, write; the only place where one may fail alone."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from enlighten_cli import photo as photos
from enlighten_cli.discover import Job
from enlighten_cli.enhance import Options, enhance
from enlighten_cli.errors import PhotoError
from enlighten_cli.files import write_whole
from enlighten_cli.metrics.luma import mean_luma
from enlighten_cli.photo import RAW, RAW_RESULT, SUFFIXES, Limits, Photo, Rgb, Strip, as_srgb, cannot_hold
from enlighten_cli.report import Outcome, Status


@dataclass(frozen=True)
class BatchOptions:
    """How photos are read, enhanced and written.

    Parameters
    ----------
    enhance : Options
    limits : Limits
        What is decoded at all.
    overwrite : bool
        Whether results that are there already are made anew, instead of being skipped.
    quality : int or None
        Of lossy formats; None follows the source.
    strip : Strip
        What is left out of the metadata.
    preserve : bool
        Whether results get their sources' file times.
    skip_brighter_than : float or None
        Photos whose mean luma is above this, in [0, 1], are left alone.
    """

    enhance: Options = field(default_factory=Options)
    limits: Limits = field(default_factory=Limits)
    overwrite: bool = False
    quality: int | None = None
    strip: Strip = Strip.NOTHING
    preserve: bool = False
    skip_brighter_than: float | None = None


def run_batch(
    jobs: Iterable[Job],
    model: Callable[[Rgb], Rgb],
    options: BatchOptions,
    tell: Callable[[Job, int, int], None] = lambda job, done, total: None,
) -> Iterator[Outcome]:
    """Enhance photos one by one; one that fails does not stop the others.

    Parameters
    ----------
    jobs : iterable of Job
    model : callable
    options : BatchOptions
    tell : callable
        Receives the job at hand, its tiles done and their total.

    Yields
    ------
    Outcome

    Raises
    ------
    OutputError
        If results cannot be written: the next one could not either.
    """
    for job in jobs:
        began = time.monotonic()
        try:
            outcome = _enhance_file(job, model, options, tell)
        except PhotoError as error:
            outcome = Outcome(job.source, job.output, Status.FAILED, str(error))
        yield dataclasses.replace(outcome, seconds=time.monotonic() - began)


def _enhance_file(
    job: Job, model: Callable[[Rgb], Rgb], options: BatchOptions, tell: Callable[[Job, int, int], None]
) -> Outcome:
    outcome = Outcome(job.source, job.output, Status.SKIPPED, "the output exists")
    if job.output.exists() and not options.overwrite:
        return outcome
    photo = photos.decode(job.source, options.limits)
    outcome = dataclasses.replace(outcome, width=photo.width, height=photo.height)
    if options.skip_brighter_than is not None:
        level = mean_luma(as_srgb(photo))
        if level > options.skip_brighter_than:
            return dataclasses.replace(outcome, reason=f"bright already: mean luma {level:.2f}")
    format = format_of(job, photo)
    photo = dataclasses.replace(photo, metadata=photo.metadata.stripped(options.strip))
    enhanced = enhance(photo, model, options.enhance, lambda done, total: tell(job, done, total))
    write_whole(job.output, photos.encode(enhanced, format, quality=options.quality))
    if options.preserve:
        times = job.source.stat()
        os.utime(job.output, ns=(times.st_atime_ns, times.st_mtime_ns))
    notes = (*photo.notes, *cannot_hold(photo, format))
    return dataclasses.replace(outcome, status=Status.DONE, reason="", notes=notes)


def format_of(job: Job, photo: Photo) -> str:
    """Return the format to write: the photo's own where the name is kept, else the new name's.

    Raises
    ------
    PhotoError
        If the output's name ends in nothing that is a format.
    """
    ending = job.output.suffix.lower()
    if job.output.suffix == job.source.suffix:
        return RAW_RESULT if photo.format == RAW else photo.format
    if ending not in SUFFIXES:
        raise PhotoError(f"{job.output.name}: the name's ending is no format; one of {' '.join(SUFFIXES)} is")
    return SUFFIXES[ending]
