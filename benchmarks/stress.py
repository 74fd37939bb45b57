"""Show what a reference cannot: noise, rings, edges and casts of results, on pictures of which everything is known.

    python benchmarks/stress.py [--model NAME|FILE ...] [--method NAME ...] [--stops 3 4 5] [--json FILE]
                                [--sheet FOLDER]

Scenes made in code, and the example photo, are taken too dark (scenes.py, sensor.py: linear light, shot and read noise,
8 bits, JPEG), several times each with different noise, and enhanced. The result is measured (measures.py), and so is
the input lifted by one gain, in linear light, to the same mean luma: a method should be better than that. A row a
measure, averaged over stops, patches, codings and seeds; two columns a method. `0-8` is the input patch's tone, of 255.

    grain             noise of a pixel relative to the light, over the input's: 1 is unchanged
    grain per detail  that, over the contrast kept at the same tone: no tone curve changes it, only denoising does
    mottle            noise that a blur of 5 px leaves, in percent of the light
    detail            contrast of line pairs of 4, 8 and 16 px relative to the light, over the scene's: 1 is kept
    shadows, texture  the same of text at 4 to 15 of 255, and of the example photo
    new edges         steepest gradient on a backlit face that the scene lacks, in percent of the tone a pixel
    banding           deviation of a gradient sky from its trend, in percent of the tone
    ring              largest change of the dark ground around a lamp, in steps of 255, and its width in pixels
    cast              angle of hue in a*b* of colour patches, and of grey patches from grey in linear light
    colour kept       distance of colour patches from grey, over the scene's: 1 is kept
    highlights        percentage of pixels newly clipped at white
    newly burnt       percentage of pixels whose luma is now 250 or more, and was below 235
    figure            mean tone of a face or wall, of 255, and its contrast relative to the light, over the scene's
    ramp              by how much light that falls into black rises again, and its steepest fall, in steps of 255

Scenes that are photos as taken (window, flash, facade, ramp, haze) need no stops; they are judged once.

`--sheet` writes a strip a scene: lifted input | method ... | clean, at 100 %.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from library.board import GAMMA045, MODEL
from library.judging import GAIN, Task, Value, drawn, judge, made
from library.scenes import AS_TAKEN, SCENES
from library.sensor import CODINGS, exposed, lifted, mean_luma

from enlighten_cli.enhancement.enhance import DENOISE_WORDS, Mode, Options
from enlighten_cli.evaluation.sheet import contact_sheet
from enlighten_cli.methods import METHODS
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.photo import Photo, Pixels, as_pixels, encode
from enlighten_cli.resources import available_cores

CODINGS_OF = {"chart": CODINGS, "lines": CODINGS}  # the others: the first and the last
QUICK_SCENES = ["chart", "lines", "backlit", "lamp", "photo", "window", "ramp"]
UNIT = {
    "grain": "x", "mottle": "%", "detail": "x", "shadows": "x", "texture": "x", "new edges": "%/px", "banding": "%",
    "ring, steps": "/255", "ring, px": "px", "cast": "deg",
    "colour kept": "x", "highlights": "%", "newly burnt": "%", "figure, tone": "/255", "figure, contrast": "x",
    "ramp, reversal": "/255", "ramp, step": "/255",
}  # fmt: skip
Found = list[tuple[Task, dict[str, list[Value]]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help=f"may be repeated; {DEFAULT_MODEL} by default")
    parser.add_argument("--no-model", action="store_true", help="only the methods")
    parser.add_argument("--method", action="append", default=[], choices=[*METHODS, GAMMA045])
    parser.add_argument("--mode", choices=["auto", "full", "fast"], default="auto")
    parser.add_argument("--denoise", default="auto", help="auto, off or a number")
    parser.add_argument("--stops", type=float, nargs="+", default=[3, 4, 5])
    parser.add_argument("--seeds", type=int, default=3, help="of noise; at least 2")
    parser.add_argument("--scene", action="append", choices=list(SCENES), help="only this; may be repeated")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="folder for a strip of each scene")
    parser.add_argument("--quick", action="store_true", help="seven scenes, one exposure, one coding, two seeds")
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error("noise is what differs between seeds: --seeds must be at least 2")
    models = [] if arguments.no_model else arguments.model or [DEFAULT_MODEL]
    methods = [*arguments.method, *(MODEL + name for name in models)]
    if not methods:
        parser.error("--no-model leaves nothing to judge: add --method NAME")
    options = _options(arguments.mode, arguments.denoise)
    stops, seeds = ([4.0], 2) if arguments.quick else (arguments.stops, arguments.seeds)
    scenes = arguments.scene or (QUICK_SCENES if arguments.quick else list(SCENES))

    began = time.monotonic()
    tasks = [
        Task(scene, each, coding, seeds)
        for scene in scenes
        for each in (stops[:1] if scene in AS_TAKEN else stops)
        for coding in (CODINGS[1:2] if arguments.quick else CODINGS_OF.get(scene, CODINGS[::2]))
    ]
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(available_cores()) as pool:
        count = len(tasks)
        found = list(zip(tasks, pool.map(judge, tasks, [methods] * count, [options] * count), strict=True))
        if arguments.sheet:
            arguments.sheet.mkdir(parents=True, exist_ok=True)
            pairs = [(scene, each) for scene in scenes for each in stops]
            count = len(pairs)
            for (scene, each), sheet in zip(
                pairs, pool.map(strip, *zip(*pairs, strict=True), [methods] * count, [options] * count), strict=True
            ):
                (arguments.sheet / f"{scene}-{each:g}-stops.png").write_bytes(encode(Photo(sheet, "PNG")))
    show(found)
    pictures = sum(task.seeds for task in tasks)
    print(f"\n{pictures} pictures, {len(methods)} methods: {time.monotonic() - began:.0f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps(record(found, arguments.mode)) + "\n")


def _options(mode: str, denoise: str) -> Options:
    return Options(mode=Mode(mode), denoise=DENOISE_WORDS[denoise] if denoise in DENOISE_WORDS else float(denoise))


def strip(scene: str, stops: float, methods: Sequence[str], options: Options) -> Pixels:
    """Lay out what is to be looked at: the input lifted to the first method's mean, each method, the clean scene."""
    drawing = drawn(scene, stops)
    dark = exposed(drawing.light, stops, CODINGS[1], 0)
    results = [made(method, dark, options) for method in methods]
    cells = [lifted(dark, mean_luma(results[0])), *results, as_pixels(drawing.clean)]
    return contact_sheet([[np.ascontiguousarray(cell[drawing.view]) for cell in cells]], cell_px=10**4)


def means(found: Found) -> dict[str, dict[str, float]]:
    """Return means by measure and method, over whatever has a value."""
    values: dict[str, dict[str, list[float]]] = {}
    for _, methods in found:
        for method, measured in methods.items():
            for each in measured:
                values.setdefault(each.measure, {}).setdefault(method, []).append(float(np.mean(each.values)))
    order = {name: place for place, name in enumerate(UNIT)}
    rows = sorted(values, key=lambda row: (order[_kind(row)], re.sub(r"\d+", lambda number: number[0].zfill(3), row)))
    return {row: {method: float(np.mean(each)) for method, each in values[row].items()} for row in rows}


def _kind(row: str) -> str:
    return max((name for name in UNIT if row.startswith(name)), key=len)


def short(method: str) -> str:
    return (
        GAIN.strip() + " " + short(method.removeprefix(GAIN))
        if method.startswith(GAIN)
        else Path(method.removeprefix(MODEL)).stem
    )


def show(found: Found) -> None:
    names = list(found[0][1])
    print(f"{'':30}" + "".join(f"{short(name):>18}" for name in names))
    for row, values in means(found).items():
        print(f"{row:25} {UNIT[_kind(row)]:4}" + "".join(f"{values.get(name, np.nan):18.3f}" for name in names))


def record(found: Found, mode: str) -> dict[str, Any]:
    """Return all of it for JSON, figures to four digits: means, and a row a measure, part, exposure and coding."""
    return {
        "mode": mode,
        "means": {
            row: {short(name): round(value, 4) for name, value in values.items()}
            for row, values in means(found).items()
        },
        "values": [
            {
                "measure": each.measure,
                "part": each.part,
                "scene": task.scene,
                "stops": task.stops,
                "coding": str(task.coding),
                "method": short(method),
                "by_seed" if len(each.values) > 1 else "all_seeds": [round(float(value), 4) for value in each.values],
            }
            for task, methods in found
            for method, measured in methods.items()
            for each in measured
        ],
    }


if __name__ == "__main__":
    main()
