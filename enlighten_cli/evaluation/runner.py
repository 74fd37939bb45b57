"""Folders of photos -> what each method makes of them -> scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from enlighten_cli import __version__, photo
from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.errors import MissingDependencyError, PhotoError, UsageError
from enlighten_cli.metrics.colour_shift import colour_shift
from enlighten_cli.metrics.loe import loe
from enlighten_cli.metrics.luma import mean_luma
from enlighten_cli.metrics.niqe import niqe
from enlighten_cli.metrics.psnr import psnr
from enlighten_cli.metrics.ssim import ssim
from enlighten_cli.photo import Photo, Pixels, as_srgb
from enlighten_cli.resources import available_cores

Enhance: TypeAlias = Callable[[Photo], Photo]

METRICS = ("niqe", "loe", "colour_shift", "luma", "psnr", "ssim", "seconds")
HIGHER_IS_BETTER = ("psnr", "ssim")
NOT_COMPARED = ("luma", "seconds")
PLAIN_METHODS = ("input", "gamma", "clahe", "equalize")
GAMMA = 1 / 2.2
WITHOUT_MEANING = ("loe", "colour_shift", "seconds")  # for photos taken as they are


@dataclass(frozen=True)
class Scores:
    """What one method made of one photo, in figures.

    Parameters
    ----------
    set, method, photo : str
        The folder's name, the method's, and the photo's path below the folder.
    values : dict
        By metric; those that could not be measured are left out.
    """

    set: str
    method: str
    photo: str
    values: dict[str, float]

    def record(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {"set": self.set, "method": self.method, "photo": self.photo, **self.values}


@dataclass(frozen=True)
class Row:
    """Means over a set."""

    set: str
    method: str
    count: int
    means: dict[str, float]

    def record(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        means = {metric: {"mean": value} for metric, value in self.means.items()}
        return {"set": self.set, "method": self.method, "count": self.count, **means}


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


def plain_method(name: str) -> Enhance:
    """Return a method that needs no model: ``input``, ``gamma``, ``clahe`` or ``equalize``.

    Gamma raises sRGB to 1/2.2; the others are scikit-image's, on the value of HSV, with its
    defaults.

    Raises
    ------
    MissingDependencyError
        If scikit-image is needed and absent.
    """
    if name == "input":
        return lambda before: before
    if name == "gamma":
        table = np.rint(255 * (np.arange(256) / 255) ** GAMMA).astype(np.uint8)
        return lambda before: Photo(table[as_srgb(before)], "PNG")
    try:
        from skimage.color import hsv2rgb, rgb2hsv
        from skimage.exposure import equalize_adapthist, equalize_hist
    except ImportError as error:
        raise MissingDependencyError(f"{name} needs scikit-image: pip install scikit-image") from error
    equalise = equalize_adapthist if name == "clahe" else equalize_hist

    def method(before: Photo) -> Photo:
        hsv = rgb2hsv(as_srgb(before))
        hsv[..., 2] = equalise(hsv[..., 2])
        return Photo(np.rint(hsv2rgb(hsv).clip(0, 1) * 255).astype(np.uint8), "PNG")

    return method


def evaluate(
    sets: Sequence[PhotoSet],
    methods: dict[str, Enhance],
    see: Callable[[Scores, Pixels, Pixels], None] = lambda scores, before, after: None,
) -> Iterator[Scores]:
    """Enhance photo by photo, and score on all cores meanwhile.

    Parameters
    ----------
    sets : sequence of PhotoSet
    methods : dict
        By name, what makes a photo of a photo.
    see : callable
        Receives scores and the photo before and after, 8-bit sRGB; in order.

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
                    known = {} if method == "input" else {"seconds": seconds}
                    name = path.relative_to(photos.folder).as_posix()
                    future = pool.submit(_scored, photos.name, method, name, before, after, reference, known)
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
    values = measure(before, after)
    if method == "input":
        values = {metric: value for metric, value in values.items() if metric not in WITHOUT_MEANING}
    try:
        if reference is not None:
            values |= {"psnr": psnr(after, reference), "ssim": ssim(after, reference)}
    except PhotoError as error:
        raise PhotoError(f"{set_name}/{name}: {error}") from error
    return Scores(set_name, method, name, {**values, **known})


def measure(before: Pixels, after: Pixels) -> dict[str, float]:
    """Measure what needs no reference: niqe, where the photo is large enough, loe, colour shift and luma."""
    values = {"loe": loe(after, before), "colour_shift": colour_shift(after, before), "luma": mean_luma(after)}
    try:
        return {"niqe": niqe(after), **values}
    except PhotoError:
        return values


def rows_of(scores: Iterable[Scores]) -> list[Row]:
    """Average scores over sets and methods, in the order in which they came."""
    groups: dict[tuple[str, str], list[Scores]] = {}
    for each in scores:
        groups.setdefault((each.set, each.method), []).append(each)
    rows = []
    for (set_name, method), members in groups.items():
        means = {}
        for metric in METRICS:
            values = [member.values[metric] for member in members if metric in member.values]
            if values:
                means[metric] = float(np.mean(values))
        rows.append(Row(set_name, method, len(members), means))
    return rows


def best_of(rows: Sequence[Row], set_name: str, metric: str) -> float | None:
    """Return the best mean of a set; None where nothing is compared."""
    values = [row.means[metric] for row in rows if row.set == set_name and metric in row.means]
    if metric in NOT_COMPARED or len(values) < 2:
        return None
    return max(values) if metric in HIGHER_IS_BETTER else min(values)


def provenance(models: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Return what figures depend on: versions, models with hashes and providers, options."""
    from importlib import metadata

    versions = {"enlighten": __version__}
    for name in ("numpy", "pillow", "scikit-image", "onnxruntime", "onnxruntime-gpu"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {"versions": versions, "models": models, "options": options}
