"""``enlighten preview PHOTO... -o SHEET``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from enlighten_cli.cli import shared_options
from enlighten_cli.cli.addresses import PhotoOrFolder
from enlighten_cli.cli.command import Command

STRENGTHS = (0.4, 0.7, 1.0)


@click.command(cls=Command, short_help="Write a sheet of each photo at several strengths.")
@click.argument("photos", nargs=-1, type=PhotoOrFolder(), metavar="PHOTO|FOLDER...")
@shared_options.files(
    "-o",
    "--output",
    "sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="SHEET",
    required=True,
    help="Contact sheet to write, .png or .jpg; an earlier one is replaced.",
)
@shared_options.files_from
@shared_options.preset
@shared_options.model
@shared_options.picture(
    "--strength",
    "strengths",
    type=shared_options.Number(),
    multiple=True,
    default=STRENGTHS,
    show_default=True,
    help="A strength to show, 0 to 1.5; repeatable.",
)
@shared_options.mode
@shared_options.denoise
@shared_options.tile
@shared_options.max_mpixels
@shared_options.allow_truncated
@shared_options.device
@shared_options.threads
@shared_options.memory
@shared_options.quiet
@shared_options.verbose
@click.pass_context
def preview(ctx: click.Context, /, **given: Any) -> None:
    """Write one sheet: each photo as it is, and at several strengths, side by side.

    No result is written. At most 20 photos fit on a sheet.
    """
    from enlighten_cli.cli.preview import PreviewArguments, write_preview

    ctx.meta["verbosity"] = given["verbose"]
    ctx.exit(write_preview(PreviewArguments(**given)))
