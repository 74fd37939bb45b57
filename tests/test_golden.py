"""The shipped weights in default mode, against stored results: what refactoring may not move.

After a change that is meant to move pixels, look at the pictures, then: python tests/test_golden.py
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from enlighten_cli import Enhancer
from enlighten_cli.photo import Photo, decode, encode

GOLDEN = Path(__file__).parent / "golden"
EXAMPLE = Path(__file__).parent.parent / "examples" / "path.jpg"
CROP_PX = 160
CORNERS = ((0, 0), (500, 300), (900, 1200), (1100, 2000), (1440, 2400))  # sky, trees, path, light, a corner


def path() -> np.ndarray:
    """Enhance the example photo, and return pieces of it below each other at full size."""
    enhanced = Enhancer().enhance(decode(EXAMPLE).pixels)
    return np.concatenate([enhanced[top : top + CROP_PX, left : left + CROP_PX] for top, left in CORNERS])


def deep() -> np.ndarray:
    """Enhance a small 16-bit gradient with a bright window and a coloured patch in the shade."""
    rows, columns = np.mgrid[0:120, 0:160]
    rgb = (0.02 + 0.1 * (columns / 160) * (1 + 0.3 * np.sin(rows / 9)))[..., None] * np.array([1.0, 0.9, 0.7])
    rgb[20:60, 100:140] = 0.85
    rgb[70:100, 20:60] *= [0.4, 1.0, 1.6]
    return Enhancer().enhance(np.rint(rgb * 65535).astype(np.uint16))


PICTURES = {"path": path, "deep": deep}


@pytest.mark.parametrize("name", PICTURES)
def test_the_shipped_weights_make_what_they_made(name):
    expected = decode(GOLDEN / f"{name}.png").pixels
    made = PICTURES[name]()
    assert made.dtype == expected.dtype
    assert made.shape == expected.shape
    step = np.iinfo(made.dtype).max / 255
    errors = np.abs(made.astype(int) - expected) / step
    assert errors.max() <= 1, histogram(errors)


def histogram(errors: np.ndarray) -> str:
    """Say how many values are how many 8-bit steps away."""
    edges = [0, 0.01, 0.5, 1, 2, 4, 8, 16, 256]
    counts, _ = np.histogram(errors, edges)
    lines = [f"{low:>6} to {high:<6} {count:>9}" for low, high, count in zip(edges, edges[1:], counts, strict=False)]
    return "\n".join(["8-bit steps away     values", *lines])


if __name__ == "__main__":
    for name, picture in PICTURES.items():
        made = picture()
        stored = GOLDEN / f"{name}.png"
        if stored.exists():
            step = np.iinfo(made.dtype).max / 255
            sys.stderr.write(histogram(np.abs(made.astype(int) - decode(stored).pixels) / step) + "\n")
        stored.write_bytes(encode(Photo(made, "PNG")))
