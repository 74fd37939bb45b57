"""Run ``enlighten votes``: count the votes of a blind comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from enlighten_cli.cli.layouts import layout_of_votes
from enlighten_cli.cli.streams import results_only
from enlighten_cli.errors import UsageError
from enlighten_cli.evaluation.votes import read_votes, tallies


def count(files: Sequence[Path], layout: str) -> None:
    """Print the result of a vote."""
    counted = tallies(read_votes(files))
    if not counted:
        raise UsageError(f"{', '.join(map(str, files))}: no votes")
    with results_only() as results:
        results.write(layout_of_votes(counted, layout).encode("utf-8", "surrogateescape"))
        results.flush()
