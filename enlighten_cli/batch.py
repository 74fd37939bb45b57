"""Many photos: decode, enhance, encode, write; the only place where one may fail alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from enlighten_cli import photo as photos
from enlighten_cli.discover import Job
from enlighten_cli.enhance import Options, enhance
from enlighten_cli.errors import PhotoError
from enlighten_cli.files import write_whole
from enlighten_cli.photo import SUFFIXES, Photo, Rgb
from enlighten_cli.report import Outcome, Status


def run_batch(
    jobs: Iterable[Job],
    model: Callable[[Rgb], Rgb],
    options: Options,
    *,
    overwrite: bool = False,
    tell: Callable[[Job, int, int], None] = lambda job, done, total: None,
) -> Iterator[Outcome]:
    """Enhance photos one by one; one that fails does not stop the others.

    Parameters
    ----------
    jobs : iterable of Job
    model : callable
    options : Options
    overwrite : bool
        Whether results that are there already are made anew, instead of being skipped.
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
        if job.output.exists() and not overwrite:
            yield Outcome(job.source, job.output, Status.SKIPPED, "the output exists")
            continue
        began = time.monotonic()
        try:
            photo = _enhance_file(job, model, options, lambda done, total, job=job: tell(job, done, total))  # type: ignore[misc]
        except PhotoError as error:
            yield Outcome(job.source, job.output, Status.FAILED, str(error), time.monotonic() - began)
        else:
            seconds = time.monotonic() - began
            yield Outcome(job.source, job.output, Status.DONE, "", seconds, photo.width, photo.height)


def _enhance_file(job: Job, model: Callable[[Rgb], Rgb], options: Options, tell: Callable[[int, int], None]) -> Photo:
    photo = photos.decode(job.source)
    enhanced = enhance(photo, model, options, tell)
    write_whole(job.output, photos.encode(enhanced, _format_of(job, photo)))
    return photo


def _format_of(job: Job, photo: Photo) -> str:
    """Return the format to write: the photo's own where the name is kept, else the new name's.

    Raises
    ------
    PhotoError
        If the output's name ends in nothing that is a format.
    """
    if job.output.suffix == job.source.suffix:
        return photo.format
    if job.output.suffix.lower() not in SUFFIXES:
        raise PhotoError(f"{job.output.name}: the name's ending is no format; one of {' '.join(SUFFIXES)} is")
    return SUFFIXES[job.output.suffix.lower()]
