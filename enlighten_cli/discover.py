"""Paths given to the command -> photos to work on."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from enlighten_cli.errors import NothingToDoError, UsageError
from enlighten_cli.photo import FORMATS, RAW, RAW_RESULT, SUFFIXES

OUTPUT_MARK = "-enlightened"  # what a result beside its source is told apart by


@dataclass(frozen=True)
class Job:
    """One photo to read, and where its result goes."""

    source: Path
    output: Path


def find_photos(folder: Path) -> list[Path]:
    """List the photos below a folder by their names' endings, sorted.

    Hidden files and folders are left out, and symbolic links to folders are not followed.

    Raises
    ------
    UsageError
        If `folder` is no folder that can be read.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: not a folder")
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise UsageError(f"{error.filename}: {error.strerror}") from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(parent, name)
            for name in sorted(names)
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES
        ]
    return found


def find_jobs(
    inputs: Sequence[Path], output: Path | None, *, output_is_folder: bool, format: str | None = None
) -> list[Job]:
    """Plan what is read and written, so that no two photos meet and no input is written.

    Parameters
    ----------
    inputs : sequence of Path
        Photos, whatever they are called, and folders, whose photos are found by name.
    output : Path, optional
        Folder or file of the results; beside the sources, with a mark, if not given.
    output_is_folder : bool
        Whether `output` was written as a folder; several inputs, an input folder or an existing
        folder make it one too.
    format : str, optional
        A name in `photo.FORMATS`, which sets the endings of results; by default each keeps its
        source's name, but for camera RAW, which becomes TIFF.

    Raises
    ------
    UsageError
        If an input is absent, two results have one name, or a result is an input.
    NothingToDoError
        If there is no photo.
    """
    folders = [path for path in inputs if path.is_dir()]
    for path in inputs:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder")
    to_folder = output is not None and (output_is_folder or len(inputs) > 1 or bool(folders) or output.is_dir())

    jobs: list[Job] = []
    for path in inputs:
        root = path if path.is_dir() else path.parent
        for source in find_photos(path) if path.is_dir() else [path]:
            if output is None:
                if path.is_dir() and source.stem.endswith(OUTPUT_MARK):
                    continue  # the result of an earlier run
                result = source.with_name(f"{source.stem}{OUTPUT_MARK}{_ending(source, format)}")
            elif to_folder:
                result = (output / source.relative_to(root)).with_suffix(_ending(source, format))
            else:
                result = output
            jobs.append(Job(source, result))
    if not jobs:
        raise NothingToDoError(f"no photos in {', '.join(map(str, folders))}")
    if output is not None and to_folder:
        jobs = [job for job in jobs if not _is_below(job.source, output) or job.source in inputs]
    jobs = _told_apart(jobs)
    _refuse_collisions(jobs)
    return jobs


def _ending(source: Path, format: str | None) -> str:
    """Return how a result's name ends: as its source's, unless the format is another."""
    own = SUFFIXES.get(source.suffix.lower())
    wanted = format or (RAW_RESULT if own == RAW else own)
    return source.suffix if wanted is None or wanted == own else FORMATS[wanted].suffixes[0]


def _told_apart(jobs: list[Job]) -> list[Job]:
    """Keep both endings where a new one meets a neighbour's: of a RAW + JPEG pair, say."""
    taken = Counter(str(job.output).lower() for job in jobs)
    return [
        Job(job.source, job.output.with_name(f"{job.source.name}{job.output.suffix}"))
        if taken[str(job.output).lower()] > 1
        and job.output.suffix != job.source.suffix
        and job.output.stem == job.source.stem
        else job
        for job in jobs
    ]


def _is_below(path: Path, folder: Path) -> bool:
    """Tell whether a found photo lies in the output folder: the result of an earlier run."""
    return path.resolve().is_relative_to(folder.resolve())


def _refuse_collisions(jobs: Sequence[Job]) -> None:
    sources = {job.source.resolve(): job.source for job in jobs}
    results: dict[Path, Path] = {}
    for job in jobs:
        result = job.output.resolve()
        if result in sources:
            raise UsageError(f"{job.source}: its result would overwrite the input {sources[result]}; choose another -o")
        if result in results and results[result] != job.source:
            raise UsageError(f"{results[result]} and {job.source} would both be written to {job.output}")
        results[result] = job.source
