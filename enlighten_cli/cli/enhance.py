"""``enlighten PHOTO... -o OUT``: the default command."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from enlighten_cli.cli import shared_options
from enlighten_cli.cli.addresses import PhotoOrFolder, check_options
from enlighten_cli.cli.arguments import STREAM, EnhanceArguments
from enlighten_cli.cli.batch import enhance_many
from enlighten_cli.cli.choices import FORMAT, Denoise
from enlighten_cli.cli.executors import check_cluster
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
    help="Where results go. A folder, if it exists as one, ends in / or there are several photos; else a file, "
    "whose ending sets the format; - is stdout. By default beside the photos, marked -enlightened.",
)
@shared_options.model
@click.option(
    "--strength",
    type=float,
    default=1.0,
    show_default=True,
    help="How much to brighten: 0 leaves the photo as it is, 1 is the model's own result, 1.5 the most.",
)
@shared_options.mode
@click.option(
    "--denoise",
    type=Denoise(),
    default="auto",
    show_default=True,
    metavar="auto|off|FLOAT",
    help="Remove noise that brightening would make visible. A number is a factor on the measured noise, at most 2.",
)
@click.option("--fast", is_flag=True, help="Short for --mode fast.")
@click.option(
    "--tile",
    type=int,
    metavar="PX",
    help="Full mode in tiles of this side, with the same result; 0 for the whole photo at once. "
    "By default as large as memory allows.",
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
    help="Quality of lossy formats; by default a JPEG keeps its source's quantization tables.",
)
@click.option(
    "--name",
    metavar="TEMPLATE",
    help="File names of results in folders, with the fields {stem}, {ext} and {model}: '{stem}-{model}.{ext}'.",
)
@click.option(
    "--on-conflict",
    type=click.Choice(["skip", "overwrite", "rename", "error"]),
    default="skip",
    show_default=True,
    help="What to do if a result already exists.",
)
@click.option(
    "--overwrite", is_flag=True, help="Replace results that already exist: short for --on-conflict overwrite."
)
@click.option(
    "--files-from",
    type=click.File("rb"),
    metavar="FILE|-",
    help="Read more paths from a list, separated by newlines or NULs.",
)
@click.option(
    "--strip",
    type=click.Choice(["gps", "all"]),
    help="Remove metadata from the results: the location, or all but the colour profile.",
)
@click.option("--preserve", is_flag=True, help="Copy the permissions and times of the photos to the results.")
@click.option(
    "--skip-brighter-than",
    type=click.FloatRange(0, 1),
    metavar="LEVEL",
    help="Skip photos whose mean luma, 0 to 1, is above this.",
)
@shared_options.max_mpixels
@click.option("--allow-truncated", is_flag=True, help="Accept files that are incomplete.")
@shared_options.device
@shared_options.threads
@shared_options.memory
@shared_options.on
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write an HTML report: every photo before and after, with scores.",
)
@click.option(
    "--preview",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="SHEET",
    help="Write only a contact sheet, .png or .jpg: each photo as it is, and at strengths 0.4, 0.7 and 1.0.",
)
@click.option(
    "--watch",
    is_flag=True,
    help="Then wait for new photos in the folder, and enhance each once it is complete, until Ctrl-C.",
)
@click.option(
    "--preset",
    type=PRESET,
    metavar="NAME",
    is_eager=True,
    expose_value=False,
    callback=apply_configuration,
    help="Use the options of this preset in the configuration file (`enlighten doctor` prints its path); the command "
    "line wins.",
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first photo that fails.")
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout: one record per photo, then a summary.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.option("-v", "--verbose", count=True, help="Print the outcome of each photo; -vv: tracebacks too.")
@click.pass_context
def enhance(ctx: click.Context, /, **given: Any) -> None:
    """Brighten photos and folders of photos.

    Results keep the name, format, size, bit depth, colour profile and metadata of their photos.
    Inputs are never changed. A URL (s3://, gs://, az://, https://) names a photo or a folder in a
    store. `-` reads a photo from stdin, and `-o -` writes one to stdout.
    """
    arguments = EnhanceArguments(**given)
    ctx.meta["verbosity"] = arguments.verbose
    inputs = _inputs(ctx, arguments)
    check_options(arguments, inputs)
    check_cluster(arguments, inputs)
    if arguments.to_stdout and arguments.as_json:
        raise UsageError("-o - and --json both write to stdout; give one")
    if arguments.to_stdout and sys.stdout is None:
        raise UsageError("-o -: stdout is closed; choose another -o")
    if arguments.to_stdout and sys.stdout.isatty():
        raise UsageError(
            "-o - writes the bytes of a photo, and stdout is a terminal; redirect it, or choose another -o"
        )
    with results_only() as results:
        if arguments.to_stdout or inputs == [Path(STREAM)]:
            code = enhance_one(inputs, arguments, results)
        else:
            with interruptible() as signals:
                if arguments.preview:
                    code = write_preview([as_file(path) for path in inputs], arguments, signals)
                elif arguments.watch:
                    from enlighten_cli.cli.watching import watch_folder  # slow to import

                    code = watch_folder([as_file(path) for path in inputs], arguments, results, signals)
                else:
                    code = enhance_many(inputs, arguments, results, signals)
    ctx.exit(code)


def _inputs(ctx: click.Context, arguments: EnhanceArguments) -> list[Place]:
    """Collect the photos and folders of the command line and of --files-from."""
    named = list(arguments.photos)
    if Path(STREAM) in named and len(named) > 1:
        raise UsageError("- (stdin) is one photo; give no others with it")
    for number, path in enumerate(named):
        if isinstance(path, Address):
            from enlighten_cli.stores.folders import located

            named[number] = located(path)
        elif path != Path(STREAM) and not path.exists() and not path.is_symlink():
            raise _no_such_path(ctx, path)
    if arguments.files_from:
        from enlighten_cli.batch.lists import read_list

        if Path(STREAM) in named:
            raise UsageError("--files-from and - (stdin) cannot be combined")
        named += read_list(arguments.files_from)
    if not named:
        raise UsageError("no photo or folder given; see: enlighten enhance --help")
    return named


def _no_such_path(ctx: click.Context, path: Path) -> UsageError:
    """Return the error for a path that does not exist; it suggests a command or path with a similar name."""
    group = ctx.parent.command if ctx.parent else None
    near = get_close_matches(str(path), group.list_commands(ctx), n=1) if isinstance(group, click.Group) else []
    if near:
        return UsageError(f"{path}: no such photo, folder or command; did you mean `enlighten {near[0]}`?")
    try:
        neighbours = {each.name: str(each) for each in path.parent.iterdir()}
    except OSError:
        neighbours = {}
    close = [neighbours[name] for name in get_close_matches(path.name, neighbours, n=1)]
    return UsageError(f"{path}: no such file or folder{f'; did you mean {close[0]}?' if close else ''}")
