"""Compare tiled with whole, with a real model on a real photo.

python benchmarks/tiles.py [--model NAME|FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from enlighten_cli.enhancement.tiles import plan_tiles, run_tiled
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.models.session import Model
from enlighten_cli.models.store import locate
from enlighten_cli.photo import as_rgb, as_srgb, decode

EXAMPLE = Path(__file__).parent.parent / "examples" / "path.jpg"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    model = Model(locate(parser.parse_args().model))
    rgb = as_rgb(as_srgb(decode(EXAMPLE)))[:1001, :1333]  # odd sizes
    height, width = rgb.shape[:2]

    def computed(tile_px: int) -> np.ndarray:
        result = np.empty_like(rgb)
        tiles = plan_tiles(height, width, tile_px)
        for rows, columns, tile in run_tiled(lambda r, c: rgb[np.ix_(r, c)], model, height, width, tiles):
            result[rows, columns] = tile
        return result

    whole = computed(0)
    for tile_px in (64, 250, 512):
        difference = np.abs(computed(tile_px) - whole).max() * 255
        print(f"tiles of {tile_px} px: at most {difference:.6f}/255 from the whole of {width} x {height}")


if __name__ == "__main__":
    main()
