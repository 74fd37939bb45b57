"""``enlighten blind FOLDER... -o PAGE``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from enlighten_cli.cli import compared_options, shared_options
from enlighten_cli.cli.command import Command


@click.command(cls=Command, short_help="Write a page on which people compare results blindly.")
@shared_options.folders
@shared_options.files(
    "-o",
    "--output",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PAGE",
    required=True,
    help="HTML page to write; an earlier one is replaced.",
)
@compared_options.outputs
@compared_options.models
@compared_options.methods
@shared_options.mode
@shared_options.device
@shared_options.threads
@compared_options.on
@compared_options.quiet
@shared_options.verbose
@click.pass_context
def blind(ctx: click.Context, /, **given: Any) -> None:
    """Write an HTML page for a blind comparison of at least two models, methods or --outputs.

    People choose the better of two results without knowing which method made which, and save their
    votes, which `enlighten votes` counts. Nothing is scored.
    """
    from enlighten_cli.cli.blind import BlindArguments, write_page

    ctx.meta["verbosity"] = given["verbose"]
    ctx.exit(write_page(BlindArguments(**given)))
