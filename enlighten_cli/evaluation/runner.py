"""Folders of photos -> what each method makes of them -> scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from enlighten_cli import photo
from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.errors import PhotoError, UsageError
from enlighten_cli.evaluation.tables import Scores
from enlighten_cli.metrics import measured
from enlighten_cli.photo import Photo, Pixels, Rgb, as_pixels, as_rgb, as_srgb
from enlighten_cli.resources import available_cores

Enhance: TypeAlias = Callable[[Photo], Photo]

INPUT = "input"  # the method that takes photos as they are


@dataclass(frozen=True)
class PhotoSet:
    """A folder to evaluate, and the reference of each photo where there is one."""

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
        raise UsageError("--reference belongs to one folder; evaluate the others without it")
    names = [folder.resolve().name for folder in folders]
    sets = []
    for folder, name in zip(folders, names, strict=True):
        paths = tuple(find_photos(folder))
        if not paths:
            raise UsageError(f"{folder}: no photos")
        references = _matched(paths, reference) if reference is not None else {}
        sets.append(PhotoSet(name if names.count(name) == 1 else str(folder), folder, paths, references))
    return sets


def _matched(paths: Sequence[Path], reference: Path) -> dict[Path, Path]:
    by_stem: dict[str, list[Path]] = {}
    for path in find_photos(reference):
        by_stem.setdefault(path.stem, []).append(path)
    for problem, wrong in (
        ("without a reference", [path for path in paths if path.stem not in by_stem]),
        ("with more than one reference", [path for path in paths if len(by_stem.get(path.stem, [])) > 1]),
    ):
        if wrong:
            more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            raise UsageError(f"{reference}: {problem}: {', '.join(path.name for path in wrong[:3])}{more}")
    return {path: by_stem[path.stem][0] for path in paths}


def by_method(method: Callable[[Rgb], Rgb]) -> Enhance:
    """Return what a method without a model, RGB to RGB, makes of a photo: 8-bit sRGB."""
    return lambda before: Photo(as_pixels(method(as_rgb(as_srgb(before)))), "PNG")


def evaluate(
    sets: Sequence[PhotoSet],
    methods: dict[str, Enhance],
    see: Callable[[Scores, Pixels, Pixels], None] = lambda scores, before, after: None,
    *,
    scored: bool = True,
) -> Iterator[Scores]:
    """Enhance photo by photo, and score on all cores meanwhile.

    Parameters
    ----------
    sets : sequence of PhotoSet
    methods : dict
        By name, what makes a photo of a photo.
    see : callable
        Receives scores and the photo before and after, 8-bit sRGB; in order.
    scored : bool
        Whether anything is measured.

    Yields
    ------
    Scores
        By set, then method, then photo.

    Raises
    ------
    PhotoError
        If a photo cannot be read: a mean over the others would be another figure.
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
            for method, enhance in methods.items():
                for path in photos.paths:
                    before, after, seconds = _enhanced(path, enhance)
                    reference = _read(photos.references[path]) if path in photos.references else None
                    known = {} if method == INPUT else {"seconds": seconds}
                    name = path.relative_to(photos.folder).as_posix()
                    if scored:
                        future = pool.submit(_scored, photos.name, method, name, before, after, reference, known)
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


def _enhanced(path: Path, enhance: Enhance) -> tuple[Pixels, Pixels, float]:
    try:
        decoded = photo.decode(path)
    except PhotoError as error:
        raise PhotoError(f"{path}: {error}") from error
    began = time.perf_counter()
    enhanced = enhance(decoded)
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
) -> Scores:
    try:
        # Of a photo taken as it is, what compares it with itself says nothing.
        values = measured(after, before=None if method == INPUT else before, reference=reference)
    except PhotoError as error:
        raise PhotoError(f"{set_name}/{name}: {error}") from error
    return Scores(set_name, method, name, {**values, **known})
