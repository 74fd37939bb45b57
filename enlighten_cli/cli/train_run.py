"""Run ``enlighten train``: open the photos, train, follow the run, export the model."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click
import numpy as np

from enlighten_cli import photo
from enlighten_cli.atomic_write import write_whole
from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.cli.signals import SIGNALLED, interruptible
from enlighten_cli.cli.train_options import CONFIG, workers_for
from enlighten_cli.cli.training_log import TrainingLog
from enlighten_cli.errors import MissingDependencyError, PhotoError, TrainingError, UsageError
from enlighten_cli.evaluation.plots import run_curves
from enlighten_cli.metrics.niqe import niqe
from enlighten_cli.models import download
from enlighten_cli.models.registry import VGG16
from enlighten_cli.photo import Pixels
from enlighten_cli.temporaries import remove_stale_temporaries
from enlighten_cli.training import loop
from enlighten_cli.training.checkpoint import Weights, read_tensors
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.distributed import Group, joined
from enlighten_cli.training.loop import CHECKPOINT, STATS, Watch
from enlighten_cli.training.networks.vgg import VggFeatures
from enlighten_cli.training.recipe import read_options
from enlighten_cli.training.registry import OBJECTIVES
from enlighten_cli.training.state import TrainState

if TYPE_CHECKING:
    import torch
    from torch import nn

MODEL = "model"
SETTING = "setting.json"
CURVES = "curves.png"
SMALL_BATCH = 8
SHEET_PHOTOS = 4


@dataclass(frozen=True)
class Setting:
    """Settings of a run that do not change what it learns, except by rounding and skipped photos.

    `workers` is None for the default number, `vgg` if VGG-16 is to be downloaded, `val` if the sample sheets show
    training photos. With `skip_bad`, photos that cannot be read are skipped.
    """

    run: Path
    device: torch.device
    workers: int | None
    vgg: Path | None
    val: Path | None
    skip_bad: bool
    tensorboard: bool

    def remember(self) -> None:
        """Save the settings that --resume needs on this machine."""
        kept = {
            "vgg": str(self.vgg.resolve()) if self.vgg else None,
            "val": str(self.val.resolve()) if self.val else None,
            "skip_bad": self.skip_bad,
        }
        write_whole(self.run / SETTING, (json.dumps(kept, indent=2) + "\n").encode())

    def remembered(self) -> Self:
        """Return the settings, with saved values for those that were not given.

        Raises
        ------
        UsageError
            If a saved path no longer exists.
        """
        kept = read_options(self.run / SETTING) if (self.run / SETTING).is_file() else {}
        vgg, val = (given or _kept_path(kept, name) for name, given in (("vgg", self.vgg), ("val", self.val)))
        return replace(self, vgg=vgg, val=val, skip_bad=self.skip_bad or kept.get("skip_bad") is True)


def _kept_path(kept: dict[str, Any], name: str) -> Path | None:
    if not kept.get(name):
        return None
    path = Path(str(kept[name]))
    if not path.exists():
        raise UsageError(f"{path}: no longer exists; give --{name}")
    return path


def train_in(setting: Setting, config: TrainConfig, weights: Weights | None) -> None:
    """Train, alone or as one of the processes of torchrun, of which the first exports the model."""
    with joined(setting.device) as group:
        if config.batch % group.size:
            raise UsageError(f"batch is {config.batch}; it must be a multiple of the number of processes, {group.size}")
        _train(config, weights, setting, group)
    if group.is_main:
        model = OBJECTIVES[config.objective].export(
            setting.run / CHECKPOINT, setting.run / MODEL, name=setting.run.resolve().name, licence="not stated"
        )
        _draw_curves(setting.run)
        click.echo(f"model: {model}; use it with: enlighten PHOTO --model {model}", err=True)


def _train(config: TrainConfig, weights: Weights | None, setting: Setting, group: Group) -> None:
    run, device = setting.run, setting.device
    if group.is_main:
        remove_stale_temporaries(run)  # of a run that was killed
    needs = OBJECTIVES[config.objective].needs(config)
    photos = PhotoFolders(config, needs.used(config), skip_bad=setting.skip_bad)
    if group.is_main:
        for line in photos.unreadable:
            click.echo(f"enlighten: skipped: {line}", err=True)
        if setting.vgg and not needs.vgg:
            click.echo(f"enlighten: this run of {config.objective} does not use VGG-16; --vgg is ignored", err=True)
    workers = workers_for(photos, device, setting.workers)
    descent = Descent(device, config.precision, group)
    state = TrainState(config, descent, descent.place(_vgg_features(setting.vgg)) if needs.vgg else None)
    if config.batch < SMALL_BATCH and group.is_main and _has_batch_norm(state.exported):
        click.echo(
            f"enlighten: a batch size of {config.batch} makes artefacts likely; use {SMALL_BATCH} or more", err=True
        )
    resumed = (run / CHECKPOINT).is_file()
    if resumed:
        state.load(run / CHECKPOINT)
    elif weights:
        state.start_from(weights)

    with interruptible(grace_seconds=None) as signals:
        if not group.is_main:
            watch = Watch(stopping=lambda: bool(signals))
            if not loop.train(state, photos, run, workers, watch):
                raise click.exceptions.Exit(SIGNALLED + signal.SIGINT)
            return
        if not resumed:
            write_whole(run / CONFIG, config.to_json().encode())
        setting.remember()
        with TrainingLog(run, config.images, tensorboard=setting.tensorboard) as log:
            log.say(
                f"{'resumed at' if resumed else 'began at'} image {state.images_seen} on {_computers(group, device)}, "
                f"samples {f'by {workers} workers' if workers else f'made on {photos.device}'}"
            )
            watch = _watch(setting.val, photos, log.status, signals)
            if not loop.train(state, photos, run, workers, watch):
                log.say(f"stopped at image {state.images_seen}; continue with: enlighten train --resume -o {run}")
                log.say(f"or use the model so far: enlighten export {run / CHECKPOINT} -o {run / MODEL}.onnx")
                raise click.exceptions.Exit(SIGNALLED + (signals or [signal.SIGINT])[0])
            log.say(f"trained on {state.images_seen} images")


def _has_batch_norm(network: nn.Module) -> bool:
    from torch import nn

    return any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())


def _computers(group: Group, device: torch.device) -> str:
    return f"{group.size} processes, each on its own {device.type}" if group.size > 1 else str(device)


def _draw_curves(run: Path) -> None:
    try:
        lines = (run / STATS).read_text(encoding="utf-8").splitlines()
        write_whole(run / CURVES, run_curves([json.loads(line) for line in lines]))
    except MissingDependencyError as error:
        click.echo(f"enlighten: no plot of the run: {error}", err=True)


def _vgg_features(file: Path | None) -> nn.Module:
    if file is None:
        click.echo(f"enlighten: VGG-16 from {VGG16.url} ({VGG16.size_bytes / 1e6:.0f} MB, once)", err=True)
        file = download.fetch(VGG16)
    return VggFeatures(read_tensors(file).tensors)


def _watch(val: Path | None, photos: PhotoFolders, tell: Any, signals: list[int]) -> Watch:
    """Choose the photos to enhance during a run: those of --val, with scores, or the first training photos."""

    def score(enhanced: Sequence[Pixels]) -> dict[str, float]:
        try:
            natural = {"niqe": float(np.mean([niqe(pixels) for pixels in enhanced]))}
        except PhotoError:
            natural = {}  # a photo is too small for NIQE
        return {**natural, "mean": float(np.mean([pixels.mean() for pixels in enhanced])) / 255}

    def stopping() -> bool:
        return bool(signals)

    if val:
        return Watch(_decoded(val), score, tell, stopping)
    held = next(iter(photos.values()))
    return Watch([held.pixels(index) for index in range(min(SHEET_PHOTOS, len(held)))], tell=tell, stopping=stopping)


def _decoded(folder: Path) -> list[Pixels]:
    paths = find_photos(folder)
    if not paths:
        raise TrainingError(f"{folder}: no photos")
    try:
        return [photo.as_srgb(photo.decode(path)) for path in paths]
    except PhotoError as error:
        raise TrainingError(f"{folder}: {error}") from error
