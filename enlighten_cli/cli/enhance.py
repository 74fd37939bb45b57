"""Run ``enlighten enhance``: one photo of a pipeline, or a batch."""

from __future__ import annotations

import sys
from pathlib import Path

from enlighten_cli.cli.addresses import check_is_file
from enlighten_cli.cli.arguments import STREAM, EnhanceArguments
from enlighten_cli.cli.batch import enhance_many
from enlighten_cli.cli.executors import check_cluster
from enlighten_cli.cli.inputs import collected
from enlighten_cli.cli.pipeline import enhance_one
from enlighten_cli.cli.signals import interruptible
from enlighten_cli.cli.streams import results_only
from enlighten_cli.errors import UsageError

__all__ = ["EnhanceArguments", "enhance_photos"]


def enhance_photos(arguments: EnhanceArguments) -> int:
    """Enhance photos, and return the exit code."""
    inputs = collected(arguments.photos, arguments.files_from, command="enhance")
    if arguments.report:
        check_is_file("--report", arguments.report)
    arguments.check_stores(inputs)
    check_cluster(arguments, inputs)
    is_one = arguments.to_stdout or inputs == [Path(STREAM)]
    if arguments.to_stdout:
        _check_stdout(arguments)
    with results_only() as results:
        if is_one:
            return enhance_one(inputs, arguments, results)
        with interruptible() as signals:
            return enhance_many(inputs, arguments, results, signals)


def _check_stdout(arguments: EnhanceArguments) -> None:
    if arguments.as_json:
        raise UsageError("-o - and --json both write to stdout; give one")
    if sys.stdout is None:
        raise UsageError("-o -: stdout is closed; choose another -o")
    if sys.stdout.isatty():
        raise UsageError(
            "-o - writes the bytes of a photo, and stdout is a terminal; redirect it, or choose another -o"
        )
