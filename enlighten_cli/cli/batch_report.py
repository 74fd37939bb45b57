"""The HTML report of a batch: every photo before and after, with scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from enlighten_cli.batch.jobs import Job, Photos
from enlighten_cli.batch.outcome import Outcome
from enlighten_cli.cli.console import say
from enlighten_cli.cli.outputs import REPORT, check_output
from enlighten_cli.enhancement.encoded import Enhanced
from enlighten_cli.evaluation.report import Page, Picture, require_report
from enlighten_cli.evaluation.runner import INPUT
from enlighten_cli.evaluation.tables import Scores, rows_of
from enlighten_cli.metrics import measured
from enlighten_cli.originals import Originals
from enlighten_cli.photo import Limits, as_srgb, decode

SCORED = "Scored: the saved files, including the effects of compression, and the original photos."


class BatchReport:
    """The report, which grows with the batch.

    Parameters
    ----------
    path : Path
        The page to write.
    inputs : sequence of Path
        Files and folders that the batch reads.

    Raises
    ------
    UsageError, MissingDependencyError
        Before any work, if the page cannot be written.
    """

    def __init__(self, path: Path, inputs: Sequence[Path]) -> None:
        require_report()
        check_output("--report", path, endings=REPORT, inputs=inputs)
        self._path, self._inputs = path, inputs
        self._page = Page("enlighten")
        self._scores: list[Scores] = []

    @property
    def make_examine(self) -> Callable[[str, int], Callable[[Job, Enhanced], list[Picture]]]:
        """What makes the function that draws a photo's pictures; it can be sent to other machines."""
        return report_pictures

    def add(self, outcome: Outcome) -> None:
        """Add the pictures of a photo, if it was enhanced."""
        if outcome.examined is None:
            return
        pictures = cast("list[Picture]", outcome.examined)
        pictures[-1].scores.values["seconds"] = outcome.seconds
        for picture in pictures:
            self._scores.append(picture.scores)
            self._page.add(picture)

    def write(self, model: str) -> None:
        """Write the page, and say so."""
        self._page.write(self._path, rows_of(self._scores), [f"model: {model}", SCORED], self._originals())
        say(f"report: {self._path}")

    def _originals(self) -> Originals:
        """Return what the page must not replace: the photos of the batch."""
        sources = (found.source for found in Photos(self._inputs))
        return Originals([source for source in sources if isinstance(source, Path)])


def report_pictures(model: str, workers: int) -> Callable[[Job, Enhanced], list[Picture]]:
    """Return a function that returns the report's pictures of a photo: the input, and the written file.

    Parameters
    ----------
    model : str
        Its name.
    workers : int
        Processes that draw the pictures of one report, which are smaller where there are many.
    """
    drawing, unlimited = Page("", methods=workers), Limits(max_mpixels=float("inf"))

    def examine(job: Job, enhanced: Enhanced) -> list[Picture]:
        assert enhanced.before is not None
        before, after = as_srgb(enhanced.before), as_srgb(decode(enhanced.content, unlimited))
        values = {**measured(after, before=before), "denoised": enhanced.denoised}
        folder, name = str(job.source.parent), job.source.name
        return [
            drawing.picture(Scores(folder, INPUT, name, measured(before)), before, before),
            drawing.picture(Scores(folder, model, name, values), before, after),
        ]

    return examine
