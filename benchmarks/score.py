"""Score a model on the validation sets: PSNR and SSIM on LOL's pairs, NIQE on the others.

`well_lit` is the PSNR of LOL's well-lit photos to themselves: how far a good photo is left alone.

    python benchmarks/score.py DATA/val [--model NAME|FILE] [--input] [--sheet FOLDER] [--json FILE]

DATA/val holds lol/low and lol/high (same names), lime, mef and dicm. `--input` scores the photos
as they are; NIQE is computed rightly when lime (without 5.png), mef and the shared half of dicm
then have 4.56, 4.32 and 4.07.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from enlighten_cli import photo
from enlighten_cli.discover import find_photos
from enlighten_cli.enhance import Mode, Options, enhance
from enlighten_cli.gallery.sheet import contact_sheet
from enlighten_cli.metrics.niqe import niqe
from enlighten_cli.metrics.psnr import psnr
from enlighten_cli.metrics.ssim import ssim
from enlighten_cli.model import open_model
from enlighten_cli.models import DEFAULT_MODEL
from enlighten_cli.photo import Photo, as_srgb, encode

NIQE_SETS = ("lime", "mef", "dicm")
LEFT_OUT = ("5.png",)  # in lime: not among the nine photos of the published figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("val", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--input", action="store_true")
    parser.add_argument("--sheet", type=Path, help="folder for a contact sheet of each set")
    parser.add_argument("--mode", choices=["auto", "full", "fast"], default="auto")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    model = None if arguments.input else open_model(arguments.model)

    def result(path: Path) -> tuple[Photo, Photo]:
        before = photo.decode(path)
        return before, before if model is None else enhance(before, model, Options(mode=Mode(arguments.mode)))

    scores: dict[str, float] = {}
    sheets: dict[str, list[list[photo.Pixels]]] = {}
    pairs, well_lit = [], []
    for path in find_photos(arguments.val / "lol" / "low"):
        before, after = result(path)
        reference = as_srgb(photo.decode(arguments.val / "lol" / "high" / path.name))
        well_lit.append(psnr(as_srgb(result(arguments.val / "lol" / "high" / path.name)[1]), reference))
        pairs.append((psnr(as_srgb(after), reference), ssim(as_srgb(after), reference)))
        sheets.setdefault("lol", []).append([as_srgb(before), as_srgb(after), reference])
    scores["lol_psnr"], scores["lol_ssim"] = np.mean(pairs, axis=0).tolist()
    scores["well_lit_psnr"] = float(np.mean(well_lit))
    for name in NIQE_SETS:
        values = []
        for path in find_photos(arguments.val / name):
            before, after = result(path)
            sheets.setdefault(name, []).append([as_srgb(before), as_srgb(after)])
            if not (name == "lime" and path.name in LEFT_OUT):
                values.append(niqe(as_srgb(after)))
        scores[f"{name}_niqe"] = float(np.mean(values))

    print("  ".join(f"{name} {value:.3f}" for name, value in scores.items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(scores, indent=2) + "\n")
    if arguments.sheet:
        arguments.sheet.mkdir(parents=True, exist_ok=True)
        for name, rows in sheets.items():
            (arguments.sheet / f"{name}.jpg").write_bytes(encode(Photo(contact_sheet(rows), "JPEG")))


if __name__ == "__main__":
    main()
