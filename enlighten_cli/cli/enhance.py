"""``enlighten PHOTO... -o OUT``: the default command."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from enlighten_cli.cli.addresses import PhotoOrFolder, check_options
from enlighten_cli.cli.arguments import STREAM, EnhanceArguments
from enlighten_cli.cli.batch import enhance_many
from enlighten_cli.cli.choices import DEVICE, FORMAT, MODEL, Denoise
from enlighten_cli.cli.pipeline import enhance_one
from enlighten_cli.cli.presets import PRESET, apply_configuration
from enlighten_cli.cli.preview import write_preview
from enlighten_cli.cli.signals import interruptible
from enlighten_cli.cli.streams import results_only
from enlighten_cli.errors import UsageError
from enlighten_cli.stores.address import Address, Place, as_file


@click.command()
@click.argument(
    "photos", nargs=-1, type=PhotoOrFolder(path_type=Path, allow_dash=True), metavar="PHOTO|FOLDER|URL|-..."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(readable=False),
    metavar="OUT",
    help="Folder of the results if it is one, ends in / or there are several photos; else a file, "
    "whose ending sets the format; - is stdout. Without it, results go beside the photos, marked -enlightened.",
)
@click.option("--model", type=MODEL, metavar="NAME|FILE", help="Model or method to use: a name, or an .onnx file.")
@click.option(
    "--strength",
    type=float,
    default=1.0,
    show_default=True,
    help="How much of the change to make: 0 none, 1 what the model says, at most 1.5.",
)
@click.option(
    "--mode",
    type=click.Choice(["auto", "full", "fast"]),
    default="auto",
    show_default=True,
    help="full: the network sees every pixel. fast: it sees the photo reduced, and its light is carried to "
    "every pixel. auto: fast where the photo is larger than what the model learned to see.",
)
@click.option(
    "--denoise",
    type=Denoise(),
    default="auto",
    show_default=True,
    metavar="auto|off|FLOAT",
    help="Remove the noise that would be seen once the photo is bright. A number says how strong it is taken to be, "
    "over what was measured; at most 2.",
)
@click.option("--fast", is_flag=True, help="Short for --mode fast.")
@click.option(
    "--tile",
    type=int,
    metavar="PX",
    help="Full mode, in tiles of so many pixels, to the same result; 0 for the whole photo at once. "
    "By default the largest that memory allows.",
)
@click.option(
    "--format",
    type=FORMAT,
    help="Format of the results, such as jpg, png, webp, tiff; by default each photo's own (16-bit TIFF for camera "
    "RAW).",
)
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    help="Of lossy formats; by default a JPEG keeps its source's tables.",
)
@click.option(
    "--name",
    metavar="TEMPLATE",
    help="What results in folders are called, from the fields {stem}, {ext} and {model}: '{stem}-{model}.{ext}'.",
)
@click.option(
    "--on-conflict",
    type=click.Choice(["skip", "overwrite", "rename", "error"]),
    default="skip",
    show_default=True,
    help="What to do where a result already exists.",
)
@click.option(
    "--overwrite", is_flag=True, help="Replace results that already exist: short for --on-conflict overwrite."
)
@click.option(
    "--files-from",
    type=click.File("rb"),
    metavar="FILE|-",
    help="Take more photos from a list, separated by newlines or NULs.",
)
@click.option(
    "--strip",
    type=click.Choice(["gps", "all"]),
    help="Leave places, or all metadata but the colour profile, out of the results.",
)
@click.option("--preserve", is_flag=True, help="Give results their photos' mode and times.")
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
@click.option(
    "--device",
    type=DEVICE,
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda[:N]",
    help="What computes; auto is a GPU where ONNX Runtime has one.",
)
@click.option("--threads", type=click.IntRange(min=1), help="Threads of the network; all cores by default.")
@click.option(
    "--memory",
    type=click.IntRange(min=1),
    metavar="MB",
    help="What the network, and the photos on their way, may each take; half of what is free by default.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write an HTML page to look at: every photo before and after, with scores.",
)
@click.option(
    "--preview",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="SHEET",
    help="Write no results but a sheet, .png or .jpg: each photo as it is, and at strengths 0.4, 0.7 and 1.0.",
)
@click.option(
    "--watch",
    is_flag=True,
    help="Go on with what arrives in the folder, each photo once it is complete, until Ctrl-C.",
)
@click.option(
    "--preset",
    type=PRESET,
    metavar="NAME",
    is_eager=True,
    expose_value=False,
    callback=apply_configuration,
    help="Take options from this preset of the configuration file, which `enlighten doctor` names; those of the "
    "command line win.",
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first photo that fails.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON record a photo, then a summary, to stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("-v", "--verbose", count=True, help="Say what became of each photo; -vv: tracebacks too.")
@click.pass_context
def enhance(ctx: click.Context, /, **given: Any) -> None:
    """Brighten photos and folders of photos.

    Results keep name, format, size, depth, colours and metadata of their photos. Inputs are never
    changed. A URL (s3://, gs://, az://, https://) names a photo or a folder in a store. `-` reads a
    photo from stdin, and `-o -` writes one to stdout.
    """
    arguments = EnhanceArguments(**given)
    ctx.meta["verbosity"] = arguments.verbose
    inputs = _inputs(ctx, arguments)
    check_options(arguments, inputs)
    if arguments.to_stdout and arguments.as_json:
        raise UsageError("-o - and --json both want stdout")
    if arguments.to_stdout and sys.stdout is None:
        raise UsageError("stdout is closed")
    if arguments.to_stdout and sys.stdout.isatty():
        raise UsageError("a picture would not look like one on this terminal; redirect stdout, or choose another -o")
    with results_only() as results:
        if arguments.to_stdout or inputs == [Path(STREAM)]:
            code = enhance_one(inputs, arguments, results)
        else:
            with interruptible() as signals:
                if arguments.preview:
                    code = write_preview([as_file(path) for path in inputs], arguments, signals)
                elif arguments.watch:
                    from enlighten_cli.cli.watching import watch_folder  # it is made of what is slow to import

                    code = watch_folder([as_file(path) for path in inputs], arguments, results, signals)
                else:
                    code = enhance_many(inputs, arguments, results, signals)
    ctx.exit(code)


def _inputs(ctx: click.Context, arguments: EnhanceArguments) -> list[Place]:
    """Collect the photos and folders that were named, one way or the other."""
    named = list(arguments.photos)
    if Path(STREAM) in named and len(named) > 1:
        raise UsageError("- is a photo of its own; it goes with no other")
    for number, path in enumerate(named):
        if isinstance(path, Address):
            from enlighten_cli.stores.folders import located

            named[number] = located(path)
        elif path != Path(STREAM) and not path.exists() and not path.is_symlink():
            raise _no_such_path(ctx, path)
    if arguments.files_from:
        from enlighten_cli.batch.lists import read_list

        if Path(STREAM) in named:
            raise UsageError("--files-from and - cannot go together")
        named += read_list(arguments.files_from)
    if not named:
        raise UsageError("no photo and no folder given; see enlighten enhance --help")
    return named


def _no_such_path(ctx: click.Context, path: Path) -> UsageError:
    """Say that nothing is there, and what was perhaps meant: a command, or something with nearly that name."""
    group = ctx.parent.command if ctx.parent else None
    near = get_close_matches(str(path), group.commands, n=1) if isinstance(group, click.Group) else []
    if near:
        return UsageError(f"{path}: no such photo, folder or command; did you mean `enlighten {near[0]}`?")
    try:
        neighbours = {each.name: str(each) for each in path.parent.iterdir()}
    except OSError:
        neighbours = {}
    close = [neighbours[name] for name in get_close_matches(path.name, neighbours, n=1)]
    return UsageError(f"{path}: no such file or folder{f'; did you mean {close[0]}?' if close else ''}")
