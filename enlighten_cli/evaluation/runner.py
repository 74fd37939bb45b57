"""Enhance folders of photos by each method, and score the results."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from enlighten_cli import photo
from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.errors import TOO_LITTLE_MEMORY, NothingToDoError, OutOfMemoryError, PhotoError, UsageError
from enlighten_cli.evaluation.tables import Scores
from enlighten_cli.metrics import measured
from enlighten_cli.models.network import Network
from enlighten_cli.photo import Photo, Pixels, Rgb, as_pixels, as_rgb, as_srgb
from enlighten_cli.resources import available_cores

INPUT = "input"  # the method that leaves photos as they are


@dataclass(frozen=True)
class PhotoSet:
    """A folder to evaluate, and the references of its photos, if any."""

    name: str
    folder: Path
    paths: tuple[Path, ...]
    references: dict[Path, Path]


def photo_sets(folders: Sequence[Path], reference: Path | None) -> list[PhotoSet]:
    """Find the photos of folders, and their references by the stem of their names.

    Raises
    ------
    UsageError
        If a photo has no reference or more than one, or several folders share one folder of references.
    NothingToDoError
        If a folder has no photos.
    """
    if reference is not None and len(folders) != 1:
        raise UsageError("--reference belongs to one folder; evaluate other folders separately")
    names = [folder.resolve().name for folder in folders]
    sets = []
    for folder, name in zip(folders, names, strict=True):
        paths = tuple(find_photos(folder))
        if not paths:
            raise NothingToDoError(f"{folder}: no photos found")
        references = _matched(paths, reference) if reference is not None else {}
        sets.append(PhotoSet(name if names.count(name) == 1 else str(folder), folder, paths, references))
    return sets


def _matched(paths: Sequence[Path], reference: Path, what: str = "reference") -> dict[Path, Path]:
    by_stem: dict[str, list[Path]] = {}
    for path in find_photos(reference):
        by_stem.setdefault(path.stem, []).append(path)
    for problem, wrong in (
        (f"no {what} for", [path for path in paths if path.stem not in by_stem]),
        (f"more than one {what} for", [path for path in paths if len(by_stem.get(path.stem, [])) > 1]),
    ):
        if wrong:
            more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            raise UsageError(f"{reference}: {problem}: {', '.join(path.name for path in wrong[:3])}{more}")
    return {path: by_stem[path.stem][0] for path in paths}


@dataclass(frozen=True)
class Candidate:
    """A method, model or folder of results to evaluate.

    Parameters
    ----------
    enhance : callable
        Given a decoded photo and its path, returns the result.
    is_timed : bool
        Whether its run time is reported.
    """

    enhance: Callable[[Photo, Path], Photo]
    is_timed: bool = True


def by_method(method: Callable[[Rgb], Rgb], *, is_timed: bool = True) -> Candidate:
    """Return a candidate that applies a method, RGB to RGB; its results are 8-bit sRGB."""
    return Candidate(lambda photo, path: Photo(as_pixels(method(as_rgb(as_srgb(photo)))), "PNG"), is_timed)


def by_network(network: Network, options: Options) -> Candidate:
    """Return a candidate that enhances by a network."""
    return Candidate(lambda photo, path: enhance(photo, network, options))


def by_outputs(folder: Path, sets: Sequence[PhotoSet]) -> Candidate:
    """Return a candidate that reads results of another program.

    Parameters
    ----------
    folder : Path
        Its photos are matched by the stems of their names. If there are several sets, each has a
        subfolder of its name.
    sets : sequence of PhotoSet

    Raises
    ------
    UsageError
        If a photo has no result or more than one.
    """
    results: dict[Path, Path] = {}
    for photos in sets:
        results |= _matched(photos.paths, folder / photos.name if len(sets) > 1 else folder, "result")
    return Candidate(lambda _, path: photo.decode(results[path]), is_timed=False)


@dataclass(frozen=True)
class Task:
    """A photo to enhance by one candidate, and to score.

    Parameters
    ----------
    set, method, name : str
        As in `Scores`.
    path : Path
    reference : Path or None
    """

    set: str
    method: str
    name: str
    path: Path
    reference: Path | None


class Measured(NamedTuple):
    """Scores, and the photo before and after, 8-bit sRGB, where somebody wants to see them."""

    scores: Scores
    before: Pixels | None
    after: Pixels | None


Failed: TypeAlias = Callable[[Task, PhotoError], None]


def tasks_of(sets: Sequence[PhotoSet], methods: Collection[str]) -> Iterator[Task]:
    """Yield the tasks of an evaluation: by set, then method, then photo."""
    for photos in sets:
        for method in methods:
            for path in photos.paths:
                name = path.relative_to(photos.folder).as_posix()
                yield Task(photos.name, method, name, path, photos.references.get(path))


def evaluate(
    sets: Sequence[PhotoSet],
    candidates: Mapping[str, Candidate],
    see: Callable[[Scores, Pixels, Pixels], None] = lambda scores, before, after: None,
    failed: Failed | None = None,
    *,
    scored: bool = True,
    optional: Collection[str] = (),
) -> Iterator[Scores]:
    """Enhance photo by photo, while results are scored on all cores.

    Parameters
    ----------
    sets : sequence of PhotoSet
    candidates : mapping
        Candidates by name.
    see : callable
        Receives scores and the photo before and after, 8-bit sRGB; in order.
    failed : callable, optional
        Told of each photo that cannot be read or scored; by default the first one ends it.
    scored : bool
        Whether to measure anything.
    optional : collection of str
        Names of optional metrics to measure too.

    Yields
    ------
    Scores
        By set, then method, then photo.

    Raises
    ------
    PhotoError
        If a photo cannot be read, and nobody is told: a mean over the others would not be comparable.
    """
    with ThreadPoolExecutor(available_cores()) as pool:

        def submit(task: Task) -> Future[Measured]:
            enhanced = enhanced_by(candidates[task.method], task)
            return pool.submit(scored_of, task, enhanced, optional if scored else None)

        yield from in_order(tasks_of(sets, candidates), submit, see, 2 * available_cores(), failed)


def in_order(
    tasks: Iterable[Task],
    submit: Callable[[Task], Future[Measured]],
    see: Callable[[Scores, Pixels, Pixels], None],
    most: int,
    failed: Failed | None = None,
) -> Iterator[Scores]:
    """Hand in tasks, and yield their scores in the same order.

    Parameters
    ----------
    tasks : iterable of Task
    submit, see : callable
    most : int
        Tasks that are waited for at the same time; they bound the memory.
    failed : callable, optional
        Told of each task that fails; by default the first one ends it.
    """
    waiting: deque[tuple[Task, Future[Measured]]] = deque()

    def finished(left: int) -> Iterator[Scores]:
        while len(waiting) > left:
            task, future = waiting.popleft()
            try:
                scores, before, after = future.result()
            except (PhotoError, OutOfMemoryError, MemoryError) as raised:
                error = fault_of(raised, task.path)
                if failed is None:
                    raise error from raised
                failed(task, error)
                continue
            if before is not None and after is not None:
                see(scores, before, after)
            yield scores

    for task in tasks:
        waiting.append((task, _submitted(task, submit)))
        yield from finished(most)
    yield from finished(0)


def _submitted(task: Task, submit: Callable[[Task], Future[Measured]]) -> Future[Measured]:
    """Hand in a task; its failure comes when its turn does."""
    try:
        return submit(task)
    except (PhotoError, OutOfMemoryError, MemoryError) as error:
        future: Future[Measured] = Future()
        future.set_exception(error)
        return future


def fault_of(error: Exception, path: Path) -> PhotoError:
    """Return the failure of one photo; too little memory for it is one, too."""
    if isinstance(error, PhotoError):
        return error
    return PhotoError(f"{path}: {str(error) if isinstance(error, OutOfMemoryError) else TOO_LITTLE_MEMORY}")


class EnhancedPixels(NamedTuple):
    """A photo before and after, 8-bit sRGB, and the times to report."""

    before: Pixels
    after: Pixels
    known: dict[str, float]


def enhanced_by(candidate: Candidate, task: Task) -> EnhancedPixels:
    """Enhance a photo.

    Raises
    ------
    PhotoError
        If it cannot be read.
    """
    decoded = _decoded(task.path)
    began = time.perf_counter()
    enhanced = candidate.enhance(decoded, task.path)
    seconds = time.perf_counter() - began
    return EnhancedPixels(as_srgb(decoded), as_srgb(enhanced), {"seconds": seconds} if candidate.is_timed else {})


def scored_of(
    task: Task, enhanced: EnhancedPixels, optional: Collection[str] | None, *, keeps_pixels: bool = True
) -> Measured:
    """Score a result.

    Parameters
    ----------
    task : Task
    enhanced : EnhancedPixels
    optional : collection of str or None
        Optional metrics to measure too; None measures nothing at all.
    keeps_pixels : bool
        Whether the pixels are part of what is returned.

    Raises
    ------
    PhotoError
        If the reference cannot be read, or does not fit.
    """
    before, after, known = enhanced
    values: dict[str, float] = {}
    if optional is not None:
        reference = as_srgb(_decoded(task.reference)) if task.reference else None
        try:
            # Metrics that compare with the input say nothing about the input itself.
            seen_before = None if task.method == INPUT else before
            values = measured(after, before=seen_before, reference=reference, optional=optional)
        except PhotoError as error:
            raise PhotoError(f"{task.set}/{task.name}: {error}") from error
    scores = Scores(task.set, task.method, task.name, {**values, **known})
    return Measured(scores, before, after) if keeps_pixels else Measured(scores, None, None)


def _decoded(path: Path) -> Photo:
    try:
        return photo.decode(path)
    except PhotoError as error:
        raise PhotoError(f"{path}: {error}") from error
