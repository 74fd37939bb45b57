"""Run ``enlighten models``: list, find, download, check, import and remove models."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from enlighten_cli.cli.console import say, show
from enlighten_cli.cli.model_entries import NOT_DOWNLOADED, all_entries, lines_of
from enlighten_cli.cli.requirements import require_training
from enlighten_cli.errors import ModelError, UsageError, did_you_mean
from enlighten_cli.methods.network import BRIGHTENING
from enlighten_cli.models.device import Device
from enlighten_cli.models.download import Download, fetch, sha256_of
from enlighten_cli.models.registry import MODELS
from enlighten_cli.models.session import Model
from enlighten_cli.models.store import check_new_name, damage_of, imported_names, keep, locate
from enlighten_cli.models.store import remove as remove_files
from enlighten_cli.models.transfer import OFFLINE_VARIABLE
from enlighten_cli.models.weights_header import check_generator

UNKNOWN = "unknown"
QUESTIONS = {"licence": "Licence of the weights", "source": "Where they come from", "paper": "The paper (DOI, arXiv)"}
ONNX_MOST_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Card:
    """What is told of an imported model; None where it is not."""

    licence: str | None
    source: str | None
    paper: str | None


def list_all(*, as_json: bool) -> None:
    """Print all models and methods."""
    entries = all_entries()
    if as_json:
        click.echo(json.dumps(entries))
        return
    for entry in entries:
        show(*lines_of(entry))


def print_path(name: str) -> None:
    """Print where a model's file is."""
    click.echo(os.fspath(locate(name)))


def download(names: tuple[str, ...], *, offline: bool, quiet: bool) -> None:
    """Download models to the cache."""
    if offline:
        os.environ[OFFLINE_VARIABLE] = "1"
    for name in names:
        if name not in MODELS:
            raise UsageError(
                f"{name}: not a model of this project{did_you_mean(name, MODELS)}; see: enlighten models list"
            )
    for name in names:
        if MODELS[name].bundled:
            say(f"{name}: is part of the package, at {MODELS[name].path()}")
            continue
        for file in MODELS[name].files:
            _fetch_file(file, quiet=quiet)
        say(f"{name}: {MODELS[name].path()}")


def _fetch_file(file: Download, *, quiet: bool) -> None:

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(file.name, total=file.size_bytes if file.exact_size else None)
        told: set[str] = set()

        def tell(host: str, size_bytes: int) -> None:
            if host not in told and not quiet:
                say(f"{file.name}: from {host}")
                told.add(host)
            bar.update(task, completed=size_bytes)

        fetch(file, tell)


def check(names: tuple[str, ...]) -> None:
    """Check the files of models against their hashes."""
    known = [*MODELS, *imported_names()]
    damaged = []
    for name in names or known:
        if name not in known:
            raise UsageError(f"{name}: no such model{did_you_mean(name, known)}; see: enlighten models list")
        if name in MODELS and not MODELS[name].bundled and not os.path.isfile(MODELS[name].path()):
            show(f"{name}: {NOT_DOWNLOADED}")
        elif damage := damage_of(name):
            damaged.append(name)
            show(f"{name}: {damage}")
        else:
            show(f"{name}: intact")
    if damaged:
        raise ModelError(
            f"damaged: {', '.join(damaged)}; to repair, run: enlighten models fetch NAME, or import it again"
        )


def add(file: Path, name: str, told: Card, *, replace: bool) -> None:
    """Import a model under a name."""
    check_new_name(name, replace=replace)
    if name in BRIGHTENING:
        raise UsageError(f"{name} is a method of the project; choose another name")
    given = asdict(told)
    otherwise = {"licence": UNKNOWN, "source": os.fspath(file.resolve()), "paper": UNKNOWN}
    asks = on_terminal()
    card = {
        word: value or (_answer(word, otherwise[word]) if asks else otherwise[word]) for word, value in given.items()
    }
    if file.suffix == ".onnx":
        content, provenance = _checked_onnx(file, name)
    else:
        content, provenance = _converted(file, name, card["licence"])
    kept = keep(name, content, {**provenance, **card})
    if missing := [f"--{word}" for word in card if not given[word] and card[word] == otherwise[word]]:
        say(f"{name}: its card lacks {', '.join(missing)}; import it again with --replace and these options")
    say(f"{name}: {kept}; use it with: enlighten PHOTO --model {name}")


def on_terminal() -> bool:
    """Tell whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _answer(word: str, otherwise: str) -> str:
    """Ask for an entry of a model's card."""
    return str(click.prompt(QUESTIONS[word], default=otherwise, err=True))


def _checked_onnx(file: Path, name: str) -> tuple[dict[str, bytes], dict[str, str]]:
    """Read an ONNX file, and check that it fulfils the contract by running it on two small images."""
    if file.stat().st_size > ONNX_MOST_BYTES:
        raise ModelError(f"{file}: {file.stat().st_size:,} bytes; a model has at most {ONNX_MOST_BYTES:,}")
    model = Model(file, device=Device("cpu"))
    for height, width in ((32, 48), (64, 16)):
        if not np.isfinite(model(np.full((height, width, 3), 0.1, np.float32))).all():
            raise ModelError(
                f"{file}: returns NaN or infinity for {width} x {height} pixels of dark grey; import another file"
            )
    return {f"{name}.onnx": file.read_bytes()}, {"kind": "onnx", "source_sha256": sha256_of(file)}


def _converted(file: Path, name: str, licence: str) -> tuple[dict[str, bytes], dict[str, str]]:
    """Convert PyTorch weights to a model."""
    require_training()
    from enlighten_cli.training.checkpoint import read_weights
    from enlighten_cli.training.export import export_onnx, export_weights

    check_generator(file)
    weights = read_weights(file)
    with tempfile.TemporaryDirectory() as folder:
        onnx, safetensors = (Path(folder, name + ending) for ending in (".onnx", ".safetensors"))
        export_weights(file, safetensors, name=name, licence=licence)
        export_onnx(safetensors, onnx, name=name, licence=licence)
        content = {path.name: path.read_bytes() for path in (onnx, safetensors)}
    return content, {
        "kind": f"converted from {file.suffix}",
        "source_sha256": sha256_of(file),
        "width": str(weights.generator.width),
        "align_corners": str(weights.generator.align_corners).lower(),
    }


def delete(name: str) -> None:
    """Remove an imported model, or a downloaded one from the cache."""
    for gone in remove_files(name):
        say(f"removed {gone}")
