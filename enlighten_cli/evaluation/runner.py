"""Enhance folders of photos by each method, and score the results."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from enlighten_cli import photo
from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.errors import PhotoError, UsageError
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
        If a folder has no photos, a photo no reference or more than one, or several folders
        share one folder of references.
    """
    if reference is not None and len(folders) != 1:
        raise UsageError("--reference belongs to one folder; evaluate other folders separately")
    names = [folder.resolve().name for folder in folders]
    sets = []
    for folder, name in zip(folders, names, strict=True):
        paths = tuple(find_photos(folder))
        if not paths:
            raise UsageError(f"{folder}: no photos")
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


def evaluate(
    sets: Sequence[PhotoSet],
    candidates: Mapping[str, Candidate],
    see: Callable[[Scores, Pixels, Pixels], None] = lambda scores, before, after: None,
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
        If a photo cannot be read: a mean over the others would not be comparable.
    """
    with ThreadPoolExecutor(available_cores()) as pool:
        waiting: list[tuple[Future[Scores], Pixels, Pixels]] = []

        def finished(most: int) -> Iterator[Scores]:
            while len(waiting) > most:
                future, before, after = waiting.pop(0)
                scores = future.result()
                see(scores, before, after)
                yield scores

        for photos in sets:
            for method, candidate in candidates.items():
                for path in photos.paths:
                    before, after, seconds = _enhanced(path, candidate)
                    reference = _read(photos.references[path]) if path in photos.references else None
                    known = {"seconds": seconds} if candidate.is_timed else {}
                    name = path.relative_to(photos.folder).as_posix()
                    if scored:
                        future = pool.submit(
                            _scored, photos.name, method, name, before, after, reference, known, optional
                        )
                    else:
                        future = pool.submit(Scores, photos.name, method, name, known)
                    waiting.append((future, before, after))
                    yield from finished(2 * available_cores())
        yield from finished(0)


def _read(path: Path) -> Pixels:
    try:
        return as_srgb(photo.decode(path))
    except PhotoError as error:
        raise PhotoError(f"{path}: {error}") from error


def _enhanced(path: Path, candidate: Candidate) -> tuple[Pixels, Pixels, float]:
    try:
        decoded = photo.decode(path)
    except PhotoError as error:
        raise PhotoError(f"{path}: {error}") from error
    began = time.perf_counter()
    enhanced = candidate.enhance(decoded, path)
    seconds = time.perf_counter() - began
    return as_srgb(decoded), as_srgb(enhanced), seconds


def _scored(
    set_name: str,
    method: str,
    name: str,
    before: Pixels,
    after: Pixels,
    reference: Pixels | None,
    known: dict[str, float],
    optional: Collection[str],
) -> Scores:
    try:
        # Metrics that compare with the input say nothing about the input itself.
        values = measured(after, before=None if method == INPUT else before, reference=reference, optional=optional)
    except PhotoError as error:
        raise PhotoError(f"{set_name}/{name}: {error}") from error
    return Scores(set_name, method, name, {**values, **known})
