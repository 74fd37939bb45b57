"""``enlighten evaluate``: score what models and plain methods make of folders."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from enlighten_cli.cli.choices import Registered, method_names
from enlighten_cli.cli.console import say
from enlighten_cli.cli.outputs import REPORT, SHEET, check_output
from enlighten_cli.cli.signals import SIGNALLED, interruptible
from enlighten_cli.cli.streams import results_only
from enlighten_cli.errors import UsageError

if TYPE_CHECKING:
    from enlighten_cli.evaluation.runner import Enhance
    from enlighten_cli.evaluation.tables import Row, Scores
    from enlighten_cli.photo import Pixels

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
COMPARED_PHOTOS = 200  # a contact sheet of more would be no sheet


@click.command(short_help="Score what models make of folders.")
@click.argument("folders", nargs=-1, required=True, type=FOLDER, metavar="FOLDER...")
@click.option("--reference", type=FOLDER, help="Well-lit counterparts of the photos, matched by the stem of the names.")
@click.option("--model", "models", multiple=True, metavar="NAME|FILE", help="A model to score; several are compared.")
@click.option(
    "--method",
    "methods",
    multiple=True,
    type=Registered("method", method_names),
    help="The photos as they are (input), or a method without a model (gamma, clahe...), to compare with.",
)
@click.option("--mode", type=click.Choice(["auto", "full", "fast"]), default="auto", show_default=True)
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda[:N]", help="What computes.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads of the network; all cores by default.")
@click.option("--per-photo", is_flag=True, help="A row a photo as well.")
@click.option(
    "--format", "layout", type=click.Choice(["table", "markdown", "csv", "json"]), default="table", show_default=True
)
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML page to look at.")
@click.option(
    "--compare",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a contact sheet, .png or .jpg: input, then each method.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.option("-v", "--verbose", count=True, help="-vv: show tracebacks.")
@click.pass_context
def evaluate(
    ctx: click.Context,
    /,
    folders: tuple[Path, ...],
    reference: Path | None,
    models: tuple[str, ...],
    methods: tuple[str, ...],
    layout: str,
    report: Path | None,
    compare: Path | None,
    per_photo: bool,
    **given: Any,
) -> None:
    """Enhance the photos of each FOLDER in memory, and print how they score.

    NIQE, LOE, colour shift and mean luma need no reference; PSNR and SSIM do, by --reference.
    Without --model and --method, the default model is scored.
    """
    ctx.meta["verbosity"] = given["verbose"]
    from enlighten_cli.evaluation.runner import evaluate as run
    from enlighten_cli.evaluation.runner import photo_sets
    from enlighten_cli.evaluation.tables import provenance, rows_of

    _check_outputs(report, compare, [*folders, *([reference] if reference else [])])
    sets = photo_sets(folders, reference)
    chosen, facts = _methods(models, methods, given)
    total = len(chosen) * sum(len(photos.paths) for photos in sets)
    if compare and total > COMPARED_PHOTOS:
        raise UsageError(f"--compare of {total} pictures; at most {COMPARED_PHOTOS}")
    origin = provenance(facts, {"mode": given["mode"], "reference": str(reference) if reference else None})

    from enlighten_cli.cli.progress import counted

    scores: list[Scores] = []
    sight = _Sight(report, keeps_cells=compare is not None)
    with (
        results_only() as results,
        interruptible() as signals,
        counted(total, shown=not given["quiet"]) as advance,
    ):
        for each in run(sets, chosen, sight.see):
            scores.append(each)
            advance(f"{each.set}/{each.photo}")
            if signals:
                ctx.exit(SIGNALLED + signals[0])
        rows = rows_of(scores)
        text = LAYOUTS[layout](rows, scores if per_photo else [], origin, list(chosen))
        results.write(text.encode("utf-8", "surrogateescape"))
        results.flush()
    if report:
        lines = [f"{name}: {_words(fact)}" for name, fact in {**origin["models"], **origin}.items() if name != "models"]
        assert sight.page is not None
        sight.page.write(report, rows, lines)
        say(f"report: {report}")
    if compare:
        _write_sheet(compare, sight.cells, list(chosen))


def _check_outputs(report: Path | None, compare: Path | None, inputs: Sequence[Path]) -> None:
    """Refuse before an hour of work what would fail after it, or destroy something."""
    if compare:
        check_output("--compare", compare, endings=SHEET, inputs=inputs)
    if report:
        from enlighten_cli.evaluation.report import require_report

        require_report()
        check_output("--report", report, endings=REPORT, inputs=inputs)


def _methods(
    models: Sequence[str], methods: Sequence[str], given: dict[str, Any]
) -> tuple[dict[str, Enhance], dict[str, Any]]:
    """Return what is to be compared, by name, and the facts about the models among it."""
    from enlighten_cli.cli.choices import opened_model
    from enlighten_cli.enhancement.enhance import Mode, Options, enhance
    from enlighten_cli.evaluation.runner import by_method
    from enlighten_cli.methods import METHODS
    from enlighten_cli.models.download import sha256_of
    from enlighten_cli.models.registry import DEFAULT_MODEL
    from enlighten_cli.models.store import locate

    chosen: dict[str, Enhance] = {name: by_method(METHODS[name].enhance) for name in methods}
    facts = {}
    options = Options(mode=Mode(given["mode"]))
    for word in models or ([] if methods else [DEFAULT_MODEL]):
        network = opened_model(word, device=given["device"], threads=given["threads"], quiet=given["quiet"])
        name = network.name if network.name not in chosen else word
        chosen[name] = lambda before, network=network: enhance(before, network, options)  # type: ignore[misc]
        facts[name] = {"sha256": sha256_of(locate(word)), "provider": network.provider}
    return chosen, facts


class _Sight:
    """Keeps what is to be looked at: pages and cells of a sheet, reduced."""

    def __init__(self, report: Path | None, *, keeps_cells: bool) -> None:
        self.page = None
        if report:
            from enlighten_cli.evaluation.report import Page

            self.page = Page("enlighten evaluate")
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
    from enlighten_cli.evaluation.sheet import contact_sheet
    from enlighten_cli.photo import SUFFIXES, Metadata, Photo, encode

    order = ["input", *(method for method in methods if method != "input")]
    sheet = contact_sheet([[row[method] for method in order] for row in cells.values()])
    metadata = Metadata(comment=b"enlighten contact sheet")  # by which a later run knows that it may replace it
    write_whole(path, encode(Photo(sheet, "PNG", metadata=metadata), SUFFIXES[path.suffix.lower()]))
    say(f"sheet: {path} ({' | '.join(order)})")


def _words(fact: Any) -> str:
    return ", ".join(f"{key} {str(value)[:16]}" for key, value in fact.items() if value is not None)


def _grid(rows: Sequence[Row], scores: Sequence[Scores], mark: str) -> list[list[str]]:
    """Lay out figures as words, the best of each set between marks."""
    from enlighten_cli.evaluation.tables import best_of
    from enlighten_cli.metrics import METRICS

    metrics = [metric for metric in METRICS if any(metric in row.means for row in rows)]
    grid = [["set", "method", "photos", *metrics]]
    for row in rows:
        cells = []
        for metric in metrics:
            value = row.means.get(metric)
            words = "" if value is None else f"{value:.3f}"
            cells.append(f"{mark}{words}{mark}" if words and value == best_of(rows, row.set, metric) else words)
        grid.append([row.set, row.method, str(row.count), *cells])
    for each in scores:
        values = (each.values.get(metric) for metric in metrics)
        grid.append([each.set, each.method, each.photo, *("" if value is None else f"{value:.3f}" for value in values)])
    return grid


def _as_table(rows: Sequence[Row], scores: Sequence[Scores], origin: dict[str, Any], methods: list[str]) -> str:
    grid = _grid(rows, scores, "*")
    widths = [max(len(line[column]) for line in grid) for column in range(len(grid[0]))]

    def cell(word: str, column: int) -> str:
        return word.ljust(widths[column]) if column < 2 or not _is_figure(word) else word.rjust(widths[column])

    lines = ["  ".join(cell(word, column) for column, word in enumerate(line)).rstrip() for line in grid]
    best = ["* best of its set"] if len(methods) > 1 else []
    return "\n".join([*lines, *best]) + "\n"


def _is_figure(word: str) -> bool:
    return word.strip("*").replace(".", "").replace("-", "").isdecimal()


def _as_markdown(rows: Sequence[Row], scores: Sequence[Scores], origin: dict[str, Any], methods: list[str]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    head, *body = _grid(rows, scores, "**")
    return "\n".join([line(head), line(["---"] * len(head)), *map(line, body)]) + "\n"


def _as_csv(rows: Sequence[Row], scores: Sequence[Scores], origin: dict[str, Any], methods: list[str]) -> str:
    from enlighten_cli.metrics import METRICS

    text = io.StringIO()
    writer = csv.DictWriter(text, ["set", "method", "photo", "count", *METRICS], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({"set": row.set, "method": row.method, "count": row.count, **row.means})
    for each in scores:
        writer.writerow({"set": each.set, "method": each.method, "photo": each.photo, **each.values})
    return text.getvalue()


def _as_json(rows: Sequence[Row], scores: Sequence[Scores], origin: dict[str, Any], methods: list[str]) -> str:
    record = {
        "sets": [row.record() for row in rows],
        "photos": [each.record() for each in scores],
        "provenance": origin,
    }
    return json.dumps(_finite(record)) + "\n"


def _finite(value: Any) -> Any:
    """Replace what JSON has no word for: the PSNR of identical photos is infinite."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and value == float("inf") else value


LAYOUTS = {"table": _as_table, "markdown": _as_markdown, "csv": _as_csv, "json": _as_json}
