"""Photos with noise of known strength, from which the meter of noise learns and by which it is checked.

Well-lit photos without noise of their own are reduced, enlarged or cut out, darkened by up to 6 stops, and stored with
and without a sensor's noise, in most cases as JPEG (`sensor_noise`); some are stored once more at another size, or
reduced to a thumbnail. The difference of the two is the noise made. Some scenes are drawn: walls, slopes, checks and
waves.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from enlighten_cli.enhancement.noise import NoiseCurve, block_statistics
from enlighten_cli.enhancement.thumbnail import reduced
from enlighten_cli.photo import LUMA, Rgb, as_pixels, as_rgb
from enlighten_cli.resources import available_cores
from enlighten_cli.training.data.sensor_noise import noisy_photo

HELD_OUT = 5  # every fifth photo is for checking
DRAWN, ENLARGED, REDUCED, CUT_OUT = 0.2, 0.25, 0.2, 0.2  # probabilities
STORED_AGAIN, THUMBNAIL, NOISELESS = 0.3, 0.15, 0.3
DRAWN_LIGHT = (0.02, 0.9)  # of a drawn scene, log-uniform
LEAST_SIDE = 64  # of a part that is cut out
SCALES = (0.5, 1.8)  # of a photo that is stored again, log-uniform: its noise is coarser or finer then
STRENGTHS = (0.4, 8.0)  # factors on the sensor's noise, log-uniform
BINS = 6  # of luma, in which the made noise is measured
Plane = NDArray[np.float32]


class Sample(NamedTuple):
    """The statistics of a photo's blocks, (levels, 25), and the noise that was made at each level, (levels,)."""

    statistics: Plane
    truth: Plane


def drawn(random: np.random.Generator) -> Rgb:
    """Draw a wall, a slope, checks or waves, or two of them beside one another."""
    height, width = (int(each) // 8 * 8 for each in random.integers(160, 640, 2))
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    light = np.full((height, width), np.exp(random.uniform(*np.log(DRAWN_LIGHT))), np.float32)
    if random.random() < 0.6:
        light *= 1 + random.uniform(-0.8, 0.8) * columns / width + random.uniform(-0.8, 0.8) * rows / height
    if random.random() < 0.5:
        side = int(random.integers(8, 80))
        light *= 1 + random.uniform(0, 0.5) * ((rows // side + columns // side) % 2)
    if random.random() < 0.5:
        first, second, third = random.uniform(0.1, 1.6, 3)
        waves = random.uniform(0.01, 0.3) * np.sin(rows * first) * np.sin(columns * second + rows * third)
        below = slice(int(height * random.uniform(0, 0.8)), None)
        light[below] *= 1 + waves[below]
    tint = random.uniform(0.7, 1, 3).astype(np.float32) if random.random() < 0.7 else np.ones(3, np.float32)
    return np.asarray((light[..., None] * tint).clip(0, 1), np.float32)


def framed(path: Path, random: np.random.Generator) -> Rgb:
    """Return a photo: reduced, enlarged, or cut out."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    chance = random.random()
    if chance < REDUCED:
        scale = random.uniform(0.5, 1)
        image = image.resize((int(image.width * scale), int(image.height * scale)), Image.Resampling.BOX)
    elif chance < REDUCED + ENLARGED:
        scale = float(np.exp(random.uniform(0.2, 1.4)))
        width, height = int(image.width / scale), int(image.height / scale)
        left, top = (
            int(random.integers(0, image.width - width + 1)),
            int(random.integers(0, image.height - height + 1)),
        )
        box = (left, top, left + width, top + height)
        image = image.resize((int(width * scale), int(height * scale)), Image.Resampling.BICUBIC, box=box)
    rgb = as_rgb(np.asarray(image))
    if random.random() < CUT_OUT:
        height, width = (int(random.integers(min(LEAST_SIDE, length), length + 1)) for length in rgb.shape[:2])
        top, left = (
            int(random.integers(0, rgb.shape[0] - height + 1)),
            int(random.integers(0, rgb.shape[1] - width + 1)),
        )
        rgb = rgb[top : top + height, left : left + width]
    height, width = (length // 2 * 2 for length in rgb.shape[:2])
    return rgb[:height, :width]


def stored_again(rgb: Rgb, scale: float, quality: int) -> Rgb:
    """Change a photo's size and compress it once more."""
    image = Image.fromarray(as_pixels(rgb))
    file = io.BytesIO()
    size = (int(image.width * scale), int(image.height * scale))
    image.resize(size, Image.Resampling.LANCZOS).save(file, "JPEG", quality=quality)
    return as_rgb(np.asarray(Image.open(file)))


def sample(photos: list[Path], number: int) -> Sample | None:
    """Make a photo with noise of known strength; None if it is too small to measure."""
    random = np.random.default_rng([number, 31])
    rgb = drawn(random) if random.random() < DRAWN else framed(photos[int(random.integers(len(photos)))], random)
    seed = int(random.integers(2**31))
    strength = 0.0 if random.random() < NOISELESS else float(np.exp(random.uniform(*np.log(STRENGTHS))))
    noisy, bare = (noisy_photo(rgb, np.random.default_rng(seed), noise=each).noisy for each in (strength, 0.0))
    chance = random.random()
    if chance < STORED_AGAIN:
        scale, quality = float(np.exp(random.uniform(*np.log(SCALES)))), int(random.integers(75, 101))
        noisy, bare = (stored_again(each, scale, quality) for each in (noisy, bare))
    elif chance < STORED_AGAIN + THUMBNAIL:
        pixels = rgb.shape[0] * rgb.shape[1] / random.uniform(1.2, 16)
        noisy, bare = (reduced(each, pixels) for each in (noisy, bare))
    statistics = block_statistics(noisy @ LUMA)
    if statistics is None:
        return None
    return Sample(statistics, noise_made(noisy @ LUMA, bare @ LUMA).at(statistics[:, 0]))


def noise_made(noisy: Plane, bare: Plane) -> NoiseCurve:
    """Return the deviation of the difference, by luma."""
    edges = np.quantile(bare, np.linspace(0, 1, BINS + 1)[1:-1])
    bins = np.searchsorted(edges, bare.ravel(), side="right")
    counts = np.bincount(bins, minlength=BINS)
    known = counts > 0
    squares, lumas = (
        np.bincount(bins, values.ravel(), BINS)[known] / counts[known] for values in ((noisy - bare) ** 2, bare)
    )
    return NoiseCurve(lumas.astype(np.float32), np.sqrt(squares).astype(np.float32))


def split(photos: list[Path]) -> tuple[list[Path], list[Path]]:
    """Return the photos to fit on, and those to check on."""
    held_out = set(photos[::HELD_OUT])
    return [photo for photo in photos if photo not in held_out], photos[::HELD_OUT]


def samples(photos: list[Path], numbers: range) -> Iterator[Sample]:
    """Make samples, on all cores; a sample is a function of its number."""
    with Pool(available_cores(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from filter(None, pool.imap(partial(sample, photos), numbers, chunksize=50))
