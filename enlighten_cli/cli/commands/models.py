"""``enlighten models``: list, find, download, check, import and remove models."""

from __future__ import annotations

from pathlib import Path

import click

from enlighten_cli.cli.choices import Suggested, fetched_names, model_names

NAME, FETCHED = Suggested("name", model_names), Suggested("name", fetched_names)


@click.group(short_help="List, find, download, check, import and remove models.")
def models() -> None:
    """Manage the models that --model takes."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array to stdout.")
def list_models(as_json: bool) -> None:
    """List all models and methods, with state, size, licence, origin and scores."""
    from enlighten_cli.cli.models import list_all

    list_all(as_json=as_json)


@models.command()
@click.argument("name", type=NAME)
def path(name: str) -> None:
    """Print the path of a model's .onnx file."""
    from enlighten_cli.cli.models import print_path

    print_path(name)


@models.command()
@click.argument("names", type=FETCHED, nargs=-1, required=True, metavar="NAME...")
@click.option("--offline", is_flag=True, help="Do not use the network: only downloaded files, and file: addresses.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def fetch(names: tuple[str, ...], offline: bool, quiet: bool) -> None:
    """Download models to the cache, check their hashes, and replace damaged copies.

    The source is each model's own address, or ENLIGHTEN_WEIGHTS_URL. The cache is ENLIGHTEN_CACHE,
    or the platform's cache folder.
    """
    from enlighten_cli.cli.models import download

    download(names, offline=offline, quiet=quiet)


@models.command()
@click.argument("names", type=NAME, nargs=-1, metavar="[NAME]...")
def verify(names: tuple[str, ...]) -> None:
    """Check the files of models, by default of all, against their hashes.

    A model that is not downloaded is no failure. A damaged one is: the exit code is 4.
    """
    from enlighten_cli.cli.models import check

    check(names)


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
    from enlighten_cli.cli.models import Card, add

    add(file, name, Card(licence, source, paper), replace=replace)


@models.command()
@click.argument("name", type=NAME)
def remove(name: str) -> None:
    """Remove an imported model, or a downloaded one from the cache."""
    from enlighten_cli.cli.models import delete

    delete(name)
