"""Score models on the validation sets: PSNR and SSIM on LOL's pairs, NIQE on the others.

`well_lit` is the PSNR of LOL's well-lit photos to themselves: how far a good photo is left alone.

    python benchmarks/score.py DATA/val [--model NAME|FILE ...] [--input] [--sheet FOLDER] [--json FILE]

DATA/val holds lol/low and lol/high (same names), lime, mef and dicm. `--input` scores the photos
as they are; NIQE is computed rightly when lime (without 5.png), mef and the shared half of dicm
then have 4.56, 4.32 and 4.07. A sheet has a row a photo: the input, then what each model makes of it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from enlighten_cli import photo
from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.evaluation.sheet import contact_sheet
from enlighten_cli.metrics.niqe import niqe
from enlighten_cli.metrics.psnr import psnr
from enlighten_cli.metrics.ssim import ssim
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.models.session import open_model
from enlighten_cli.photo import Photo, Pixels, as_srgb, encode

NIQE_SETS = ("lime", "mef", "dicm")
LEFT_OUT = ("5.png",)  # in lime: not among the nine photos of the published figure

Method: TypeAlias = Callable[[Path], Pixels]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("val", type=Path)
    parser.add_argument("--model", action="append", help=f"may be repeated; {DEFAULT_MODEL} by default")
    parser.add_argument("--input", action="store_true")
    parser.add_argument("--sheet", type=Path, help="folder for a contact sheet of each set")
    parser.add_argument("--mode", choices=["auto", "full", "fast"], default="auto")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    methods: dict[str, Method] = {"input": original} if arguments.input else {}
    for name in arguments.model or ([] if arguments.input else [DEFAULT_MODEL]):
        methods[name] = enhanced_by(name, Mode(arguments.mode))

    scores = {name: scores_of(method, arguments.val) for name, method in methods.items()}
    for name, values in scores.items():
        print(name, "  ".join(f"{metric} {value:.3f}" for metric, value in values.items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(scores, indent=2) + "\n")
    if arguments.sheet:
        arguments.sheet.mkdir(parents=True, exist_ok=True)
        for name in (*NIQE_SETS, "lol/low"):
            rows = [
                [each(path) for each in (original, *methods.values())] for path in find_photos(arguments.val / name)
            ]
            file = arguments.sheet / f"{name.split('/')[0]}.jpg"
            file.write_bytes(encode(Photo(contact_sheet(rows), "JPEG")))


def original(path: Path) -> Pixels:
    return as_srgb(photo.decode(path))


def enhanced_by(name: str, mode: Mode) -> Method:
    model = open_model(name)
    return lambda path: as_srgb(enhance(photo.decode(path), model, Options(mode=mode)))


def scores_of(method: Method, val: Path) -> dict[str, float]:
    scores: dict[str, float] = {}
    pairs, well_lit = [], []
    for path in find_photos(val / "lol" / "low"):
        bright = val / "lol" / "high" / path.name
        enhanced, reference = method(path), original(bright)
        pairs.append((psnr(enhanced, reference), ssim(enhanced, reference)))
        well_lit.append(psnr(method(bright), reference))
    scores["lol_psnr"], scores["lol_ssim"] = np.mean(pairs, axis=0).tolist()
    scores["well_lit_psnr"] = float(np.mean(well_lit))
    for name in NIQE_SETS:
        paths = [path for path in find_photos(val / name) if not (name == "lime" and path.name in LEFT_OUT)]
        scores[f"{name}_niqe"] = float(np.mean([niqe(method(path)) for path in paths]))
    return scores


if __name__ == "__main__":
    main()
