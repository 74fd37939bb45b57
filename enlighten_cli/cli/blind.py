"""Run ``enlighten blind``: write a page on which people compare results without knowing their methods."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from enlighten_cli.cli.candidates import ComparedArguments, Failures, originals_of, prepared
from enlighten_cli.cli.console import say
from enlighten_cli.cli.outputs import REPORT, check_output
from enlighten_cli.cli.progress import counted
from enlighten_cli.cli.signals import SIGNALLED, interruptible
from enlighten_cli.cli.streams import results_only
from enlighten_cli.errors import UsageError
from enlighten_cli.evaluation.blind import BlindPage
from enlighten_cli.evaluation.runner import photo_sets

MOST_PICTURES = 400  # in one page; a browser may not open more


@dataclass(frozen=True, kw_only=True)
class BlindArguments(ComparedArguments):
    """The arguments of ``enlighten blind``."""

    page: Path


def write_page(arguments: BlindArguments) -> int:
    """Enhance photos by each candidate, write the page, and return the exit code."""
    check_output("-o", arguments.page, endings=REPORT, inputs=arguments.folders)
    sets = photo_sets(arguments.folders, None)
    page, failures = BlindPage(), Failures()
    with (
        results_only(),
        interruptible() as signals,
        prepared(arguments, sets, signals, failures, scored=False, keeps_pixels=True) as evaluation,
    ):
        if len(evaluation.names) < 2:
            raise UsageError("a blind page compares at least two; name them with --model, --method or --outputs")
        total = len(evaluation.names) * sum(len(photos.paths) for photos in sets)
        if total > MOST_PICTURES:
            raise UsageError(f"a blind page has at most {MOST_PICTURES} pictures, not {total}; use fewer photos")
        done = []
        with counted(total, shown=not arguments.quiet) as advance:
            for each in evaluation.run(page.see):
                done.append(each)
                advance(f"{each.set}/{each.photo}")
                if signals:
                    break
    if signals:
        return SIGNALLED + signals[0]
    failures.check_any_left(failures.without(done))
    pairs = page.write(arguments.page, originals_of(arguments, sets))
    say(f"page: {arguments.page} ({pairs} pairs); open it in a browser, then: enlighten votes votes.json")
    return failures.exit_code
