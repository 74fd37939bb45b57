"""Compare full with fast mode: PSNR and SSIM between the two, NIQE of each, 100 % crops side by side.

    python benchmarks/modes.py PHOTO|FOLDER... [--model NAME|FILE] [--crops FILE.png]

A row a folder, or a photo. The crops are input | full | fast around each photo's strongest edge.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from enlighten_cli import photo
from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.errors import PhotoError
from enlighten_cli.evaluation.sheet import contact_sheet
from enlighten_cli.metrics.niqe import niqe
from enlighten_cli.metrics.psnr import psnr
from enlighten_cli.metrics.ssim import ssim
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.models.session import open_model
from enlighten_cli.photo import Photo, Pixels, as_srgb, encode

CROP_PX = 320


def strongest_edge(pixels: Pixels) -> tuple[slice, slice]:
    """Return the crop whose middle has the largest difference of light from place to place."""
    light = pixels.max(axis=2).astype(np.float32)
    height, width = (length // 32 * 32 for length in light.shape)
    blocks = light[:height, :width].reshape(height // 32, 32, width // 32, 32).mean(axis=(1, 3))
    contrast = np.abs(np.diff(blocks, axis=1))[:-1] + np.abs(np.diff(blocks, axis=0))[:, :-1]
    row, column = (int(place) * 32 for place in np.unravel_index(contrast.argmax(), contrast.shape))
    top = min(max(0, row - CROP_PX // 2), max(0, pixels.shape[0] - CROP_PX))
    left = min(max(0, column - CROP_PX // 2), max(0, pixels.shape[1] - CROP_PX))
    return slice(top, top + CROP_PX), slice(left, left + CROP_PX)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", type=Path, nargs="+")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--crops", type=Path)
    arguments = parser.parse_args()
    model = open_model(arguments.model)
    cells = []
    print(f"{'':24} photos  fast to full: PSNR   SSIM   NIQE full   fast")
    for place in arguments.places:
        paths = find_photos(place) if place.is_dir() else [place]
        between, natural = [], []
        for path in paths:
            before = photo.decode(path)
            full, fast = (as_srgb(enhance(before, model, Options(mode=mode))) for mode in (Mode.FULL, Mode.FAST))
            between.append((psnr(fast, full), ssim(fast, full)))
            try:
                natural.append((niqe(full), niqe(fast)))
            except PhotoError:
                continue
            crop = strongest_edge(as_srgb(before))
            cells.append([pixels[crop] for pixels in (as_srgb(before), full, fast)])
        (ratio, structure), (of_full, of_fast) = np.mean(between, axis=0), np.mean(natural, axis=0)
        print(
            f"{place.name:24} {len(paths):6} {ratio:20.2f} {structure:6.3f} {of_full:11.3f} {of_fast:6.3f}", flush=True
        )
    if arguments.crops:
        sheet = contact_sheet(cells, cell_px=CROP_PX)
        arguments.crops.write_bytes(encode(Photo(sheet, "PNG"), "PNG"))


if __name__ == "__main__":
    main()
