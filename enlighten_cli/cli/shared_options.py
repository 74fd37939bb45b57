"""Options that several commands share."""

from __future__ import annotations

import click

from enlighten_cli.cli.choices import DEVICE, MODEL

device = click.option(
    "--device",
    type=DEVICE,
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda[:N]",
    help="Where to compute; auto is a GPU if one can be used.",
)
on = click.option(
    "--on",
    metavar="ray|ray://HOST:PORT|HOST:PORT",
    help="Work on a Ray cluster: `ray` is the one that RAY_ADDRESS names, or a new one on this machine. --threads and "
    "--memory are then those of each worker.",
)
max_mpixels = click.option(
    "--max-mpixels",
    type=click.FloatRange(min=0, min_open=True),
    default=250,
    show_default=True,
    help="Refuse larger photos before decoding them; in megapixels.",
)
memory = click.option(
    "--memory",
    type=click.IntRange(min=1),
    metavar="MB",
    help="Memory for the network, and as much again for the photos in work; by default half of the free memory each.",
)
mode = click.option(
    "--mode",
    type=click.Choice(["auto", "full", "fast"]),
    default="auto",
    show_default=True,
    help="full: the network sees every pixel. fast: it sees a thumbnail, and a guided filter carries the result to "
    "every pixel. auto: fast if the photo is larger than the model's training photos.",
)
model = click.option(
    "--model", type=MODEL, metavar="NAME|FILE", help="Model or method to use: a name, or an .onnx file."
)
threads = click.option("--threads", type=click.IntRange(min=1), help="Threads of the network; all cores by default.")
verbose = click.option("-v", "--verbose", count=True, help="-vv: show tracebacks.")
