"""Make pairs of photos for supervised training from well-lit photos alone: OUT/low and OUT/high, under the same names.

    python benchmarks/made_pairs.py NORMAL OUT [--photos 400] [--seed 0]

The low photo of a pair is synthetic: the well-lit one, darkened by 1.5 to 7.5 stops in linear light, with shot and read
noise, and in most cases compressed as JPEG. A network that learns from such pairs learns to undo this, and not what
a camera does at night; photos of one scene at two exposures are better.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from enlighten_cli import photo
from enlighten_cli.atomic_write import write_whole
from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.photo import Photo, as_pixels, as_rgb, as_srgb, encode
from enlighten_cli.training.data.sensor_noise import noisy_photo

STOPS = (1.5, 7.5)  # the made low photos are as dark as real ones: median luma 0.08


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("normal", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--photos", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    make_pairs(arguments.normal, arguments.output, arguments.photos, arguments.seed)


def make_pairs(normal: Path, output: Path, photos: int = 400, seed: int = 0) -> tuple[Path, Path]:
    """Write pairs, of photos spread evenly over the folder; those that exist are kept.

    Returns
    -------
    Path, Path
        The folders of low and of high photos.
    """
    low, high = output / "low", output / "high"
    for folder in (low, high):
        folder.mkdir(parents=True, exist_ok=True)
    found = find_photos(normal)
    for number, index in enumerate(np.linspace(0, len(found) - 1, min(photos, len(found))).astype(int)):
        name = f"{number:04d}.png"
        if (low / name).is_file():
            continue
        rgb = as_rgb(as_srgb(photo.decode(found[index])))
        rgb = rgb[: len(rgb) // 2 * 2, : rgb.shape[1] // 2 * 2]
        dark = noisy_photo(rgb, np.random.default_rng([seed, number]), stops=STOPS).noisy
        for folder, made in ((high, rgb), (low, dark)):  # the low one last: it tells that the pair is complete
            write_whole(folder / name, encode(Photo(as_pixels(made), "PNG")))
    return low, high


if __name__ == "__main__":
    main()
