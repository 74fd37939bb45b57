"""Options of the commands that compare models, methods and results of other programs."""

from __future__ import annotations

import click

from enlighten_cli.cli.choices import MODEL, Registered, method_names
from enlighten_cli.cli.shared_options import files, machine, messages, picture

models = picture(
    "--model", "models", type=MODEL, multiple=True, metavar="NAME|FILE", help="Model to compare; repeatable."
)
methods = picture(
    "--method",
    "methods",
    multiple=True,
    type=Registered("method", method_names),
    help="Method to compare: input (the photos as they are), gamma, clahe...; repeatable.",
)
outputs = files(
    "--outputs",
    multiple=True,
    metavar="NAME=FOLDER",
    help="Results of another program, matched by file name without ending; for several FOLDERs, in subfolders of the "
    "same names.",
)
on = machine(
    "--on",
    metavar="ray|ray://HOST:PORT|HOST:PORT",
    help="Work on a Ray cluster: `ray` is the one that RAY_ADDRESS names, or a new one on this machine. --threads are "
    "then those of each worker.",
)
layout = messages(
    "--format",
    "layout",
    type=click.Choice(["table", "markdown", "csv", "json"]),
    default="table",
    show_default=True,
    help="How the figures are printed.",
)
quiet = messages("-q", "--quiet", is_flag=True, help="Show no progress.")
