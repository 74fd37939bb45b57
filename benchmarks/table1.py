"""Compare classical methods and models: quality by the board, cost in seconds a megapixel.

    python benchmarks/table1.py DATA/val OUT [--model NAME|FILE]... [--outputs NAME=FOLDER]... [--every N] [--report]
                                [--sheet N]

DATA/val is laid out as for score.py, and so are folders of outputs. OUT receives table1.md, table1.csv and table1.png.
With --report, `enlighten evaluate` writes OUT/SET.html too: a page with a slider for each photo and method; with
--sheet, OUT/SET-sheet.jpg shows N photos of each set by all methods. Methods see whole photos, as with `evaluate
--method`. Cost is CPU time of one core, so that other work on the machine matters less. Lines are those of a method's
own file, without blank ones, comments and docstrings.
"""

from __future__ import annotations

import argparse
import csv
import inspect
import io
import shlex
import subprocess
import sys
import time
import tokenize
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from library.board import COST, MODEL, OUTPUTS, PAIRED, Board, Task, made, run, tasks
from library.perceptual import DEFAULT_VGG
from matplotlib.figure import Figure
from score import short

from enlighten_cli import photo
from enlighten_cli.evaluation.interval import Interval
from enlighten_cli.evaluation.plots import COLOURS
from enlighten_cli.evaluation.sheet import contact_sheet, labelled, reduced
from enlighten_cli.methods import METHODS
from enlighten_cli.metrics import METRICS, Better
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.photo import Photo, Pixels, as_srgb, encode

PLOTTED = "aligned_psnr"
CELL_PX = 240
NO_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENCODING, tokenize.ENDMARKER),
}
LOWER_IS_BETTER = {name for name, metric in METRICS.items() if metric.better is Better.LOWER} | {COST, "perceptual"}
HIGHER_IS_BETTER = {name for name, metric in METRICS.items() if metric.better is Better.HIGHER}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("val", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", action="append", help=f"may be repeated; {DEFAULT_MODEL} by default")
    parser.add_argument("--outputs", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--only", action="append", default=[], metavar="SET")
    parser.add_argument("--every", type=int, default=1, help="judge every so-many-th photo")
    parser.add_argument("--perceptual", action="store_true", help="measure the distance by VGG-16 as well (slow)")
    parser.add_argument("--report", action="store_true", help="write pages to look at")
    parser.add_argument(
        "--sheet", type=int, default=0, metavar="N", help="show so many photos of each set by all methods"
    )
    arguments = parser.parse_args()
    models = arguments.model or [DEFAULT_MODEL]
    rows = [*METHODS, *(MODEL + name for name in models), *(OUTPUTS + words for words in arguments.outputs)]

    began = time.monotonic()
    found = tasks(arguments.val, arguments.only, arguments.every)
    if not found:
        parser.error(f"{arguments.val}: no photos of these sets")
    board = run(found, rows, DEFAULT_VGG if arguments.perceptual else None)
    means = {short(method): sets for method, sets in board.means().items()}

    arguments.out.mkdir(parents=True, exist_ok=True)
    counts = ", ".join(f"{len(photos)} of {name}" for name, photos in board.photos.items())
    lines = [
        "# Table 1: classical methods and models",
        "",
        f"Made by `python benchmarks/table1.py {shlex.join(words_of(arguments))}` in {time.monotonic() - began:.0f} s.",
        f"{'Every photo' if arguments.every == 1 else f'A subset, every {arguments.every}th photo'}: {counts}.",
        "Means; the best of a column in bold.",
        "",
        *(line for name in board.photos for line in markdown(name, means)),
        "Lines of code: " + ", ".join(f"{name} {count}" for name, count in lines_of_code().items()) + ".",
        "",
    ]
    (arguments.out / "table1.md").write_text("\n".join(lines))
    (arguments.out / "table1.csv").write_text(as_csv(means), newline="")
    plot(board, means).savefig(arguments.out / "table1.png", dpi=110, metadata={"Software": None})
    if arguments.report:
        for name in board.photos:
            write_report(arguments, name, models)
    if arguments.sheet:
        for name in board.photos:
            few = [task for task in found if task.set == name]
            few = [few[round(place)] for place in np.linspace(0, len(few) - 1, min(arguments.sheet, len(few)))]
            (arguments.out / f"{name}-sheet.jpg").write_bytes(encode(Photo(sheet(few, rows), "JPEG")))


def words_of(arguments: argparse.Namespace) -> list[str]:
    """Return the command's words, without this machine's folders."""
    words = ["DATA/val", "OUT"]
    for option, values in (("--model", arguments.model or []), ("--only", arguments.only)):
        words += [word for value in values for word in (option, value)]
    for value in arguments.outputs:
        words += ["--outputs", value.split("=")[0] + "=FOLDER"]
    if arguments.every != 1:
        words += ["--every", str(arguments.every)]
    return words + [f"--{name}" for name in ("perceptual", "report") if getattr(arguments, name)]


def markdown(set_name: str, means: Mapping[str, Mapping[str, Mapping[str, Interval]]]) -> list[str]:
    """Lay out one set."""
    rows = {method: sets[set_name] for method, sets in means.items() if set_name in sets}
    metrics = list(dict.fromkeys(metric for row in rows.values() for metric in row))
    lines = [f"## {set_name}", "", f"| method | {' | '.join(metrics)} |", "| --- |" + " ---: |" * len(metrics)]
    for method, row in rows.items():
        cells = []
        for metric in metrics:
            # The input costs nothing and moves nothing: it competes only where it is compared with a reference.
            others = [each[metric].mean for name, each in rows.items() if metric in each and name != "input"]
            words = f"{row[metric].mean:.3f}" if metric in row else "-"
            cells.append(f"**{words}**" if metric in row and row[metric].mean == best(metric, others) else words)
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return [*lines, ""]


def best(metric: str, values: Sequence[float]) -> float | None:
    """Return the best of the values, or None where none is better than another."""
    if metric in LOWER_IS_BETTER:
        return min(values)
    return max(values) if metric in HIGHER_IS_BETTER else None


def as_csv(means: Mapping[str, Mapping[str, Mapping[str, Interval]]]) -> str:
    """Lay out all of it, a figure a line, with its 95 % interval."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["set", "method", "metric", "mean", "low", "high"])
    for method, sets in means.items():
        for name, metrics in sets.items():
            for metric, each in metrics.items():
                writer.writerow([name, method, metric, *(f"{value:.4f}" for value in (each.mean, each.low, each.high))])
    return text.getvalue()


def plot(board: Board, means: Mapping[str, Mapping[str, Mapping[str, Interval]]]) -> Figure:
    """Draw quality against cost, for each set with references."""
    sets = [name for name in board.photos if name in PAIRED]
    figure = Figure(figsize=(5.2 * max(1, len(sets)), 4), layout="constrained")
    for place, name in enumerate(sets, start=1):
        axes = figure.add_subplot(1, len(sets), place)
        shown = {
            method: rows[name] for method, rows in means.items() if COST in rows.get(name, {}) and method != "input"
        }
        for (method, row), colour in zip(shown.items(), COLOURS * len(shown), strict=False):
            cost, quality = max(row[COST].mean, 1e-3), row[PLOTTED].mean
            axes.plot(cost, quality, "o", color=colour)
            axes.annotate(method, (cost, quality), xytext=(5, 3), textcoords="offset points", fontsize=8)
        axes.set_xscale("log")
        axes.margins(0.2)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("CPU seconds a megapixel, one core", fontsize=8)
        axes.set_ylabel(f"{PLOTTED}, dB", fontsize=8)
    return figure


def sheet(few: Sequence[Task], rows: Sequence[str]) -> Pixels:
    """Show photos by all methods, and their references last: a row each, labelled."""
    cells = []
    for task in few:
        decoded = photo.decode(task.path)
        shown = {short(method): made(method, decoded, task) for method in rows}
        if task.reference:
            shown["reference"] = as_srgb(photo.decode(task.reference))
        cells.append([labelled(reduced(pixels, CELL_PX), name) for name, pixels in shown.items()])
    return contact_sheet(cells)


def lines_of_code() -> dict[str, int]:
    """Count the lines of each method's file that hold code."""
    counts = {}
    for name, method in METHODS.items():
        path = Path(inspect.getsourcefile(method.enhance) or "")
        if path.stem == name:
            with path.open("rb") as file:
                found = [token for token in tokenize.tokenize(file.readline) if token.type not in NO_CODE]
            code = [
                token for token in found if not (token.type == tokenize.STRING and token.line.lstrip()[:3] == '"""')
            ]
            counts[name] = len({line for token in code for line in range(token.start[0], token.end[0] + 1)})
    return counts


def write_report(arguments: argparse.Namespace, name: str, models: Sequence[str]) -> None:
    """Let `enlighten evaluate` write the page of a set."""
    folder = arguments.val / name
    words = [str(folder / "low"), "--reference", str(folder / "high")] if name in PAIRED else [str(folder)]
    if not Path(words[0]).is_dir():  # the well-lit photos are LOL's references
        return
    for option, values in (("--method", METHODS), ("--model", models), ("--outputs", arguments.outputs)):
        words += [word for value in values for word in (option, value)]
    report = arguments.out / f"{name}.html"
    subprocess.run([sys.executable, "-m", "enlighten_cli", "evaluate", *words, "--report", str(report)], check=True)


if __name__ == "__main__":
    main()
