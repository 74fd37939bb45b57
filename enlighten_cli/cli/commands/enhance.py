"""``enlighten PHOTO... -o OUT``: the default command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from enlighten_cli.cli import shared_options
from enlighten_cli.cli.addresses import PhotoOrFolder
from enlighten_cli.cli.command import Command


@click.command(cls=Command)
@click.argument("photos", nargs=-1, type=PhotoOrFolder(allow_dash=True), metavar="PHOTO|FOLDER|URL|-...")
@shared_options.output
@shared_options.files_from
@shared_options.format
@shared_options.quality
@shared_options.name
@shared_options.strip
@shared_options.preserve
@shared_options.files(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write an HTML report: every photo before and after, with scores.",
)
@shared_options.preset
@shared_options.model
@shared_options.strength
@shared_options.mode
@shared_options.denoise
@shared_options.tile
@shared_options.on_conflict
@shared_options.overwrite
@shared_options.skip_brighter_than
@shared_options.max_mpixels
@shared_options.allow_truncated
@shared_options.which("--fail-fast", is_flag=True, help="Stop at the first photo that fails.")
@shared_options.which("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@shared_options.device
@shared_options.threads
@shared_options.memory
@shared_options.on
@shared_options.as_json
@shared_options.quiet
@shared_options.verbose_outcomes
@click.pass_context
def enhance(ctx: click.Context, /, **given: Any) -> None:
    """Brighten photos and folders of photos.

    Results keep the name, format, size, bit depth, colour profile and metadata of their photos.
    Inputs are never changed. A URL (s3://, gs://, az://, https://) names a photo or a folder in a
    store. `-` reads a photo from stdin, and `-o -` writes one to stdout.
    """
    from enlighten_cli.cli.enhance import EnhanceArguments, enhance_photos

    ctx.meta["verbosity"] = given["verbose"]
    ctx.exit(enhance_photos(EnhanceArguments(**given)))
