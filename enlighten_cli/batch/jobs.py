"""Find the photos among the paths of a command, and plan where their results go."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from pathlib import Path
from typing import NamedTuple

from enlighten_cli.batch.naming import NameTemplate
from enlighten_cli.batch.places import PlaceIdentities, Taken, ignores_case, is_below, is_folder, photos_below, real
from enlighten_cli.errors import NothingToDoError, PhotoError, UsageError
from enlighten_cli.photo import FORMATS, RAW, RAW_RESULT, SUFFIXES, is_photo
from enlighten_cli.stores.address import Address, Place, fault_of_parts


@dataclass(frozen=True)
class Job:
    """One photo to read, and where its result goes."""

    source: Place
    output: Place
    format: str | None = None
    """A name in `photo.FORMATS`; None keeps the photo's own."""


@dataclass(frozen=True)
class Destination:
    """Where results go, and their names.

    Parameters
    ----------
    path : Path, Address or None
        A folder or a file; None is the folder of each photo.
    is_folder : bool
        Whether `path` is a folder: it ends in a slash, exists as one, or there are several photos or an input
        folder.
    template : NameTemplate
        Of names in folders.
    format : str or None
        A name in `photo.FORMATS`, which sets the suffixes; by default each result keeps its photo's, except
        camera RAW, which becomes TIFF.
    """

    path: Place | None
    is_folder: bool = False
    template: NameTemplate = field(default_factory=NameTemplate)
    format: str | None = None

    def job(self, source: Place, root: Place) -> Job:
        """Return the job of a photo found below `root`.

        Raises
        ------
        PhotoError
            If the photo is in a store, and its key cannot be a path on this machine.
        """
        if self.path is not None and not self.is_folder:
            return Job(source, self.path, SUFFIXES.get(self.path.suffix.lower(), self.format))
        name = self.template.fill(source, self._ending(source))
        if self.path is None:
            return Job(source, source.parent.joinpath(name), self.format)
        parts = _parts_below(source, root)
        if isinstance(self.path, Path) and isinstance(source, Address) and (fault := fault_of_parts((*parts, name))):
            raise PhotoError(f"{source}: {fault}")
        return Job(source, self.path.joinpath(*parts, name), self.format)

    def _ending(self, source: Place) -> str:
        own = SUFFIXES.get(source.suffix.lower())
        wanted = self.format or (RAW_RESULT if own == RAW else own)
        return source.suffix if wanted is None or wanted == own else FORMATS[wanted].suffixes[0]


def _parts_below(source: Place, root: Place) -> tuple[str, ...]:
    if isinstance(source, Path) and isinstance(root, Path):
        return source.relative_to(root).parent.parts
    assert isinstance(source, Address)
    assert isinstance(root, Address)
    return source.parts_below(root)


class Found(NamedTuple):
    """A photo, the input folder that it was found in, and whether it was named itself."""

    source: Place
    root: Place
    named: bool


class Photos:
    """The photos among inputs, found lazily, in a fixed order.

    Parameters
    ----------
    inputs : sequence of Path or Address
        Files, which are always taken, and folders, in which files are taken whose name or first bytes (in stores:
        whose name) are a photo's. Hidden files, hidden folders and links to folders are left out.
    without : Path or Address, optional
        A folder that is not searched: where results go.
    """

    def __init__(self, inputs: Sequence[Place], without: Place | None = None) -> None:
        self.inputs = inputs
        self.without = without
        self._real_without = real(without) if without else None
        self.ignored = 0
        self.unreadable: list[str] = []

    def __iter__(self) -> Iterator[Found]:
        """Yield the photos, and count the other files.

        Raises
        ------
        UsageError
            If a folder in a store cannot be listed.
        """
        for path in self.inputs:
            if is_folder(path):
                for source in self._below(path):
                    yield Found(source, path, named=False)
            else:
                yield Found(path, path.parent, named=True)

    def _note(self, folder: Address | None, reason: str) -> None:
        if folder is None:
            self.ignored += 1
        else:
            self.unreadable.append(f"{folder}: {reason}")

    def _below(self, folder: Place) -> Iterator[Place]:
        if isinstance(folder, Path):
            return self._files_below(folder)
        return photos_below(folder, self._real_without, self._note)

    def _files_below(self, folder: Path) -> Iterator[Path]:
        def note(error: OSError) -> None:
            self.unreadable.append(f"{error.filename}: {error.strerror}")

        for parent, folders, names in os.walk(folder, onerror=note):
            folders[:] = sorted(
                name for name in folders if not name.startswith(".") and not self._is_without(parent, name)
            )
            for name in sorted(names):
                path = Path(parent, name)
                if name.startswith("."):
                    continue
                try:
                    if path.is_file() and is_photo(path):
                        yield path
                    else:
                        self.ignored += 1
                except OSError as error:
                    self.unreadable.append(f"{path}: {error.strerror}")

    def _is_without(self, parent: str, name: str) -> bool:
        return self._real_without is not None and os.path.realpath(os.path.join(parent, name)) == self._real_without


def find_photos(folder: Path) -> list[Path]:
    """List the photos below a folder.

    Raises
    ------
    UsageError
        If `folder` is not a readable folder.
    """
    if not is_folder(folder):
        raise UsageError(f"{folder}: not a folder")
    photos = Photos([folder])
    found = [each.source for each in photos if isinstance(each.source, Path)]
    if not found and photos.unreadable:
        raise UsageError(*photos.unreadable)
    return found


def find_jobs(photos: Photos, destination: Destination) -> Iterator[Job]:
    """Plan what is read and written, so that no two results have the same name and no input is overwritten.

    One folder mirrored into another is searched while the jobs run, because collisions can only occur within a
    subfolder. Everything else is searched before the first job.

    Parameters
    ----------
    photos : Photos
    destination : Destination

    Raises
    ------
    UsageError
        If two results have the same name, or a result is an input.
    NothingToDoError
        If there is no photo.
    """
    jobs = _jobs(photos, destination)
    if _is_mirrored(photos, destination):
        # Results can only collide within one folder, so each folder is checked alone.
        folders = groupby(jobs, lambda job: job.source.parent)
        jobs = chain.from_iterable(_without_collisions(list(group), photos, destination) for _, group in folders)
    else:
        jobs = iter(_without_collisions(list(jobs), photos, destination))
    first = next(jobs, None)
    if first is None:
        raise NothingToDoError(f"no photos found; {photos.ignored} other files were ignored", *photos.unreadable)
    return _chained(first, jobs)


def _chained(first: Job, jobs: Iterator[Job]) -> Iterator[Job]:
    yield first
    yield from jobs


def _jobs(photos: Photos, destination: Destination) -> Iterator[Job]:
    taken = Taken(os.path.exists)
    for source, root, named in photos:
        if destination.path is None and not named and destination.template.marks(source, taken):
            photos.ignored += 1  # the result of an earlier run
            continue
        try:
            job = destination.job(source, root)
        except PhotoError as error:
            photos.unreadable.append(str(error))
            continue
        yield job


def _is_mirrored(photos: Photos, destination: Destination) -> bool:
    """Tell whether one folder's tree goes to another one."""
    if len(photos.inputs) != 1 or not is_folder(photos.inputs[0]) or destination.path is None:
        return False
    source, result = photos.inputs[0], destination.path
    if is_below(real(source), real(result)):
        return False
    # Two folders of the source could otherwise become one.
    return ignores_case(source) or not ignores_case(result)


def _without_collisions(jobs: list[Job], photos: Photos, destination: Destination) -> list[Job]:
    jobs = _without_earlier_results(jobs, photos, destination)
    identities = PlaceIdentities()
    sources = {identities.of(job.source): job.source for job in jobs}
    roots = [real(path) for path in photos.inputs if is_folder(path)]
    own = None if destination.path is None else real(destination.path)
    results: dict[str, Job] = {}
    kept = []
    for job in _told_apart(list(dict.fromkeys(jobs))):
        place = identities.real(job.output)
        if own is not None and not is_below(place, own) and any(is_below(place, root) for root in roots):
            raise UsageError(f"{job.output}: a link leads it back among the inputs; choose another -o")
        result = identities.of(job.output)
        if result in sources:
            raise UsageError(f"{job.source}: its result would overwrite the input {sources[result]}; choose another -o")
        first = results.setdefault(result, job)
        if first is job:
            kept.append(job)
        elif identities.of(first.source) != identities.of(job.source):
            where = str(job.output)
            if where != str(first.output):
                where += f"; its folder takes {first.output.name} and {job.output.name} for one name"
            raise UsageError(f"{first.source} and {job.source} would both be written to {where}")
    return kept


def _without_earlier_results(jobs: list[Job], photos: Photos, destination: Destination) -> list[Job]:
    """Leave out results of an earlier run that a list or a shell pattern names."""
    if destination.path is None:
        planned = {job.output for job in jobs}
        kept = [job for job in jobs if job.source not in planned]
    elif len(photos.inputs) > 1 and destination.is_folder:
        own = real(destination.path)
        kept = [job for job in jobs if not is_below(real(job.source), own)]
    else:
        return jobs
    photos.ignored += len(jobs) - len(kept)
    return kept or jobs


def _told_apart(jobs: list[Job]) -> list[Job]:
    """Keep the old suffix before the new one where two results would collide, as for a RAW + JPEG pair."""
    taken: dict[str, int] = {}
    for job in jobs:
        taken[str(job.output).lower()] = taken.get(str(job.output).lower(), 0) + 1

    def settle(job: Job) -> Job:
        if taken[str(job.output).lower()] == 1 or job.output.suffix == job.source.suffix:
            return job
        name = f"{job.output.stem}{job.source.suffix}{job.output.suffix}"
        return replace(job, output=job.output.with_name(name))

    return [settle(job) for job in jobs]
