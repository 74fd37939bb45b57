"""Show what each part of EnlightenGAN's training is good for: train without it, and score.

    python benchmarks/ablation.py LOW NORMAL DATA/val OUT [--images 40000] [--seeds 2] [--row NAME ...] [--seconds N]
        [--jobs N] [--at IMAGES]

All rows begin with the same generator, with new discriminators, and see the same images. They are trained in OUT,
exported, and scored by the board on LOL and backlit (score.py); OUT/ablation.md is the table: means over seeds, each
with a 95 % bootstrap interval over photos. What is done is not done again: run the command again to go on, for example
where `--seconds` ended it. A GPU trains many rows at once (`--jobs 16`). With `--at`, the rows are scored as they were
after so many images, whether or not they have got to their end; `--seconds 0` trains no further. Two rows can then be
judged blind: `enlighten blind PHOTOS --model OUT/ROW-0/model.onnx --model OUT/OTHER-0/model.onnx -o page.html`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from library.board import MODEL, Board, run, tasks
from library.perceptual import DEFAULT_VGG
from library.resumable import trained

from enlighten_cli.evaluation.interval import interval
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.models.store import weights_file
from enlighten_cli.training.export import export_onnx

Recipe = dict[str, Any]

START = "start.safetensors"  # a copy without the package's discriminators, which learned beside another generator

FRAMES: Recipe = {
    "crop_px": 112, "frame": "square", "frame_min": 0.6, "exposure_stops": 1.0, "darkened_probability": 0.25,
    "batch": 8, "lr": 1e-4, "constant_fraction": 0.5, "ema_images": 1000,
    "well_lit_weight": 1.0, "well_lit_lift": 0.5, "kept_detail_weight": 6.0,
}  # fmt: skip
LESSON: Recipe = FRAMES | {"objective": "distillation", "teacher_weight": 1.0, "light_weight": 0.5}
# The anchor leaves brightness to the judges. SFP at the paper's weight buys darkness on whole frames of this size;
# on frames reduced to 64 px it costs a third.
ADVERSARIES: Recipe = FRAMES | {
    "objective": "enlightengan", "aligned_weight": 1.0, "sfp_weight": 0.15, "sfp_px": 64, "dim_probability": 0.0,
    "patches": 4, "patch_px": 36, "discriminator_width": 32, "discriminators_first_images": 2000,
}  # fmt: skip
ROWS: dict[str, Recipe] = {
    "lesson": LESSON,
    "matching": ADVERSARIES | {
        "global_weight": 0.0, "local_weight": 0.0, "sfp_weight": 0.0, "discriminators_first_images": 0,
        "matching_weight": 1.0,
    },
    "adversaries": ADVERSARIES,
    "feature-judges": ADVERSARIES | {"feature_weight": 0.2, "blur_images": 8000, "penalty_weight": 0.05},
    "consistency": ADVERSARIES | {"consistency_weight": 0.5},
    "no-local-judge": ADVERSARIES | {"local_weight": 0.0},
    "no-attention": ADVERSARIES | {"attention": False},
    "no-sfp": ADVERSARIES | {"sfp_weight": 0.0},
}  # fmt: skip
COLUMNS = ("psnr", "ssim", "aligned_psnr", "aligned_ssim", "ciede2000", "chroma_ratio", "perceptual")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("low", type=Path)
    parser.add_argument("normal", type=Path)
    parser.add_argument("val", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--row", action="append", choices=list(ROWS), help="only this; may be repeated")
    parser.add_argument("--images", type=int, default=40_000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--start", default=DEFAULT_MODEL, help="weights with which all begin")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--vgg", type=Path, default=DEFAULT_VGG)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop training after so long")
    parser.add_argument("--jobs", type=int, default=1, help="rows trained at once")
    parser.add_argument("--at", type=int, help="score the rows after so many images; a multiple of IMAGES / 20")
    parser.add_argument("--every", type=int, default=1, help="score every so-many-th photo")
    arguments = parser.parse_args()
    until = time.monotonic() + arguments.seconds
    arguments.output.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(weights_file(f"{arguments.start}.safetensors"), arguments.output / START)
    runs = [(row, seed) for seed in range(arguments.seeds) for row in arguments.row or ROWS]
    with ThreadPoolExecutor(arguments.jobs) as threads:
        ended = list(threads.map(lambda run: _trained(arguments, *run, until), runs))
    models = {run: model for run, model in zip(runs, ended, strict=True) if model}
    if arguments.at:
        models = {run: model for run in runs if (model := _snapshot(arguments, *run))}
    if not models:
        sys.exit("no row has got so far yet: run the command again")
    found = tasks(arguments.val, ["lol", "backlit"], arguments.every)
    names = [MODEL + arguments.start, *(MODEL + str(model) for model in models.values())]
    board = run(found, names, arguments.vgg if arguments.vgg.is_file() else None)
    rows = {"start": [MODEL + arguments.start]}
    for (row, _), model in models.items():
        rows.setdefault(row, []).append(MODEL + str(model))
    table = _table(board, rows, arguments.images, arguments.at)
    print(table)
    (arguments.output / "ablation.md").write_text(table)
    labels = {MODEL + str(model): f"{row}-{seed}" for (row, seed), model in models.items()}
    values = {labels.get(method, arguments.start): _rounded(sets) for method, sets in board.values.items()}
    (arguments.output / "ablation.json").write_text(json.dumps({"photos": board.photos, "values": values}) + "\n")


def _trained(arguments: argparse.Namespace, row: str, seed: int, until: float) -> Path | None:
    """Train a row, or go on with it; the model, or nothing if the time is over."""

    def begin() -> list[str]:
        recipe = ROWS[row] | {"images": arguments.images, "seed": seed, "precision": arguments.precision}
        file: Path = arguments.output / f"{row}-{seed}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(recipe, indent=2) + "\n")
        words = ["--config", str(file), "--from", str(arguments.output / START)]
        return [*words, "--low", str(arguments.low), "--normal", str(arguments.normal)]

    vgg = ["--vgg", str(arguments.vgg)] if arguments.vgg.is_file() else []
    return trained(arguments.output / f"{row}-{seed}", until, begin, vgg)


def _snapshot(arguments: argparse.Namespace, row: str, seed: int) -> Path | None:
    """Export a row's averaged weights as they were after `--at` images, if it has got so far."""
    run: Path = arguments.output / f"{row}-{seed}"
    weights, model = run / f"generator-{arguments.at:08d}.safetensors", run / f"model-{arguments.at}.onnx"
    if weights.is_file() and not model.is_file():
        export_onnx(weights, model, name=f"{run.name}-{arguments.at}", licence="not stated")
    return model if model.is_file() else None


def _rounded(sets: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, list[float | None]]]:
    return {
        name: {
            metric: [round(value, 4) if np.isfinite(value) else None for value in values]
            for metric, values in metrics.items()
        }
        for name, metrics in sets.items()
    }


def _table(board: Board, rows: dict[str, list[str]], images: int, at: int | None) -> str:
    seen = f"{at} of {images}" if at else str(images)
    lines = [f"{seen} images a row; in brackets the 95 % interval over photos, both seeds together", ""]
    for name in board.photos:
        present = [column for column in COLUMNS if column in board.values[rows["start"][0]][name]]
        lines += [f"| {name} | seeds | " + " | ".join(present) + " |", "| --- " * (len(present) + 2) + "|"]
        for row, methods in rows.items():
            cells = []
            for column in present:
                values = np.mean([board.values[method][name][column] for method in methods], axis=0)
                each = interval([value for value in values if np.isfinite(value)])
                cells.append(f"{each.mean:.3f} ({each.low:.3f} to {each.high:.3f})")
            lines.append(f"| {row} | {len(methods)} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
