"""``enlighten models``: list, find, download, check, import and remove models."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from enlighten_cli.cli.choices import Suggested, fetched_names, model_names
from enlighten_cli.cli.console import say, show
from enlighten_cli.errors import ModelError, UsageError, did_you_mean

if TYPE_CHECKING:
    from enlighten_cli.models.download import Download

NAME, FETCHED = Suggested("name", model_names), Suggested("name", fetched_names)
UNKNOWN = "unknown"
QUESTIONS = {"licence": "Licence of the weights", "source": "Where they come from", "paper": "The paper (DOI, arXiv)"}


@click.group(short_help="List, find, download, check, import and remove models.")
def models() -> None:
    """Manage the models that --model takes."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array to stdout.")
def list_models(as_json: bool) -> None:
    """List all models and methods, with state, size, licence, origin and scores."""
    from enlighten_cli.cli.model_entries import all_entries, lines_of

    entries = all_entries()
    if as_json:
        click.echo(json.dumps(entries))
        return
    for entry in entries:
        show(*lines_of(entry))


@models.command()
@click.argument("name", type=NAME)
def path(name: str) -> None:
    """Print the path of a model's .onnx file."""
    from enlighten_cli.models.store import locate

    click.echo(os.fspath(locate(name)))


@models.command()
@click.argument("names", type=FETCHED, nargs=-1, required=True, metavar="NAME...")
@click.option("--offline", is_flag=True, help="Do not use the network: only downloaded files, and file: addresses.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def fetch(names: tuple[str, ...], offline: bool, quiet: bool) -> None:
    """Download models to the cache, check their hashes, and replace damaged copies.

    The source is each model's own address, or ENLIGHTEN_WEIGHTS_URL. The cache is ENLIGHTEN_CACHE,
    or the platform's cache folder.
    """
    from enlighten_cli.models.registry import MODELS
    from enlighten_cli.models.transfer import OFFLINE_VARIABLE

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
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from enlighten_cli.models.download import fetch

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


@models.command()
@click.argument("names", type=NAME, nargs=-1, metavar="[NAME]...")
def verify(names: tuple[str, ...]) -> None:
    """Check the files of models, by default of all, against their hashes.

    A model that is not downloaded is no failure. A damaged one is: the exit code is 4.
    """
    from enlighten_cli.cli.model_entries import NOT_DOWNLOADED
    from enlighten_cli.models.registry import MODELS
    from enlighten_cli.models.store import damage_of, imported_names

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


@models.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", required=True, help="Name for --model.")
@click.option("--licence", help="Licence of the weights, for the model's card; otherwise unknown.")
@click.option("--source", help="Where it comes from, such as a URL; otherwise the path of the file.")
@click.option("--paper", help="The paper that describes it, such as a DOI; otherwise unknown.")
@click.option("--replace", is_flag=True, help="Replace an imported model of that name.")
def import_model(
    file: Path, name: str, licence: str | None, source: str | None, paper: str | None, replace: bool
) -> None:
    """Import a model under a name.

    FILE is an .onnx file that maps RGB to RGB. With the train extra it may also be the published
    200_net_G_A.pth, a run's checkpoint or a .safetensors file of weights, which are converted.

    Licence, source and paper form its card, which `enlighten models list` shows. On a terminal,
    those that are missing are asked for.
    """
    from enlighten_cli.methods.network import BRIGHTENING
    from enlighten_cli.models.store import check_new_name, keep

    check_new_name(name, replace=replace)
    if name in BRIGHTENING:
        raise UsageError(f"{name} is a method of the project; choose another name")
    given = {"licence": licence, "source": source, "paper": paper}
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


ONNX_MOST_BYTES = 512 * 2**20


def _checked_onnx(file: Path, name: str) -> tuple[dict[str, bytes], dict[str, str]]:
    """Read an ONNX file, and check that it fulfils the contract by running it on two small images."""
    import numpy as np

    from enlighten_cli.models.device import Device
    from enlighten_cli.models.download import sha256_of
    from enlighten_cli.models.session import Model

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
    import tempfile

    from enlighten_cli.cli.requirements import require_training

    require_training()
    from enlighten_cli.models.download import sha256_of
    from enlighten_cli.models.weights_header import check_generator
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


@models.command()
@click.argument("name", type=NAME)
def remove(name: str) -> None:
    """Remove an imported model, or a downloaded one from the cache."""
    from enlighten_cli.models.store import remove as remove_files

    for gone in remove_files(name):
        say(f"removed {gone}")
