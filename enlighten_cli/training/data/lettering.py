"""Draw text over crops: letters are what a viewer misses first in a shadow, and photos have few of them."""

from __future__ import annotations

import string

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from enlighten_cli.photo import Rgb

LETTERS = string.ascii_letters + string.digits
SIZE_PX = (7.0, 28.0)  # height of a line
LINES, LINE_LETTERS = (1, 5), 24
CONTRAST = (0.1, 0.6)  # of the ink to what is around it, up to black or white


def lettered(rgb: Rgb, random: np.random.Generator) -> Rgb:
    """Draw a few lines of random letters over a crop.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), float32, range [0, 1]
    random : numpy.random.Generator

    Returns
    -------
    ndarray, shape (H, W, 3), float32, range [0, 1]
    """
    height, width = rgb.shape[:2]
    cover = Image.new("L", (width, height))
    draw = ImageDraw.Draw(cover)
    size = float(np.exp(random.uniform(*np.log(SIZE_PX))))
    font = ImageFont.load_default(size)
    for _ in range(int(random.integers(*LINES, endpoint=True))):
        corner = random.uniform(-size, width), random.uniform(-size, height)
        draw.text(corner, "".join(random.choice(list(LETTERS), LINE_LETTERS)), fill=255, font=font)
    ink = rgb.mean(axis=(0, 1)) + np.float32(random.choice([-1, 1]) * random.uniform(*CONTRAST))
    part = np.asarray(cover, np.float32)[..., None] / np.float32(255)
    return np.asarray(rgb + part * (ink.clip(0, 1) - rgb), np.float32)
