"""Find the photos among the paths of a command, and plan where their results go."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, groupby, takewhile
from pathlib import Path
from typing import NamedTuple

from enlighten_cli.batch.collisions import Mirror, without_collisions
from enlighten_cli.batch.naming import NameTemplate
from enlighten_cli.batch.paths import PathIdentities, Taken, ignores_case, is_below, is_folder, photos_below, real
from enlighten_cli.errors import NothingToDoError, PhotoError, UsageError
from enlighten_cli.originals import Originals, Others, ids_of
from enlighten_cli.photo import FORMATS, RAW, RAW_RESULT, SUFFIXES, is_photo
from enlighten_cli.stores.address import Address, Place, fault_of_parts


@dataclass(frozen=True)
class Job:
    """One photo to read, and where its result goes."""

    source: Place
    output: Place
    format: str | None = None
    """A name in `photo.FORMATS`; None keeps the photo's own."""
    others: Others | None = field(default=None, compare=False, repr=False)
    """The inputs of its batch, which its result must not replace."""

    def __getstate__(self) -> dict[str, object]:
        """Leave out the other inputs, which only the machine that plans the batch can tell."""
        return {**self.__dict__, "others": None}

    @property
    def originals(self) -> Originals:
        """What its result must not replace."""
        return Originals([self.source] if isinstance(self.source, Path) else [], self.others)


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
        if self._real_without is None:
            return False
        folder = Path(parent, name)
        if os.path.realpath(folder) == self._real_without:
            return True
        return isinstance(self.without, Path) and not ids_of(folder).isdisjoint(ids_of(self.without))


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
    others = Others(partial(_sources, Photos(photos.inputs, destination.path), destination))
    jobs: Iterator[Job] = (replace(job, others=others) for job in _jobs(photos, destination))
    if _is_mirrored(photos, destination):
        # Results mostly collide within one folder alone, so that each is checked as it is reached.
        folders = groupby(jobs, lambda job: job.source.parent)

        def jobs_in(folder: Place) -> list[Job]:
            found = _jobs(Photos([folder], destination.path), destination, photos.inputs[0])
            return [*takewhile(lambda job: job.source.parent == folder, found)]

        mirror = Mirror(photos, destination, jobs_in)
        jobs = chain.from_iterable(mirror.without_collisions(list(group)) for _, group in folders)
    else:
        jobs = iter(without_collisions(list(jobs), photos, destination, PathIdentities()))
    first = next(jobs, None)
    if first is None:
        raise NothingToDoError(f"no photos found; {photos.ignored} other files were ignored", *photos.unreadable)
    return _chained(first, jobs)


def _chained(first: Job, jobs: Iterator[Job]) -> Iterator[Job]:
    yield first
    yield from jobs


def _jobs(photos: Photos, destination: Destination, top: Place | None = None) -> Iterator[Job]:
    """Yield the jobs of photos; their results lie as below `top`, by default the input folder of each."""
    taken = Taken(os.path.exists)
    for source, root, named in photos:
        if destination.path is None and not named and destination.template.marks(source, taken):
            photos.ignored += 1  # the result of an earlier run
            continue
        try:
            job = destination.job(source, top or root)
        except PhotoError as error:
            photos.unreadable.append(str(error))
            continue
        yield job


def _sources(photos: Photos, destination: Destination) -> Iterator[Path]:
    """Yield the photos that are inputs, and not results of earlier runs."""
    own = real(destination.path) if destination.path and destination.is_folder else None
    for job in _jobs(photos, destination):
        if isinstance(job.source, Path) and not (own and is_below(real(job.source.parent), own)):
            yield job.source


def _is_mirrored(photos: Photos, destination: Destination) -> bool:
    """Tell whether one folder's tree goes to another one."""
    if len(photos.inputs) != 1 or not is_folder(photos.inputs[0]) or destination.path is None:
        return False
    source, result = photos.inputs[0], destination.path
    if is_below(real(source), real(result)):
        return False
    # Two folders of the source could otherwise become one.
    return ignores_case(source) or not ignores_case(result)
