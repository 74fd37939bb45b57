"""The board by which the picture is decided: every method on every validation photo, in one run.

Pairs (LOL, backlit) are compared with their references, as they are and after one gain a photo; lime, mef and
dicm and hard, which have none, are judged by NIQE, LOE and colour shift; LOL's well-lit photos show how far a good
photo is left alone. split.tsv assigns every photo, by a hash of its name, to the half by which weights are chosen
(tune) or to the one that only reports. Imported by score.py and pairs.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from enlighten_cli import photo
from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.enhancement import guided_filter
from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.errors import PhotoError
from enlighten_cli.evaluation.interval import Interval, difference, interval
from enlighten_cli.methods import METHODS
from enlighten_cli.methods.gamma import gamma
from enlighten_cli.metrics import METRICS, measured
from enlighten_cli.metrics.psnr import psnr
from enlighten_cli.models.session import open_model
from enlighten_cli.photo import LUMA, Photo, Pixels, as_pixels, as_rgb, as_srgb
from enlighten_cli.resources import available_cores
from library.fusion_network import FusionNetwork

PAIRED, UNPAIRED = ("lol", "backlit", "bracket", "fivek"), ("lime", "mef", "dicm", "hard")
HALVES = ("tune", "report")
SPLIT = Path(__file__).with_name("split.tsv")
LIGHT, NEARLY_WHITE = 235, 250  # luma that was below the first and is now at least the second is newly clipped
LEFT_OUT = {"lime/5.png"}  # not among the nine photos of the published figures
OPTIONAL = tuple(name for name, metric in METRICS.items() if metric.is_optional)
GAMMA045 = "gamma045"
FUSION = "fusion-in-pipeline"
MODEL, OUTPUTS = "model:", "outputs:"
# Ways to use a model, MODEL@VARIANT: options, and the part of the guided filter's residual that is added back.
VARIANTS = {
    "": (Options(), None),
    "full": (Options(mode=Mode.FULL), None),
    "denoise-off": (Options(denoise=0.0), None),
    "finish-0": (Options(), 0.0),
}
WELL_LIT = "well-lit"
COST = "cpu_seconds_mpixel"  # of one core; a model's first photo includes its loading


@dataclass(frozen=True)
class Task:
    """One photo, to be judged for all methods: where it is, and what it is compared with."""

    set: str
    path: Path
    reference: Path | None


@dataclass
class Board:
    """Values by method, set and metric, a photo each in one order."""

    photos: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, dict[str, dict[str, list[float]]]] = field(default_factory=dict)

    def add(self, task: Task, scores: dict[str, dict[str, float]]) -> None:
        """Add what all methods made of a photo."""
        self.photos.setdefault(task.set, []).append(task.path.name)
        for method, measured_values in scores.items():
            for metric, value in measured_values.items():
                self.values.setdefault(method, {}).setdefault(task.set, {}).setdefault(metric, []).append(value)

    def means(self, half: str = "") -> dict[str, dict[str, dict[str, Interval]]]:
        """Return means with their intervals, by method, set and metric; of one of the `HALVES`, or of all photos."""
        halves = split()
        counted = {
            name: [not half or halves.get((_folder(name), Path(photo).stem)) == half for photo in photos]
            for name, photos in self.photos.items()
        }
        return {
            method: {
                name: {
                    metric: interval(
                        [
                            value
                            for value, counts in zip(values, counted[name], strict=True)
                            if counts and np.isfinite(value)
                        ]
                        or [np.nan]
                    )
                    for metric, values in metrics.items()
                }
                for name, metrics in sets.items()
            }
            for method, sets in self.values.items()
        }

    def differences(self) -> Iterator[tuple[str, str, str, str, Interval]]:
        """Yield every two methods' paired difference: set, metric, one, other, one minus other."""
        methods = list(self.values)
        for name in self.photos:
            for metric in self.values[methods[0]].get(name, {}):
                for place, one in enumerate(methods):
                    for other in methods[place + 1 :]:
                        pair = (self.values[each].get(name, {}).get(metric, []) for each in (one, other))
                        first, second = pair
                        if len(first) == len(second) and first and np.isfinite([*first, *second]).all():
                            yield name, metric, one, other, difference(first, second)


@cache
def split() -> dict[tuple[str, str], str]:
    """Return the half of each photo, by its set and stem."""
    rows = [line.split("\t") for line in SPLIT.read_text(encoding="utf-8").splitlines()[1:]]
    return {(name, stem): half for name, stem, half in rows}


def _folder(name: str) -> str:
    return "lol" if name == WELL_LIT else name


def newly_clipped(after: Pixels, before: Pixels) -> float:
    """Return the percentage of pixels with luma of nearly white that were not light before."""
    return float(100 * ((after @ LUMA >= NEARLY_WHITE) & (before @ LUMA < LIGHT)).mean())


def tasks(val: Path, only: Sequence[str], every: int) -> list[Task]:
    """List what there is to judge: all sets, or some of them, or every so-many-th photo."""
    found = []
    for name in PAIRED:
        if (not only or name in only) and (val / name / "low").is_dir():
            references = {path.stem: path for path in find_photos(val / name / "high")}
            paths = find_photos(val / name / "low")[::every]
            found += [Task(name, path, references[path.stem]) for path in paths]
            if name == "lol" and not only:
                found += [Task(WELL_LIT, references[path.stem], references[path.stem]) for path in paths]
    for name in UNPAIRED:
        if (not only or name in only) and (val / name).is_dir():
            paths = [path for path in find_photos(val / name) if f"{name}/{path.name}" not in LEFT_OUT]
            found += [Task(name, path, None) for path in paths[::every]]
    return found


def run(found: Sequence[Task], methods: Sequence[str], vgg: Path | None) -> Board:
    """Judge all of it on all cores, a process each."""
    board = Board()
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(available_cores()) as pool:
        count = len(found)
        judged = pool.map(judge, found, [tuple(methods)] * count, [vgg] * count, chunksize=1)
        for task, scores in zip(found, judged, strict=True):
            board.add(task, scores)
    return board


def judge(task: Task, methods: Sequence[str], vgg: Path | None) -> dict[str, dict[str, float]]:
    """Return what each method's result of a photo measures."""
    decoded = photo.decode(task.path)
    before = as_srgb(decoded)
    reference = as_srgb(photo.decode(task.reference)) if task.reference else None
    distance = _distance(vgg) if vgg and task.set in PAIRED else None
    wanted = distance.features(middle(reference)) if distance and reference is not None else None
    scores = {}
    for method in methods:
        began = time.process_time()
        after = made(method, decoded, task)
        seconds = time.process_time() - began
        if task.set == WELL_LIT:
            assert reference is not None
            values = {"psnr": min(psnr(after, reference), 100.0)}
        elif reference is not None:
            values = measured(after, reference=reference, optional=OPTIONAL)
            if distance and wanted is not None:
                values["perceptual"] = distance(distance.features(middle(after)), wanted)
        else:
            compared = measured(after, before=before)
            values = {name: compared[name] for name in ("niqe", "loe", "colour_shift") if name in compared}
        values["newly_clipped"] = newly_clipped(after, before)
        if not method.startswith(OUTPUTS):
            values[COST] = seconds / (decoded.height * decoded.width / 1e6)
        scores[method] = values
    return scores


def middle(pixels: Pixels) -> Pixels:
    """Return the middle of a photo, half of its area: VGG-16 takes most of the board's time."""
    height, width = pixels.shape[:2]
    top, left = (round(length * (1 - 0.5**0.5) / 2) for length in (height, width))
    return pixels[top : height - top, left : width - left]


def made(method: str, decoded: Photo, task: Task) -> Pixels:
    """Return a method's result as 8-bit sRGB: of ours, a model's, or one that was made elsewhere."""
    if method.startswith(OUTPUTS):
        _, _, folder = method.removeprefix(OUTPUTS).partition("=")
        base = Path(folder, task.set)
        found = [path for path in find_photos(base if base.is_dir() else Path(folder)) if path.stem == task.path.stem]
        if len(found) != 1:
            raise PhotoError(f"{folder}: {len(found)} results of {task.path.name}")
        return as_srgb(photo.decode(found[0]))
    if method.startswith(MODEL):
        return as_srgb(_enhanced(decoded, method.removeprefix(MODEL)))
    if method == FUSION:
        return as_srgb(enhance(decoded, FusionNetwork(), Options()))
    rgb = as_rgb(as_srgb(decoded))
    return as_pixels(gamma(rgb, 0.45) if method == GAMMA045 else METHODS[method].enhance(rgb))


def _enhanced(decoded: Photo, name: str) -> Photo:
    model, _, variant = name.partition("@")
    options, finish = VARIANTS[variant]
    usual = guided_filter.RESIDUAL_WEIGHT
    try:
        guided_filter.RESIDUAL_WEIGHT = usual if finish is None else np.float32(finish)
        return enhance(decoded, _model(model), options)
    finally:
        guided_filter.RESIDUAL_WEIGHT = usual


@cache
def _model(name: str):  # noqa: ANN202
    return open_model(name, threads=1)


@cache
def _distance(vgg: Path):  # noqa: ANN202
    import torch

    from library.perceptual import PerceptualDistance

    torch.set_num_threads(1)
    return PerceptualDistance(vgg)
