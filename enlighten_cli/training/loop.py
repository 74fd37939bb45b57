"""The training loop, read from top to bottom."""

from __future__ import annotations

import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import nn

from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.errors import TrainingError
from enlighten_cli.evaluation.sheet import contact_sheet
from enlighten_cli.models.network import BYTES_PER_PIXEL, RECEPTIVE_FIELD_PX
from enlighten_cli.photo import Photo, Pixels, Rgb, encode
from enlighten_cli.training.checkpoint import TrainState, write_weights
from enlighten_cli.training.data.dataset import UnpairedPhotos, batches
from enlighten_cli.training.distributed import ALONE, Group
from enlighten_cli.training.networks.generator import EnlightenNet
from enlighten_cli.training.objectives.steps import step

CHECKPOINT = "checkpoint.safetensors"
STATS = "stats.jsonl"
SHEET = "sheet-{:08d}.jpg"  # after so many images
SNAPSHOTS = 20  # a run
STATUS_STEPS = 25


@dataclass(frozen=True)
class Status:
    """Where a run stands; one line of ``stats.jsonl``."""

    images: int
    images_per_second: float
    learning_rate_factor: float
    losses: dict[str, float] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Watch:
    """How somebody looks at a run while it goes, without changing it.

    Parameters
    ----------
    sheet : sequence of ndarray, shape (H, W, 3), uint8
        Photos of which a sheet, input beside enhanced, is made at every snapshot.
    score : callable
        Given enhanced photos, returns named scores for the log.
    tell : callable
        Receives every `Status`.
    stopping : callable
        Asked after every step; true ends the run early, with a checkpoint.
    """

    sheet: Sequence[Pixels] = ()
    score: Callable[[Sequence[Pixels]], dict[str, float]] = lambda photos: {}
    tell: Callable[[Status], None] = lambda status: None
    stopping: Callable[[], bool] = lambda: False


def train(
    state: TrainState,
    photos: UnpairedPhotos,
    features: nn.Module,
    run: Path,
    workers: int,
    watch: Watch,
    group: Group = ALONE,
) -> bool:
    """Train until the configured number of images was seen.

    Parameters
    ----------
    state : TrainState
        Changed in place.
    photos : UnpairedPhotos
    features : Module
        `VggFeatures`, on the state's device.
    run : Path
        An existing folder for ``stats.jsonl``, sheets, snapshots and the checkpoint.
    workers : int
        Processes that prepare crops, or 0; they change nothing but the speed, and the rounding where
        a GPU makes the samples.
    watch : Watch
    group : Group
        The processes that share the run; each takes its part of every batch.

    Returns
    -------
    bool
        Whether the run is complete; false if it was stopped early.

    Raises
    ------
    TrainingError
        If a loss is not finite; the message names the image and the term.
    """
    config = state.config
    every = max(config.batch, config.images // SNAPSHOTS)
    sums: dict[str, float] = defaultdict(float)
    steps, began = 0, time.monotonic()

    with (run / STATS if group.leads else Path(os.devnull)).open("a", encoding="utf-8") as stats:
        for sample in batches(photos, state.images_seen, workers, group):
            terms = step(state, features, sample, group)
            before, state.images_seen = state.images_seen, state.images_seen + len(sample.low) * group.size
            state.update_average()

            # Look at what came out of it.
            for name, value in terms.items():
                if not math.isfinite(value):
                    raise TrainingError(f"the {name} loss is {value} at image {state.images_seen}")
                sums[name] += value
            steps += 1

            # Tell, draw, save.
            done = state.images_seen >= config.images
            stopping = group.any(watch.stopping(), state.device)
            snapshot = done or state.images_seen // every > before // every
            if not group.leads:
                if stopping and not done:
                    return False
                continue
            if steps == STATUS_STEPS or snapshot or stopping:
                speed = steps * config.batch / (time.monotonic() - began)
                scores = _snapshot(state, run, watch) if snapshot else {}
                means = {name: total / steps for name, total in sums.items()}
                status = Status(state.images_seen, speed, config.learning_rate_factor(state.images_seen), means, scores)
                _append(stats, status)
                watch.tell(status)
                sums.clear()
                steps, began = 0, time.monotonic()
            if snapshot or stopping:
                state.save(run / CHECKPOINT)
            if stopping and not done:
                return False
    return True


class GeneratorAsNetwork:
    """A generator as a network for enhancement: (H, W, 3) to (H, W, 3), and what it judges light from."""

    def __init__(self, generator: EnlightenNet, look_pixels: int) -> None:
        self._generator = generator
        self.training_pixels = look_pixels
        self.receptive_field_px = RECEPTIVE_FIELD_PX
        self.bytes_per_pixel = BYTES_PER_PIXEL

    @torch.no_grad()
    def __call__(self, rgb: Rgb) -> Rgb:
        """Enhance a photo of multiples of 16, on the generator's device."""
        device = next(self._generator.parameters()).device
        made = self._generator(torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].to(device))
        return np.asarray(made[0].permute(1, 2, 0).cpu().numpy())


def _snapshot(state: TrainState, run: Path, watch: Watch) -> dict[str, float]:
    """Keep the averaged generator as it is now, with pictures as it makes them in use, and scores."""
    name = f"{state.images_seen:08d}"
    write_weights(
        run / f"generator-{name}.safetensors",
        state.average,
        {},
        {"images": str(state.images_seen), "look_pixels": str(state.config.look_pixels)},
    )
    if not watch.sheet:
        return {}
    network = GeneratorAsNetwork(state.average, state.config.look_pixels)
    enhanced = [enhance(Photo(pixels, "PNG"), network, Options()).pixels for pixels in watch.sheet]
    sheet = contact_sheet(list(zip(watch.sheet, enhanced, strict=True)))
    (run / SHEET.format(state.images_seen)).write_bytes(encode(Photo(sheet, "JPEG")))
    return watch.score(enhanced)


def _append(stats: IO[str], status: Status) -> None:
    stats.write(json.dumps(vars(status)) + "\n")
    stats.flush()
