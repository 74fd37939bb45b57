"""``enlighten PHOTO... -o OUT``: the default command."""

from __future__ import annotations

import os
import time
from difflib import get_close_matches
from pathlib import Path

import click

from enlighten_cli.errors import UsageError


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO|FOLDER...")
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="Folder of the results if it is one, ends in / or there are several photos; else a file, "
    "whose ending sets the format. Without it, results go beside the photos, marked -enlightened.",
)
@click.option("--model", default=None, metavar="NAME|FILE", help="Model to use: a name, or an .onnx file.")
@click.option(
    "--strength",
    type=float,
    default=1.0,
    show_default=True,
    help="How much of the change to make: 0 none, 1 what the model says, at most 1.5.",
)
@click.option(
    "--tile",
    type=int,
    default=None,
    metavar="PX",
    help="Work in tiles of so many pixels, to the same result; 0 for the whole photo at once. "
    "By default large photos are tiled.",
)
@click.option(
    "--on-conflict",
    type=click.Choice(["skip", "overwrite"]),
    default="skip",
    show_default=True,
    help="What to do where a result is there already.",
)
@click.option(
    "--format",
    type=click.Choice(["jpg", "png", "webp", "tiff", "avif"]),
    help="Format of the results; by default each photo's own (16-bit TIFF for camera RAW).",
)
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    help="Of lossy formats; by default a JPEG keeps its source's tables.",
)
@click.option(
    "--strip",
    type=click.Choice(["gps", "all"]),
    help="Leave places, or all metadata but the colour profile, out of the results.",
)
@click.option("--preserve", is_flag=True, help="Give results their photos' file times.")
@click.option(
    "--skip-brighter-than",
    type=click.FloatRange(0, 1),
    metavar="LEVEL",
    help="Leave photos alone whose mean luma, 0 to 1, is above this.",
)
@click.option(
    "--max-mpixels",
    type=click.FloatRange(min=0, min_open=True),
    default=250,
    show_default=True,
    help="Refuse larger photos, before they are decoded.",
)
@click.option("--allow-truncated", is_flag=True, help="Take files that end too early, as far as they go.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("-v", "--verbose", count=True, help="Say what became of each photo; -vv: tracebacks too.")
@click.pass_context
def enhance(
    ctx: click.Context,
    photos: tuple[Path, ...],
    output: str | None,
    model: str | None,
    strength: float,
    tile: int | None,
    on_conflict: str,
    format: str | None,
    quality: int | None,
    strip: str | None,
    preserve: bool,
    skip_brighter_than: float | None,
    max_mpixels: float,
    allow_truncated: bool,
    quiet: bool,
    verbose: int,
) -> None:
    """Brighten photos and folders of photos.

    Results keep name, format, size and metadata of their photos. Inputs are never changed.
    """
    ctx.meta["verbosity"] = verbose
    _suggest_command(ctx, photos)

    from enlighten_cli.batch import BatchOptions, run_batch
    from enlighten_cli.cli.progress import BatchProgress
    from enlighten_cli.discover import find_jobs
    from enlighten_cli.enhance import Options
    from enlighten_cli.model import Model
    from enlighten_cli.models import DEFAULT_MODEL, locate
    from enlighten_cli.photo import CHOICES, Limits, Strip
    from enlighten_cli.report import Report, Status

    options = BatchOptions(
        enhance=Options(strength=strength, tile_px=tile),
        limits=Limits(max_mpixels=max_mpixels, allow_truncated=allow_truncated),
        overwrite=on_conflict == "overwrite",
        quality=quality,
        strip=Strip(strip) if strip else Strip.NOTHING,
        preserve=preserve,
        skip_brighter_than=skip_brighter_than,
    )
    as_folder = output is not None and output.endswith(("/", os.sep))
    jobs = find_jobs(
        photos, Path(output) if output else None, output_is_folder=as_folder, format=CHOICES.get(format or "")
    )
    network = Model(locate(model or DEFAULT_MODEL))
    report = Report()
    began = time.monotonic()
    with BatchProgress(len(jobs), shown=not quiet) as progress:
        if tile and not network.tiles_exactly:
            progress.say(f"{network.name} was trained so that tiles only come close to the whole photo")
        for outcome in run_batch(jobs, network, options, progress.tiles):
            report.add(outcome)
            progress.advance()
            for note in outcome.notes:
                progress.say(f"{outcome.source}: {note}")
            if outcome.status is Status.FAILED:
                progress.complain(f"{outcome.source}: {outcome.reason}")
            elif verbose:
                detail = f" ({outcome.reason})" if outcome.reason else f" in {outcome.seconds:.1f} s"
                progress.say(f"{outcome.source} -> {outcome.output}: {outcome.status.value}{detail}")
    if not quiet:
        click.echo(report.summary(time.monotonic() - began), err=True)
    ctx.exit(report.exit_code)


def _suggest_command(ctx: click.Context, photos: tuple[Path, ...]) -> None:
    """Say so where the first word was perhaps meant as a command."""
    word = photos[0]
    group = ctx.parent.command if ctx.parent else None
    if word.exists() or not isinstance(group, click.Group):
        return
    near = get_close_matches(str(word), group.commands, n=1)
    if near:
        raise UsageError(f"{word}: no such photo, folder or command; did you mean `enlighten {near[0]}`?")
