"""Options that several commands share."""

from __future__ import annotations

import math
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from enlighten_cli.cli.choices import DEVICE, FORMAT, MODEL, Denoise
from enlighten_cli.cli.command import Heading, Option
from enlighten_cli.cli.presets import PRESET, apply_configuration

MOST_THREADS = 4096
MOST_TILE_PX = 10**6
MOST_MEGABYTES = 10**9  # a petabyte
MOST_MEGAPIXELS = 1e6  # more than any decoder takes
files = partial(click.option, cls=Option, heading=Heading.FILES)
picture = partial(click.option, cls=Option, heading=Heading.PICTURE)
which = partial(click.option, cls=Option, heading=Heading.WHICH)
machine = partial(click.option, cls=Option, heading=Heading.MACHINE)
messages = partial(click.option, cls=Option, heading=Heading.MESSAGES)


class Number(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3
    """A number in a range: neither nan, which no comparison refuses, nor infinite, nor of hundreds of digits.

    Parameters
    ----------
    low, high : float, optional
        The range.
    above : bool
        Whether `low` itself is outside.
    whole : bool
        Whether only integers are numbers.
    """

    name = "number"

    def __init__(
        self, low: float | None = None, high: float | None = None, *, above: bool = False, whole: bool = False
    ) -> None:
        if whole:
            self._range: Any = click.IntRange(low, high)  # type: ignore[arg-type]
        else:
            self._range = click.FloatRange(low, high, min_open=above)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Refuse what is no number, or not in the range."""
        try:
            number: float = self._range.convert(value, param, ctx)
        except OverflowError:  # an integer of hundreds of digits
            number = math.inf
        if not math.isfinite(number):
            self.fail(f"{str(value)[:20]} is not a finite number", param, ctx)
        return number


class ListFile(click.File):
    """A list of paths; `-` is stdin."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Open the file."""
        if value == "-" and sys.stdin is None:
            self.fail("stdin is closed", param, ctx)
        return super().convert(value, param, ctx)


output = files(
    "-o",
    "--output",
    type=click.Path(readable=False),
    metavar="OUT",
    help="Where results go. A folder, if it exists as one, ends in / or there are several photos; else a file, "
    "whose ending sets the format; - is stdout. By default beside the photos, marked -enlightened.",
)
files_from = files(
    "--files-from",
    type=ListFile("rb"),
    metavar="FILE|-",
    help="Read more paths from a list, separated by newlines or NULs.",
)
format = files(
    "--format",
    type=FORMAT,
    help="Format of the results, such as jpg, png, webp, tiff; by default each photo's own (16-bit TIFF for camera "
    "RAW).",
)
quality = files(
    "--quality",
    type=Number(1, 100, whole=True),
    help="Quality of lossy formats, 1 to 100; by default a JPEG keeps its source's quantization tables.",
)
name = files(
    "--name",
    metavar="TEMPLATE",
    help="File names of results in folders, with the fields {stem}, {ext} and {model}: '{stem}-{model}.{ext}'.",
)
strip = files(
    "--strip",
    type=click.Choice(["gps", "all"]),
    help="Remove metadata from the results: the location, or all but the colour profile.",
)
preserve = files("--preserve", is_flag=True, help="Copy the permissions and times of the photos to the results.")
preset = files(
    "--preset",
    type=PRESET,
    metavar="NAME",
    is_eager=True,
    expose_value=False,
    callback=apply_configuration,
    help="Use the options of this preset in the configuration file (`enlighten doctor` prints its path); the command "
    "line wins.",
)
model = picture("--model", type=MODEL, metavar="NAME|FILE", help="Model or method to use: a name, or an .onnx file.")
strength = picture(
    "--strength",
    type=Number(),
    metavar="NUMBER",
    default=1.0,
    show_default=True,
    help="How much to brighten: 0 leaves the photo as it is, 1 is the model's own result, 1.5 the most.",
)
mode = picture(
    "--mode",
    type=click.Choice(["auto", "full", "fast"]),
    default="auto",
    show_default=True,
    help="full: the network sees every pixel. fast: it sees a thumbnail, and a guided filter carries the result to "
    "every pixel. auto: fast if the photo is larger than the model's training photos.",
)
denoise = picture(
    "--denoise",
    type=Denoise(),
    default="auto",
    show_default=True,
    metavar="auto|off|FLOAT",
    help="Remove noise that brightening would make visible. A number is a factor on the measured noise, at most 2.",
)
tile = picture(
    "--tile",
    type=Number(0, MOST_TILE_PX, whole=True),
    metavar="PX",
    help="Full mode in tiles of this side, with the same result; 0 for the whole photo at once. "
    "By default as large as memory allows.",
)
on_conflict = which(
    "--on-conflict",
    type=click.Choice(["skip", "overwrite", "rename", "error"]),
    default="skip",
    show_default=True,
    help="What to do if a result already exists.",
)
overwrite = which(
    "--overwrite", is_flag=True, help="Replace results that already exist: short for --on-conflict overwrite."
)
skip_brighter_than = which(
    "--skip-brighter-than",
    type=Number(0, 1),
    metavar="LEVEL",
    help="Skip photos whose mean luma, 0 to 1, is above this.",
)
max_mpixels = which(
    "--max-mpixels",
    type=Number(0, MOST_MEGAPIXELS, above=True),
    default=250,
    show_default=True,
    help="Refuse larger photos before decoding them; in megapixels.",
)
allow_truncated = which("--allow-truncated", is_flag=True, help="Accept files that are incomplete.")
device = machine(
    "--device",
    type=DEVICE,
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda[:N]",
    help="Where to compute; auto is a GPU if one can be used.",
)
threads = machine(
    "--threads",
    type=Number(1, MOST_THREADS, whole=True),
    metavar="N",
    help="Threads of the network; all cores by default.",
)
memory = machine(
    "--memory",
    type=Number(1, MOST_MEGABYTES, whole=True),
    metavar="MB",
    help="Memory for the network, and as much again for the photos in work; by default half of the free memory each.",
)
on = machine(
    "--on",
    metavar="ray|ray://HOST:PORT|HOST:PORT",
    help="Work on a Ray cluster: `ray` is the one that RAY_ADDRESS names, or a new one on this machine. --threads and "
    "--memory are then those of each worker.",
)
as_json = messages(
    "--json", "as_json", is_flag=True, help="Write JSON to stdout: one record per photo, then a summary."
)
quiet = messages("-q", "--quiet", is_flag=True, help="Print errors only.")
verbose_outcomes = messages("-v", "--verbose", count=True, help="Print the outcome of each photo; -vv: tracebacks too.")
verbose = messages("-v", "--verbose", count=True, help="-vv: show tracebacks.")
folders = click.argument(
    "folders",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER...",
)
