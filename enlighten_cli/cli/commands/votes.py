"""``enlighten votes FILE...``."""

from __future__ import annotations

from pathlib import Path

import click

from enlighten_cli.cli import compared_options, shared_options
from enlighten_cli.cli.command import Command


@click.command(cls=Command, short_help="Count the votes of a blind comparison.")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE..."
)
@compared_options.layout
@shared_options.verbose
@click.pass_context
def votes(ctx: click.Context, /, files: tuple[Path, ...], layout: str, verbose: int) -> None:
    """Count the votes that people saved on the page of `enlighten blind`."""
    from enlighten_cli.cli.votes import count

    ctx.meta["verbosity"] = verbose
    count(files, layout)
