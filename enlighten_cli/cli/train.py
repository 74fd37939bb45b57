"""``enlighten train``: make a model, or fit one to new photos, from unpaired folders."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from enlighten_cli.cli.signals import SIGNALLED, interruptible
from enlighten_cli.cli.train_options import (
    CONFIG,
    PRETRAINED,
    device_called,
    new_config,
    refuse_used,
    resumed_config,
    workers_for,
)
from enlighten_cli.errors import MissingDependencyError, TrainingError, UsageError

if TYPE_CHECKING:
    import torch
    from torch import nn

    from enlighten_cli.training.checkpoint import Weights
    from enlighten_cli.training.config import TrainConfig
    from enlighten_cli.training.distributed import Group
    from enlighten_cli.training.loop import Watch

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
MODEL = "model"
CURVES = "curves.png"
SMALL_BATCH = 8
SHEET_PHOTOS = 4


@click.command(short_help="Make a model, or fit one to new photos.")
@click.option("--low", type=FOLDER, help="Folder of photos taken in too little light, nested or not.")
@click.option("--normal", type=FOLDER, help="Folder of well-lit photos, of anything else.")
@click.option("-o", "--output", "run", type=FOLDER, required=True, metavar="RUN", help="Folder of the run.")
@click.option("--config", "file", type=FILE, help="JSON file of options; those of the command line win.")
@click.option(
    "--from",
    "start",
    metavar="pretrained|random|NAME|FILE",
    help="What to begin with: the default model's weights, nothing, those of another model of the package, or "
    "a checkpoint, .safetensors or .pth.  [default: pretrained]",
)
@click.option(
    "--width",
    type=int,
    help="Channels of the first level: 32 is the paper's. Weights can be widened to a multiple of theirs.",
)
@click.option("--epochs", type=float, help="Length in passes over 1016 images; the paper has 200.")
@click.option("--images", type=int, help="Length in images, instead of epochs.")
@click.option("--crop", "crop_px", type=int, metavar="PX", help="Side of a crop; the paper has 320.")
@click.option("--batch", type=int, help="Crops a step; the paper has 32, fewer than 8 leave artefacts.")
@click.option("--lr", type=float, help="Learning rate of the generator; the paper has 1e-4.")
@click.option(
    "--ema", "ema_images", type=int, metavar="IMAGES", help="Half-life of the average of the weights; 0: none."
)
@click.option(
    "--warm-start",
    "warm_start_images",
    type=int,
    metavar="IMAGES",
    help="Plain brightening before the adversaries, for a random start; 2000 then.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    help="Of the networks; losses are fp32 always. fp16 is for GPUs that lack bf16.",
)
@click.option("--seed", type=int, help="Everything random follows from it.")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda[:N]", help="Where to compute.")
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Processes that prepare crops; 0: the run itself, on its GPU if that can hold the photos, 3 GB at most.  "
    "[default: 1; on a GPU 0, or one a core]",
)
@click.option("--vgg", type=FILE, help="VGG-16 weights; without it torchvision's are downloaded (553 MB).")
@click.option("--val", type=FOLDER, help="Photos for the sample sheets and scores of the run.")
@click.option("--resume", is_flag=True, help="Go on with the RUN from its last checkpoint.")
@click.option("--tensorboard", is_flag=True, help="Write the curves for TensorBoard too.")
@click.option("--dry-run", is_flag=True, help="Print the options that the run would have, and stop.")
@click.option("-v", "--verbose", count=True, help="-vv: show tracebacks.")
@click.pass_context
def train(
    ctx: click.Context,
    /,
    run: Path,
    file: Path | None,
    start: str | None,
    epochs: float | None,
    device: str,
    workers: int | None,
    vgg: Path | None,
    val: Path | None,
    resume: bool,
    tensorboard: bool,
    dry_run: bool,
    verbose: int,
    **options: Any,
) -> None:
    """Train on two folders of photos that have nothing to do with each other.

    By default the package's model is fitted to them. RUN receives the model (model.onnx, to use
    with --model), its weights, checkpoints, sample sheets, curves.png, config.json, log.txt and
    stats.jsonl. Ctrl-C writes a checkpoint, from which --resume goes on. On several GPUs or
    machines: torchrun --nproc-per-node 2 -m enlighten_cli train, and the same options.
    """
    ctx.meta["verbosity"] = verbose
    from enlighten_cli.cli.requirements import require_tensorboard, require_training

    require_training()
    if tensorboard:
        require_tensorboard()
    import torch

    # Before the first operation: threads inherit it, and denormals halve the speed.
    torch.set_flush_denormal(True)
    given = {
        name: str(value) if isinstance(value, Path) else value for name, value in options.items() if value is not None
    }
    if epochs is not None:
        from enlighten_cli.training.config import IMAGES_AN_EPOCH

        if "images" in given:
            raise UsageError("--epochs and --images say the same; give one")
        given["images"] = round(epochs * IMAGES_AN_EPOCH)
    if resume:
        config, weights = resumed_config(run, {**given, **({"start": start} if start else {})}, file), None
    else:
        refuse_used(run)
        config, weights = new_config(given, file, start or PRETRAINED)
    if dry_run:
        click.echo(config.to_json(), nl=False)
        return
    _run(config, weights, Setting(run, device_called(device), workers, vgg, val, tensorboard))


@dataclass(frozen=True)
class Setting:
    """What a run has around it; nothing of it but rounding changes what is learned.

    `workers` is None where nobody said how many, `vgg` where VGG-16 is to be downloaded, `val` where sheets are of
    the low photos.
    """

    run: Path
    device: torch.device
    workers: int | None
    vgg: Path | None
    val: Path | None
    tensorboard: bool


def _run(config: TrainConfig, weights: Weights | None, setting: Setting) -> None:
    """Train, alone or as one of the processes that torchrun started; the first of them does the rest."""
    from enlighten_cli.training.distributed import joined

    with joined(setting.device) as group:
        if config.batch % group.size:
            raise UsageError(f"batch is {config.batch}; it must be a multiple of the {group.size} processes")
        _train(config, weights, setting, group)
    if group.leads:
        _finish(setting.run)


def _train(config: TrainConfig, weights: Weights | None, setting: Setting, group: Group) -> None:
    import torch

    from enlighten_cli.atomic_write import write_whole
    from enlighten_cli.cli.training_log import TrainingLog
    from enlighten_cli.training.checkpoint import TrainState
    from enlighten_cli.training.data.dataset import UnpairedPhotos
    from enlighten_cli.training.loop import CHECKPOINT, Watch
    from enlighten_cli.training.loop import train as run_training

    if config.batch < SMALL_BATCH and group.leads:
        click.echo(
            f"enlighten: a batch of {config.batch} tends to leave artefacts; {SMALL_BATCH} or more do not", err=True
        )
    run, device = setting.run, setting.device
    photos = UnpairedPhotos(config)
    workers = workers_for(photos, device, setting.workers)
    features = _vgg_features(setting.vgg).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    resumed = (run / CHECKPOINT).is_file()
    if resumed:
        state = TrainState.load(run / CHECKPOINT, config, device)
    else:
        state = TrainState(config, device)
        if weights:
            state.start_from(weights)

    with interruptible(grace_seconds=None) as signals:
        if not group.leads:
            watch = Watch(stopping=lambda: bool(signals))
            if not run_training(state, photos, features, run, workers, watch, group):
                raise click.exceptions.Exit(SIGNALLED + signal.SIGINT)
            return
        if not resumed:
            write_whole(run / CONFIG, config.to_json().encode())
        with TrainingLog(run, config.images, tensorboard=setting.tensorboard) as log:
            log.say(
                f"{'resumed at' if resumed else 'began at'} image {state.images_seen} on {_computers(group, device)}, "
                f"samples {f'by {workers} workers' if workers else f'made on {photos.device}'}"
            )
            watch = _watch(setting.val, photos.low.paths, log.status, signals)
            if not run_training(state, photos, features, run, workers, watch, group):
                log.say(f"stopped at image {state.images_seen}; go on with: enlighten train --resume -o {run}")
                raise click.exceptions.Exit(SIGNALLED + (signals or [signal.SIGINT])[0])
            log.say(f"trained on {state.images_seen} images")


def _computers(group: Group, device: torch.device) -> str:
    return f"{group.size} processes, each on its own {device.type}" if group.size > 1 else str(device)


def _finish(run: Path) -> None:
    """Make of a finished run what one uses: the model, its weights, a picture of its curves."""
    from enlighten_cli.atomic_write import write_whole
    from enlighten_cli.evaluation.plots import run_curves
    from enlighten_cli.training.export import export_onnx, export_weights
    from enlighten_cli.training.loop import CHECKPOINT, STATS

    name = run.resolve().name
    export_weights(run / CHECKPOINT, run / f"{MODEL}.safetensors", name=name, licence="not stated")
    export_onnx(run / f"{MODEL}.safetensors", run / f"{MODEL}.onnx", name=name, licence="not stated")
    try:
        lines = (run / STATS).read_text(encoding="utf-8").splitlines()
        write_whole(run / CURVES, run_curves([json.loads(line) for line in lines]))
    except MissingDependencyError as error:
        click.echo(f"enlighten: no plot of the run: {error}", err=True)
    click.echo(f"model: {run / MODEL}.onnx; use it with: enlighten PHOTO --model {run / MODEL}.onnx", err=True)


def _vgg_features(file: Path | None) -> nn.Module:
    from enlighten_cli.models.download import fetch
    from enlighten_cli.models.registry import VGG16
    from enlighten_cli.training.checkpoint import read_tensors
    from enlighten_cli.training.networks.vgg import VggFeatures

    if file is None:
        click.echo(f"enlighten: VGG-16 from {VGG16.url} ({VGG16.size_bytes / 1e6:.0f} MB, once)", err=True)
        file = fetch(VGG16)
    return VggFeatures(read_tensors(file).tensors)


def _watch(val: Path | None, low: list[Path], tell: Any, signals: list[int]) -> Watch:
    import numpy as np

    from enlighten_cli import photo
    from enlighten_cli.batch.jobs import find_photos
    from enlighten_cli.errors import PhotoError
    from enlighten_cli.metrics.niqe import niqe
    from enlighten_cli.photo import Pixels
    from enlighten_cli.training.loop import Watch

    paths = find_photos(val) if val else low[:SHEET_PHOTOS]
    if not paths:
        raise TrainingError(f"{val}: no photos")

    def score(enhanced: list[Pixels]) -> dict[str, float]:
        try:
            natural = {"niqe": float(np.mean([niqe(pixels) for pixels in enhanced]))}
        except PhotoError:
            natural = {}  # a photo too small for it
        return {**natural, "mean": float(np.mean([pixels.mean() for pixels in enhanced])) / 255}

    try:
        sheet = [photo.as_srgb(photo.decode(path)) for path in paths]
    except PhotoError as error:
        raise TrainingError(f"{val}: {error}") from error
    return Watch(sheet=sheet, score=score if val else lambda enhanced: {}, tell=tell, stopping=lambda: bool(signals))  # type: ignore[arg-type]
