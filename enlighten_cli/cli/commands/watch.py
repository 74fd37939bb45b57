"""``enlighten watch FOLDER -o OUT/``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from enlighten_cli.cli import shared_options
from enlighten_cli.cli.command import Command


@click.command(cls=Command, short_help="Brighten the photos in a folder, and each that arrives there.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@shared_options.output
@shared_options.format
@shared_options.quality
@shared_options.name
@shared_options.strip
@shared_options.preserve
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
@shared_options.device
@shared_options.threads
@shared_options.memory
@shared_options.as_json
@shared_options.quiet
@shared_options.verbose_outcomes
@click.pass_context
def watch(ctx: click.Context, /, **given: Any) -> None:
    """Brighten the photos in FOLDER, then wait for new ones, until Ctrl-C.

    Each photo is taken once it is complete. Needs the extra `watch`.
    """
    from enlighten_cli.cli.watching import WatchArguments, watch_folder

    ctx.meta["verbosity"] = given["verbose"]
    ctx.exit(watch_folder(WatchArguments(**given)))
