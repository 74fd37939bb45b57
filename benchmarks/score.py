"""Judge models and methods on the validation sets: one run, one table a method.

    python benchmarks/score.py DATA/val [--model NAME|FILE[@VARIANT] ...] [--json FILE] [--sheet FOLDER]

DATA/val holds lol, backlit, bracket and fivek (low and high, same names), lime, mef, dicm and hard. Beside the models
stand the input, a gamma of 0.45, CLAHE and exposure fusion, and results made elsewhere (`--outputs NAME=FOLDER`, in
subfolders named as the sets). A model can be used in other ways than the usual: lite@full, lite@denoise-off,
lite@finish-0. Means come with 95 % bootstrap intervals over photos. At the end: for every two methods, which
differences lie outside their interval. `aligned`: after one gain a photo. `perceptual`, of the middle of each photo,
needs VGG-16 (`--vgg`). A sheet has a row a photo: the input, then each method. All means are given for both halves of
split.tsv, too. NIQE is computed rightly when the input of lime (without 5.png), mef and the shared half of dicm has
4.56, 4.32 and 4.07.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

from library.board import FUSION, GAMMA045, HALVES, MODEL, OUTPUTS, VARIANTS, Board, made, run, tasks
from library.perceptual import DEFAULT_VGG

from enlighten_cli import photo
from enlighten_cli.evaluation.sheet import contact_sheet
from enlighten_cli.methods import METHODS
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.photo import Metadata, Photo, as_srgb, encode

BASELINES = ("input", GAMMA045, "clahe", "fusion", FUSION)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("val", type=Path)
    parser.add_argument(
        "--model",
        action="append",
        help=f"may be repeated, @{'|'.join(VARIANTS).strip('|')} after it; {DEFAULT_MODEL} by default",
    )
    parser.add_argument(
        "--method", action="append", choices=[*METHODS, GAMMA045, FUSION, "none"], help="instead of the usual"
    )
    parser.add_argument("--outputs", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--only", action="append", default=[], metavar="SET")
    parser.add_argument("--every", type=int, default=1, help="judge every so-many-th photo")
    parser.add_argument("--vgg", type=Path, default=DEFAULT_VGG)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="folder for a contact sheet of each set")
    arguments = parser.parse_args()
    methods = [name for name in arguments.method or BASELINES if name != "none"]
    for name in arguments.model or [DEFAULT_MODEL]:
        if name.partition("@")[2] not in VARIANTS:
            parser.error(f"{name}: after @ comes one of {', '.join(filter(None, VARIANTS))}")
        methods.append(MODEL + name)
    methods += [OUTPUTS + words for words in arguments.outputs]

    began = time.monotonic()
    found = tasks(arguments.val, arguments.only, arguments.every)
    board = run(found, methods, arguments.vgg if arguments.vgg.is_file() else None)
    show(board)
    print(f"\n{len(found)} photos, {len(methods)} methods: {time.monotonic() - began:.0f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps(record(board), indent=1) + "\n")
    if arguments.sheet:
        arguments.sheet.mkdir(parents=True, exist_ok=True)
        for name in dict.fromkeys(task.set for task in found):
            rows = []
            for task in (task for task in found if task.set == name):
                decoded = photo.decode(task.path)
                cells = [as_srgb(decoded), *(made(method, decoded, task) for method in methods)]
                rows.append(cells + ([as_srgb(photo.decode(task.reference))] if task.reference else []))
            sheet = Photo(contact_sheet(rows), "JPEG", metadata=Metadata(comment=b"enlighten contact sheet"))
            (arguments.sheet / f"{name}.jpg").write_bytes(encode(sheet))


def short(method: str) -> str:
    name, at, variant = method.removeprefix(MODEL).removeprefix(OUTPUTS).split("=")[0].partition("@")
    return Path(name).stem + at + variant


def show(board: Board) -> None:
    halves = [board.means(half) for half in HALVES]
    print(f"{'':27} {'mean':>9}   {'95 % interval':20}" + "".join(f"{half:>9}" for half in HALVES))
    for method, sets in board.means().items():
        print(f"\n{short(method)}")
        for name, metrics in sets.items():
            for metric, each in metrics.items():
                words = f"  {name:10} {metric:15} {each.mean:9.3f}   {each.low:8.3f} to {each.high:<8.3f}"
                print(words + "".join(f"{half[method][name][metric].mean:9.3f}" for half in halves))
    print("\ndifferences outside their 95 % interval (one - other):")
    for name, metric, one, other, each in board.differences():
        if each.excludes_zero and MODEL in one + other:
            words = f"{short(one)} - {short(other)}"
            print(f"  {name:10} {metric:15} {words:28} {each.mean:+9.3f}   {each.low:+8.3f} to {each.high:+.3f}")


def record(board: Board) -> dict[str, object]:
    """Return all of it for JSON, figures to four digits."""

    def few(value: float) -> float | None:
        return round(value, 4) if math.isfinite(value) else None

    def rounded(half: str) -> dict[str, dict[str, dict[str, list[float | None]]]]:
        return {
            short(method): {
                name: {metric: [few(each.mean), few(each.low), few(each.high)] for metric, each in metrics.items()}
                for name, metrics in sets.items()
            }
            for method, sets in board.means(half).items()
        }

    return {
        "means": rounded(""),
        "halves": {half: rounded(half) for half in HALVES},
        "differences": [
            [name, metric, short(one), short(other), few(each.mean), few(each.low), few(each.high)]
            for name, metric, one, other, each in board.differences()
        ],
        "photos": board.photos,
        "values": {
            short(method): {
                name: {metric: [few(value) for value in values] for metric, values in metrics.items()}
                for name, metrics in sets.items()
            }
            for method, sets in board.values.items()
        },
    }


if __name__ == "__main__":
    main()
