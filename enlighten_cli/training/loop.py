"""The training loop."""

from __future__ import annotations

import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from enlighten_cli.errors import TrainingError
from enlighten_cli.evaluation.sheet import contact_sheet
from enlighten_cli.photo import Photo, Pixels, encode
from enlighten_cli.training.data.batches import batches
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.objectives import Objective
from enlighten_cli.training.state import TrainState

CHECKPOINT = "checkpoint.safetensors"
STATS = "stats.jsonl"
SHEET = "sheet-{:08d}.jpg"  # number of images seen
SNAPSHOTS = 20  # per run
STATUS_STEPS = 25


@dataclass(frozen=True)
class Status:
    """The progress of a run; one line of ``stats.jsonl``."""

    images: int
    images_per_second: float
    learning_rate_factor: float
    losses: dict[str, float] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Watch:
    """Callbacks that monitor a run without influencing its results.

    Parameters
    ----------
    sheet : sequence of ndarray, shape (H, W, 3), uint8
        Photos for the contact sheet of each snapshot: input beside result.
    score : callable
        Receives the results for these photos, returns named scores for the log.
    tell : callable
        Receives each `Status`.
    stopping : callable
        Called after each step; if it returns true, the run ends early, with a checkpoint.
    """

    sheet: Sequence[Pixels] = ()
    score: Callable[[Sequence[Pixels]], dict[str, float]] = lambda photos: {}
    tell: Callable[[Status], None] = lambda status: None
    stopping: Callable[[], bool] = lambda: False


def train(state: TrainState, photos: PhotoFolders, run: Path, workers: int, watch: Watch) -> bool:
    """Train until the network has seen the configured number of images.

    Parameters
    ----------
    state : TrainState
        Changed in place.
    photos : PhotoFolders
    run : Path
        An existing folder for ``stats.jsonl``, sheets, snapshots and the checkpoint.
    workers : int
        Number of processes that prepare samples, or 0. It influences the speed only, and the rounding if
        a GPU makes the samples.
    watch : Watch

    Returns
    -------
    bool
        Whether the run is complete; false if it was stopped early.

    Raises
    ------
    TrainingError
        If a loss is not finite; the message names the image and the term.
    """
    config, group = state.config, state.descent.group
    every = max(config.batch, config.images // SNAPSHOTS)
    sums: dict[str, float] = defaultdict(float)
    steps, began = 0, time.monotonic()

    with (run / STATS if group.is_main else Path(os.devnull)).open("a", encoding="utf-8") as stats:
        for objective, batch in _steps(state, photos, workers):
            # Learn.
            state.set_learning_rates()
            losses = objective.step(batch, state.images_seen)
            before, state.images_seen = state.images_seen, state.images_seen + len(batch.numbers) * group.size
            state.update_average()

            # Report and save.
            for name, value in _finite(losses, state.images_seen).items():
                sums[name] += value
            steps += 1
            done = state.images_seen >= config.images
            stopping = group.any(watch.stopping(), state.descent.device)
            snapshot = done or state.images_seen // every > before // every
            if group.is_main and (steps == STATUS_STEPS or snapshot or stopping):
                speed = steps * config.batch / (time.monotonic() - began)
                scores = _snapshot(state, run, watch) if snapshot else {}
                means = {name: total / steps for name, total in sums.items()}
                status = Status(state.images_seen, speed, config.learning_rate_factor(state.images_seen), means, scores)
                _append(stats, status)
                watch.tell(status)
                sums.clear()
                steps, began = 0, time.monotonic()
            if group.is_main and (snapshot or stopping):
                state.save(run / CHECKPOINT)
            if stopping and not done:
                return False
    return True


def _steps(state: TrainState, photos: PhotoFolders, workers: int) -> Iterator[tuple[Objective, Any]]:
    """Yield the rest of the run: each objective in turn, with its batches."""
    for stage in state.stages:
        if state.images_seen < stage.until:
            samples, group = stage.objective.samples(photos), state.descent.group
            for batch in batches(samples, state.config, state.images_seen, stage.until, workers, group):
                yield stage.objective, batch


def _finite(losses: Mapping[str, Tensor], images_seen: int) -> dict[str, float]:
    """Copy the losses to the CPU in one transfer; fail if one is not finite."""
    values = torch.stack([loss.detach() for loss in losses.values()]).tolist()
    for name, value in zip(losses, values, strict=True):
        if not math.isfinite(value):
            raise TrainingError(f"the {name} loss is {value} at image {images_seen}; try a lower learning rate (--lr)")
    return dict(zip(losses, values, strict=True))


def _snapshot(state: TrainState, run: Path, watch: Watch) -> dict[str, float]:
    """Save the current average, a contact sheet of its results, and return its scores."""
    state.save_average(run)
    if not watch.sheet:
        return {}
    results = [state.objective.picture(state.average, pixels) for pixels in watch.sheet]
    sheet = contact_sheet(list(zip(watch.sheet, results, strict=True)))
    (run / SHEET.format(state.images_seen)).write_bytes(encode(Photo(sheet, "JPEG")))
    return watch.score(results)


def _append(stats: IO[str], status: Status) -> None:
    stats.write(json.dumps(vars(status)) + "\n")
    stats.flush()
