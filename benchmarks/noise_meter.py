"""Fit the meter of noise, and check how well noise is measured.

    python benchmarks/noise_meter.py NORMAL          check on every fifth photo: noise measured, over noise made
    python benchmarks/noise_meter.py NORMAL --fit    fit the package's meter on the others first: 20 minutes

NORMAL holds well-lit photos without noise of their own. They are reduced, enlarged or cut out, darkened by up to 6
stops, and stored with and without a sensor's noise, in most cases as JPEG (sensor_noise.py); some are stored once more
at another size, or reduced to a thumbnail. The difference of the two is the noise made. Some scenes are drawn: walls,
slopes, checks and waves.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.enhancement import noise
from enlighten_cli.enhancement.noise import (
    LEVELS,
    NOISE_SOFTENED,
    NoiseCurve,
    block_statistics,
    features,
    package_meter,
)
from enlighten_cli.enhancement.thumbnail import reduced
from enlighten_cli.photo import LUMA, Rgb, as_pixels, as_rgb
from enlighten_cli.resources import available_cores
from enlighten_cli.training.data.sensor_noise import noisy_photo

METER = Path(noise.__file__).with_name(noise.METER)
HELD_OUT = 5  # every fifth photo
SAMPLES, CHECKED, FIRST_CHECKED = 36_000, 2_000, 10**6  # numbers of samples seed their random numbers
DRAWN, ENLARGED, REDUCED, CUT_OUT = 0.2, 0.25, 0.2, 0.2  # probabilities
STORED_AGAIN, THUMBNAIL, NOISELESS = 0.3, 0.15, 0.3
DRAWN_LIGHT = (0.02, 0.9)  # of a drawn scene, log-uniform
LEAST_SIDE = 64  # of a part that is cut out
SCALES = (0.5, 1.8)  # of a photo that is stored again, log-uniform: its noise is coarser or finer then
STRENGTHS = (0.4, 8.0)  # factors on the sensor's noise, log-uniform
BINS = 6  # of luma, in which the made noise is measured
HIDDEN, EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 64, 40, 128, 3e-3, 0.1
HUBER = 0.3  # in powers of two
CLASSES = (0, 0.1, 0.5, 1, 2, 4, 8, 20)  # steps of 255
ROUNDING, WITHIN = 0.02, 0.2  # added to both before a ratio is taken, in steps of 255; how near it is to be to 1
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
    places = np.searchsorted(edges, bare.ravel(), side="right")
    counts = np.bincount(places, minlength=BINS)
    known = counts > 0
    squares, lumas = (
        np.bincount(places, values.ravel(), BINS)[known] / counts[known] for values in ((noisy - bare) ** 2, bare)
    )
    return NoiseCurve(lumas.astype(np.float32), np.sqrt(squares).astype(np.float32))


def samples(photos: list[Path], numbers: range) -> Iterator[Sample]:
    """Make samples, on all cores."""
    with Pool(available_cores(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from filter(None, pool.imap(partial(sample, photos), numbers, chunksize=50))


def fit(made: list[Sample]) -> None:
    """Fit the package's meter, and write it."""
    torch.manual_seed(0)
    seen = np.concatenate([features(each.statistics) for each in made])
    truth = np.concatenate([each.truth for each in made])
    centre, spread = seen.mean(axis=0), seen.std(axis=0) + 1e-3
    inputs = torch.from_numpy((seen - centre) / spread)
    targets = torch.from_numpy(np.log2(255 * truth + NOISE_SOFTENED).astype(np.float32))
    sizes = (inputs.shape[1], HIDDEN, HIDDEN)
    layers = [part for size, following in pairwise(sizes) for part in (nn.Linear(size, following), nn.ReLU())]
    network = nn.Sequential(*layers, nn.Linear(HIDDEN, 1))
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    batches = -(-len(inputs) // (BATCH * LEVELS))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=EPOCHS * batches)
    for epoch in range(EPOCHS):
        total = 0.0
        for part in torch.randperm(len(inputs)).split(BATCH * LEVELS):
            loss = nn.functional.smooth_l1_loss(network(inputs[part])[:, 0], targets[part], beta=HUBER)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(part) / len(inputs)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {total:.4f}", flush=True)
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    arrays = {"centre": centre, "spread": spread}
    for number, layer in enumerate(linear):
        arrays[f"weight{number}"], arrays[f"bias{number}"] = (
            layer.weight.detach().numpy().T,
            layer.bias.detach().numpy(),
        )
    np.savez(METER, **{name: np.ascontiguousarray(values, np.float32) for name, values in arrays.items()})


def check(made: list[Sample]) -> None:
    """Print, by the made noise, quantiles of the measured noise, in steps of 255."""
    meter = package_meter()
    truth = 255 * np.concatenate([each.truth for each in made])
    measured = 255 * np.concatenate([meter(each.statistics) for each in made])
    print(
        f"{'made':>10} {'levels':>7} {'10 %':>6} {'50 %':>6} {'90 %':>6} {'99 %':>6}   {'ratio':>6} {'within 20 %':>12}"
    )
    for least, most in pairwise(CLASSES):
        chosen = (truth >= least) & (truth < most)
        if not chosen.any():
            continue
        ratio = (measured[chosen] + ROUNDING) / (truth[chosen] + ROUNDING)
        quantiles = "".join(f"{value:7.2f}" for value in np.quantile(measured[chosen], (0.1, 0.5, 0.9, 0.99)))
        within = np.mean(np.abs(ratio - 1) < WITHIN)
        print(
            f"{least:g}-{most:g}".rjust(10) + f" {chosen.sum():7}{quantiles}   {np.median(ratio):6.2f} {within:12.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("normal", type=Path)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="to fit on")
    parser.add_argument("--checked", type=int, default=CHECKED, help="samples to check on")
    arguments = parser.parse_args()
    photos = find_photos(arguments.normal)
    held_out = photos[::HELD_OUT]
    if arguments.fit:
        rest = [each for each in photos if each not in set(held_out)]
        fit(list(samples(rest, range(arguments.samples))))
        package_meter.cache_clear()
    check(list(samples(held_out, range(FIRST_CHECKED, FIRST_CHECKED + arguments.checked))))


if __name__ == "__main__":
    main()
