"""Run ``enlighten evaluate``: score the results of models and methods."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.cli.candidates import ComparedArguments, Failures, originals_of, prepared
from enlighten_cli.cli.console import say
from enlighten_cli.cli.layouts import LAYOUTS
from enlighten_cli.cli.outputs import REPORT, SHEET, check_output
from enlighten_cli.cli.progress import counted
from enlighten_cli.cli.signals import SIGNALLED, interruptible
from enlighten_cli.cli.streams import results_only
from enlighten_cli.errors import UsageError
from enlighten_cli.evaluation.runner import photo_sets
from enlighten_cli.evaluation.sheet import contact_sheet, marked_sheet, reduced
from enlighten_cli.evaluation.tables import Scores, provenance, rows_of
from enlighten_cli.originals import Originals
from enlighten_cli.photo import Pixels

COMPARED_PHOTOS = 200  # on a contact sheet; more would be too small to see


@dataclass(frozen=True, kw_only=True)
class EvaluateArguments(ComparedArguments):
    """The arguments of ``enlighten evaluate``."""

    reference: Path | None
    metrics: tuple[str, ...]
    per_photo: bool
    layout: str
    report: Path | None
    compare: Path | None


def score(arguments: EvaluateArguments) -> int:
    """Enhance and score photos, print the scores, and return the exit code."""
    _check_outputs(arguments)
    report, compare, reference = arguments.report, arguments.compare, arguments.reference
    sets = photo_sets(arguments.folders, reference)
    scores: list[Scores] = []
    failures = Failures()
    with (
        results_only() as results,
        interruptible() as signals,
        prepared(
            arguments, sets, signals, failures, optional=arguments.metrics, keeps_pixels=bool(report or compare)
        ) as evaluation,
    ):
        names = evaluation.names
        total = len(names) * sum(len(photos.paths) for photos in sets)
        if compare and total > COMPARED_PHOTOS:
            raise UsageError(f"--compare: {total} pictures, at most {COMPARED_PHOTOS}; use fewer photos or methods")
        origin = provenance(
            evaluation.facts, {"mode": arguments.mode, "reference": str(reference) if reference else None}
        )
        sight = _Sight(report, methods=len(names), keeps_cells=compare is not None)
        with counted(total, shown=not arguments.quiet) as advance:
            for each in evaluation.run(sight.see):
                scores.append(each)
                advance(f"{each.set}/{each.photo}")
                if signals:
                    break
        if signals:
            return SIGNALLED + signals[0]
        scores = failures.without(scores)
        failures.check_any_left(scores)
        rows = rows_of(scores)
        text = LAYOUTS[arguments.layout](rows, scores if arguments.per_photo else [], origin, names)
        results.write(text.encode("utf-8", "surrogateescape"))
        results.flush()
    originals = originals_of(arguments, sets)
    if report:
        lines = [f"{name}: {_words(fact)}" for name, fact in {**origin["models"], **origin}.items() if name != "models"]
        assert sight.page is not None
        sight.page.write(report, rows, lines, originals)
        say(f"report: {report}")
    if compare:
        cells = {key: row for key, row in sight.cells.items() if key not in failures}
        _write_sheet(compare, cells, names, originals)
    return failures.exit_code


def _check_outputs(arguments: EvaluateArguments) -> None:
    """Check before any work that outputs can be written, and overwrite nothing else."""
    inputs = [*arguments.folders, *([arguments.reference] if arguments.reference else [])]
    if arguments.compare:
        check_output("--compare", arguments.compare, endings=SHEET, inputs=inputs)
    if arguments.report:
        from enlighten_cli.evaluation.report import require_report  # needs packages that scores do not

        require_report()
        check_output("--report", arguments.report, endings=REPORT, inputs=inputs)


class _Sight:
    """Collects reduced photos for the report and the contact sheet."""

    def __init__(self, report: Path | None, *, methods: int, keeps_cells: bool) -> None:
        self.page = None
        if report:
            from enlighten_cli.evaluation.report import Page  # needs packages that scores do not

            self.page = Page("enlighten evaluate", methods)
        self.keeps_cells = keeps_cells
        self.cells: dict[tuple[str, str], dict[str, Pixels]] = {}

    def see(self, scores: Scores, before: Pixels, after: Pixels) -> None:
        if self.page is not None:
            self.page.add(self.page.picture(scores, before, after))
        if self.keeps_cells:
            row = self.cells.setdefault((scores.set, scores.photo), {"input": reduced(before)})
            row[scores.method] = reduced(after)


def _write_sheet(
    path: Path, cells: dict[tuple[str, str], dict[str, Pixels]], methods: list[str], originals: Originals
) -> None:
    order = ["input", *(method for method in methods if method != "input")]
    sheet = contact_sheet([[row[method] for method in order] for row in cells.values()])
    write_whole(path, marked_sheet(sheet, path.suffix), originals=originals)
    say(f"sheet: {path} ({' | '.join(order)})")


def _words(fact: Any) -> str:
    return ", ".join(f"{key} {str(value)[:16]}" for key, value in fact.items() if value is not None)
