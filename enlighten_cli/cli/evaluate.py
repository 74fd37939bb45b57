"""``enlighten evaluate``: score the results of models and methods, or let people compare them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from enlighten_cli.cli import shared_options
from enlighten_cli.cli.candidates import prepared
from enlighten_cli.cli.choices import MODEL, Registered, method_names, optional_metric_names
from enlighten_cli.cli.console import say
from enlighten_cli.cli.layouts import LAYOUTS, layout_of_votes
from enlighten_cli.cli.outputs import REPORT, SHEET, check_output
from enlighten_cli.cli.signals import SIGNALLED, interruptible
from enlighten_cli.cli.streams import results_only
from enlighten_cli.errors import UsageError

if TYPE_CHECKING:
    from enlighten_cli.evaluation.tables import Scores
    from enlighten_cli.photo import Pixels

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
NEW_FILE = click.Path(path_type=Path, dir_okay=False)
COMPARED_PHOTOS = 200  # on a contact sheet; more would be too small to see
BLIND_PHOTOS = 400  # in one page; a browser may not open more


@dataclass(frozen=True)
class EvaluateArguments:
    """The values of the command line, unconverted."""

    folders: tuple[Path, ...]
    reference: Path | None
    models: tuple[str, ...]
    methods: tuple[str, ...]
    outputs: tuple[str, ...]
    metrics: tuple[str, ...]
    mode: str
    device: str
    threads: int | None
    on: str | None
    per_photo: bool
    layout: str
    report: Path | None
    compare: Path | None
    blind: Path | None
    votes: tuple[Path, ...]
    quiet: bool
    verbose: int


@click.command(short_help="Score the results of models and methods.")
@click.argument("folders", nargs=-1, type=FOLDER, metavar="FOLDER...")
@click.option(
    "--reference", type=FOLDER, help="Well-lit photos of the same scenes, matched by file name without ending."
)
@click.option(
    "--model",
    "models",
    type=MODEL,
    multiple=True,
    metavar="NAME|FILE",
    help="Model to score; repeat it to compare several.",
)
@click.option(
    "--method",
    "methods",
    multiple=True,
    type=Registered("method", method_names),
    help="Method to score: input (the photos as they are), gamma, clahe...; repeatable.",
)
@click.option(
    "--outputs",
    multiple=True,
    metavar="NAME=FOLDER",
    help="Results of another program, matched by file name without ending; for several FOLDERs, in subfolders of the "
    "same names.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=Registered("metric", optional_metric_names),
    help="Another metric to measure; repeatable. With --reference: aligned_psnr and aligned_ssim (after scaling the "
    "result to the reference's mean), ciede2000, chroma_ratio, contrast_ratio. Without: darkest, the 5th percentile "
    "of luma.",
)
@shared_options.mode
@shared_options.device
@shared_options.threads
@shared_options.on
@click.option("--per-photo", is_flag=True, help="Print a row for each photo too.")
@click.option(
    "--format", "layout", type=click.Choice(["table", "markdown", "csv", "json"]), default="table", show_default=True
)
@click.option("--report", type=NEW_FILE, help="Write an HTML report.")
@click.option("--compare", type=NEW_FILE, help="Write a contact sheet, .png or .jpg: input, then each method.")
@click.option(
    "--blind",
    type=NEW_FILE,
    help="Write an HTML page for a blind comparison: people choose the better of two results without knowing which "
    "method made which, and save their votes. Nothing is scored.",
)
@click.option("--votes", multiple=True, type=FILE, help="Count the votes that such a page saved; repeatable.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@shared_options.verbose
@click.pass_context
def evaluate(ctx: click.Context, /, **given: Any) -> None:
    """Enhance the photos of each FOLDER in memory, and print their scores.

    NIQE, LOE, colour shift and mean luma need no reference; PSNR and SSIM need --reference.
    Without --model and --method, the default model is scored.
    """
    arguments = EvaluateArguments(**given)
    ctx.meta["verbosity"] = arguments.verbose
    if arguments.votes:
        _count(arguments)
        return
    if not arguments.folders:
        raise UsageError("no folder given; see: enlighten evaluate --help")
    _check_outputs(arguments)
    code = _make_blind_page(arguments) if arguments.blind else _score(arguments)
    ctx.exit(code)


def _count(arguments: EvaluateArguments) -> None:
    """Print the result of a vote."""
    from enlighten_cli.evaluation.votes import read_votes, tallies

    if arguments.folders:
        raise UsageError("--votes only counts votes; leave out the folders")
    if arguments.on:
        raise UsageError("--votes only counts votes; leave out --on")
    counted = tallies(read_votes(arguments.votes))
    if not counted:
        raise UsageError(f"{', '.join(map(str, arguments.votes))}: no votes")
    with results_only() as results:
        results.write(layout_of_votes(counted, arguments.layout).encode("utf-8", "surrogateescape"))
        results.flush()


def _make_blind_page(arguments: EvaluateArguments) -> int:
    from enlighten_cli.cli.progress import counted
    from enlighten_cli.evaluation.blind import BlindPage
    from enlighten_cli.evaluation.runner import photo_sets

    assert arguments.blind is not None
    sets = photo_sets(arguments.folders, None)
    page = BlindPage()
    with interruptible() as signals, prepared(arguments, sets, signals, scored=False, seen=True) as evaluation:
        if len(evaluation.names) < 2:
            raise UsageError("--blind compares at least two; name them with --model, --method or --outputs")
        total = len(evaluation.names) * sum(len(photos.paths) for photos in sets)
        if total > BLIND_PHOTOS:
            raise UsageError(f"--blind: {total} pictures, at most {BLIND_PHOTOS}; use fewer photos or methods")
        with counted(total, shown=not arguments.quiet) as advance:
            for each in evaluation.run(page.see):
                advance(f"{each.set}/{each.photo}")
                if signals:
                    break
    if signals:
        return SIGNALLED + signals[0]
    pairs = page.write(arguments.blind)
    say(f"page: {arguments.blind} ({pairs} pairs); open it in a browser, then: enlighten evaluate --votes votes.json")
    return 0


def _score(arguments: EvaluateArguments) -> int:
    from enlighten_cli.cli.progress import counted
    from enlighten_cli.evaluation.runner import photo_sets
    from enlighten_cli.evaluation.tables import provenance, rows_of

    report, compare, reference = arguments.report, arguments.compare, arguments.reference
    sets = photo_sets(arguments.folders, reference)
    seen = bool(report or compare)
    scores: list[Scores] = []
    with (
        results_only() as results,
        interruptible() as signals,
        prepared(arguments, sets, signals, seen=seen) as evaluation,
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
        rows = rows_of(scores)
        text = LAYOUTS[arguments.layout](rows, scores if arguments.per_photo else [], origin, names)
        results.write(text.encode("utf-8", "surrogateescape"))
        results.flush()
    if report:
        lines = [f"{name}: {_words(fact)}" for name, fact in {**origin["models"], **origin}.items() if name != "models"]
        assert sight.page is not None
        sight.page.write(report, rows, lines)
        say(f"report: {report}")
    if compare:
        _write_sheet(compare, sight.cells, names)
    return 0


def _check_outputs(arguments: EvaluateArguments) -> None:
    """Check before any work that outputs can be written, and overwrite nothing else."""
    inputs = [*arguments.folders, *([arguments.reference] if arguments.reference else [])]
    if arguments.compare:
        check_output("--compare", arguments.compare, endings=SHEET, inputs=inputs)
    if arguments.blind:
        if arguments.report or arguments.compare or arguments.reference:
            raise UsageError("--blind scores nothing; leave out --report, --compare and --reference")
        check_output("--blind", arguments.blind, endings=REPORT, inputs=inputs)
    if arguments.report:
        from enlighten_cli.evaluation.report import require_report

        require_report()
        check_output("--report", arguments.report, endings=REPORT, inputs=inputs)


class _Sight:
    """Collects reduced photos for the report and the contact sheet."""

    def __init__(self, report: Path | None, *, methods: int, keeps_cells: bool) -> None:
        self.page = None
        if report:
            from enlighten_cli.evaluation.report import Page

            self.page = Page("enlighten evaluate", methods)
        self.keeps_cells = keeps_cells
        self.cells: dict[tuple[str, str], dict[str, Pixels]] = {}

    def see(self, scores: Scores, before: Pixels, after: Pixels) -> None:
        if self.page is not None:
            self.page.add(self.page.picture(scores, before, after))
        if self.keeps_cells:
            from enlighten_cli.evaluation.sheet import reduced

            row = self.cells.setdefault((scores.set, scores.photo), {"input": reduced(before)})
            row[scores.method] = reduced(after)


def _write_sheet(path: Path, cells: dict[tuple[str, str], dict[str, Pixels]], methods: list[str]) -> None:
    from enlighten_cli.atomic_write import write_whole
    from enlighten_cli.evaluation.sheet import contact_sheet, marked_sheet

    order = ["input", *(method for method in methods if method != "input")]
    sheet = contact_sheet([[row[method] for method in order] for row in cells.values()])
    write_whole(path, marked_sheet(sheet, path.suffix))
    say(f"sheet: {path} ({' | '.join(order)})")


def _words(fact: Any) -> str:
    return ", ".join(f"{key} {str(value)[:16]}" for key, value in fact.items() if value is not None)
