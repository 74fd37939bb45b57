"""Tables of scores and votes, as text, Markdown, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from enlighten_cli.cli.console import visible
from enlighten_cli.evaluation.tables import Row, Scores, best_of
from enlighten_cli.evaluation.votes import Tally
from enlighten_cli.metrics import METRICS


def _grid(rows: Sequence[Row], scores: Sequence[Scores], mark: str) -> list[list[str]]:
    """Format scores as text, with marks around the best of each set."""
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
    return _columns(_grid(rows, scores, "*")) + ("* best of its set\n" if len(methods) > 1 else "")


def _columns(grid: list[list[str]]) -> str:
    grid = [[visible(word) for word in line] for line in grid]
    widths = [max(len(line[column]) for line in grid) for column in range(len(grid[0]))]

    def cell(word: str, column: int) -> str:
        return word.ljust(widths[column]) if column < 2 or not _is_figure(word) else word.rjust(widths[column])

    lines = ["  ".join(cell(word, column) for column, word in enumerate(line)).rstrip() for line in grid]
    return "\n".join(lines) + "\n"


def _is_figure(word: str) -> bool:
    return word.strip("*").replace(".", "").replace("-", "").isdecimal()


def _as_markdown(rows: Sequence[Row], scores: Sequence[Scores], origin: dict[str, Any], methods: list[str]) -> str:
    return _markdown(_grid(rows, scores, "**"))


def _markdown(grid: list[list[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(visible(cell).replace("|", "\\|") for cell in cells) + " |"

    head, *body = grid
    return "\n".join([line(head), line(["---"] * len(head)), *map(line, body)]) + "\n"


def _as_csv(rows: Sequence[Row], scores: Sequence[Scores], origin: dict[str, Any], methods: list[str]) -> str:
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
    """Replace infinity, which JSON does not have, by null: the PSNR of identical photos is infinite."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and value == float("inf") else value


LAYOUTS = {"table": _as_table, "markdown": _as_markdown, "csv": _as_csv, "json": _as_json}


def layout_of_votes(counted: Sequence[Tally], layout: str) -> str:
    """Format counted votes."""
    if layout == "json":
        return json.dumps([tally.record() for tally in counted]) + "\n"
    head = ["set", "method", "against", "votes", "wins", "losses", "ties", "rate", "95 %", "p"]
    grid = [head]
    for tally in counted:
        low, high = tally.interval
        figures = [tally.count, tally.wins, tally.losses, tally.ties]
        words = [f"{tally.rate:.3f}", f"{low:.3f} to {high:.3f}", f"{tally.p_value:.3f}"]
        grid.append([tally.set, tally.first, tally.second, *map(str, figures), *words])
    if layout == "csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(grid)
        return text.getvalue()
    if layout == "markdown":
        return _markdown(grid)
    return _columns(grid)
