"""Configuration of a training run, from files, weights and the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enlighten_cli.errors import MissingDependencyError, UsageError
from enlighten_cli.models.device import Device
from enlighten_cli.models.registry import DEFAULT_MODEL, MODELS
from enlighten_cli.models.store import weights_file
from enlighten_cli.resources import available_cores
from enlighten_cli.training.checkpoint import Weights
from enlighten_cli.training.config import RANDOM, TrainConfig
from enlighten_cli.training.data.batches import can_fork
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.distributed import local_rank
from enlighten_cli.training.loop import CHECKPOINT
from enlighten_cli.training.objectives import Needs
from enlighten_cli.training.recipe import config_from, objective_class, read_options, shared_options

if TYPE_CHECKING:
    import torch

CONFIG = "config.json"
FINE_TUNE = "fine-tune.json"  # recipe for fine-tuning the package's weights, in the same folder
PRETRAINED = "pretrained"
FOLDERS = {
    "low": "--low FOLDER",
    "normal": "--normal FOLDER",
    "pairs_low": "--pairs LOW HIGH",
    "pairs_high": "--pairs LOW HIGH",
}  # options of folders, as they are typed


def with_settings(given: dict[str, Any], settings: tuple[str, ...]) -> dict[str, Any]:
    """Add the options of ``--set``; each value is JSON, or else text.

    Raises
    ------
    UsageError
        If one is not NAME=VALUE, or is given twice.
    """
    options = dict(given)
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {setting}: must be NAME=VALUE, such as sfp_weight=0.5")
        if name in options:
            raise UsageError(f"--set {setting}: {name} is given twice")
        try:
            options[name] = json.loads(text)
        except ValueError:
            options[name] = text
    return options


def resumed_config(run: Path, given: dict[str, Any], file: Path | None) -> TrainConfig:
    """Read the options of a run to resume, and refuse to change them.

    Raises
    ------
    UsageError
        If there is no run, or the command line differs from it.
    """
    if not os.path.isfile(run / CHECKPOINT) or not os.path.isfile(run / CONFIG):
        raise UsageError(f"{run}: no checkpoint to resume from; leave out --resume to begin a run")
    kept = read_options(run / CONFIG)
    for name, value in given.items():
        if kept.get(name) != value:
            raise UsageError(f"{name} is {kept.get(name)!r} in {run}, not {value!r}; a resumed run keeps its options")
    if file:
        raise UsageError("--config and --resume cannot be combined; a resumed run keeps its options")
    return config_from(kept, str(run / CONFIG))


def refuse_used(run: Path) -> None:
    """Refuse a folder that holds a run, with `UsageError`."""
    if os.path.lexists(run / CONFIG):
        raise UsageError(f"{run}: already contains a run; continue it with --resume, or choose another -o")


def new_config(given: dict[str, Any], file: Path | None, start: str | None) -> tuple[TrainConfig, Weights | None]:
    """Return the options of a new run, and its initial weights.

    Parameters
    ----------
    given : dict
        Options of the command line; they win over those of the file, and these over the recipe for known weights.
    file : Path or None
    start : str or None
        Value of ``--from``; by default that of the objective.

    Returns
    -------
    TrainConfig, Weights or None
        None for a random start.

    Raises
    ------
    UsageError
        If a folder is missing or an option is invalid.
    ModelError
        If the weights cannot be read.
    """
    source = str(file or "options")
    chosen = {**(read_options(file) if file else {}), **given}
    objective = objective_class(chosen, source)
    start = chosen["start"] = start or str(chosen.get("start") or objective.default_start)
    weights = None
    if start != RANDOM:
        path, name = Path(start), DEFAULT_MODEL if start == PRETRAINED else start
        if name in MODELS and MODELS[name].bundled:
            recipe = read_options(weights_file(FINE_TUNE))
            same = objective_class(recipe, FINE_TUNE) is objective
            chosen = {**(recipe if same else shared_options(recipe)), **chosen}
            path = weights_file(f"{name}.safetensors")
        weights = objective.read(path)
    config = config_from({**objective.suggested(weights), **chosen}, source)
    _check_folders(config, objective.needs(config))
    return config, objective.fitted(weights, config) if weights else None


def _check_folders(config: TrainConfig, needs: Needs) -> None:
    """Refuse a run that lacks a folder of photos, or has one that it would not use."""
    for name, typed in FOLDERS.items():
        folder, option = getattr(config, name), typed.split()[0]
        if name in needs.folders and not folder:
            raise UsageError(f"{typed} is required by {config.objective}")
        if name not in (*needs.folders, *needs.optional) and folder:
            raise UsageError(f"{option} {folder}: {config.objective} does not use it; leave it out")


def device_called(name: str) -> torch.device:
    """Return a device by its name; with torchrun, each process has its own.

    Raises
    ------
    UsageError
        If the name is invalid.
    MissingDependencyError
        If PyTorch does not see the device.
    """
    import torch

    kind = Device.parse(name).kind
    if kind == "auto":
        kind = name = "cuda" if torch.cuda.is_available() else "cpu"
    number = name.partition(":")[2]
    rank = local_rank()
    if kind == "cuda" and rank is not None:
        if number:
            raise UsageError(f"device is {name}, but torchrun gives each process its own device; use --device cuda")
        number = str(rank)
        name = f"cuda:{number}"
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise MissingDependencyError(
            f"{name}: PyTorch {torch.__version__} finds {torch.cuda.device_count()} CUDA devices; change --device"
        )
    return torch.device(name)


def workers_for(photos: PhotoFolders, device: torch.device, wanted: int | None) -> int:
    """Return how many processes prepare crops: none on a GPU that can hold the photos, which are then moved there.

    Otherwise the cores are shared out among the processes of torchrun. On the CPU it is one process, or none where
    processes cannot be forked (macOS, Windows): there it is a thread.
    """
    if device.type == "cpu":
        return int(can_fork()) if wanted is None else wanted
    if not wanted and photos.move_to(device):
        return 0
    return max(1, available_cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))) if wanted is None else wanted
