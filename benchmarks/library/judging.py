"""One scene, taken too dark several times and enhanced by each method: all that can be measured of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.methods import METHODS
from enlighten_cli.methods.gamma import gamma
from enlighten_cli.models.session import open_model
from enlighten_cli.photo import LUMA, Photo, Pixels, Rgb, as_pixels, as_rgb
from library import measures
from library.board import GAMMA045, MODEL, newly_clipped
from library.scenes import PERIODS_PX, SCENES, Box, Scene
from library.sensor import Coding, exposed, lifted, mean_luma

GAIN = "gain as "  # the input, lifted to a method's mean
BANDS = (8, 24)  # of the input's tone, of 255
LEAST_NOISE = 0.25  # deviation in steps of 255: less is what a JPEG left, and no ratio
LEAST_CONTRAST, LEAST_RATIO = 0.02, 1e-9
ROWS_OF_LINES = {"text": "shadows", "photo": "texture"}


@dataclass(frozen=True)
class Task:
    """A scene, and how it is taken."""

    scene: str
    stops: float
    coding: Coding
    seeds: int


@dataclass(frozen=True)
class Value:
    """A measure's values of one method: one a seed, or one of all seeds together.

    Parameters
    ----------
    measure : str
        A row of the table.
    part : str
        Which patch, lamp or page.
    """

    measure: str
    part: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Stacks:
    """Results of all seeds, (N, H, W, 3): 8 bits, and as linear light; and their mean, encoded."""

    pixels: Pixels
    light: Rgb
    mean: Rgb

    @staticmethod
    def of(results: Sequence[Pixels]) -> Stacks:
        """Stack results."""
        pixels = np.stack(results)
        return Stacks(pixels, measures.as_light(pixels), pixels.mean(axis=0, dtype=np.float32) / np.float32(255))


def judge(task: Task, methods: Sequence[str], options: Options) -> dict[str, list[Value]]:
    """Return what is measured of each method, and of the input lifted to its mean."""
    scene = drawn(task.scene, task.stops)
    inputs = [exposed(scene.light, task.stops, task.coding, seed) for seed in range(task.seeds)]
    before = Stacks.of(inputs)
    found = {}
    for method in methods:
        results = [made(method, pixels, options) for pixels in inputs]
        found[method] = list(measured(scene, before, Stacks.of(results)))
        same = [lifted(pixels, mean_luma(result)) for pixels, result in zip(inputs, results, strict=True)]
        found[GAIN + method] = list(measured(scene, before, Stacks.of(same)))
    return found


@lru_cache(maxsize=2)
def drawn(scene: str, stops: float) -> Scene:
    """Draw a scene."""
    return SCENES[scene](stops)


def made(method: str, pixels: Pixels, options: Options) -> Pixels:
    """Return a method's result, 8-bit sRGB."""
    if method.startswith(MODEL):
        return enhance(Photo(pixels, "PNG"), _model(method.removeprefix(MODEL)), options).pixels
    rgb = as_rgb(pixels)
    return as_pixels(gamma(rgb, 0.45) if method == GAMMA045 else METHODS[method].enhance(rgb))


@cache
def _model(name: str):  # noqa: ANN202
    return open_model(name, threads=1)


def measured(scene: Scene, before: Stacks, after: Stacks) -> Iterator[Value]:
    """Measure whatever a scene allows."""
    kept = {name: _contrast(scene, after, box) for name, box in scene.lines.items()}
    for name, values in kept.items():
        row = ROWS_OF_LINES.get(scene.name) or f"detail {_band(before, scene.lines[name])}, {name.split(', ')[1]}"
        yield Value(row, name, values)
    for name, box in scene.flat.items():
        yield from _noise(name, before, after, box, kept.get(f"{name}, {PERIODS_PX[1]} px"))
    for name, box in scene.colours.items():
        yield Value("cast, hue", name, _of_colours(measures.hue_angle, scene, after, box))
        yield Value("colour kept", name, _of_colours(measures.colour_kept, scene, after, box))
    for name, box in scene.greys.items():
        yield Value("cast, grey", name, _of_colours(measures.grey_angle, scene, after, box))
    for lamp in scene.lamps:
        steps, reach = measures.ring(after.mean, lamp)
        yield Value("ring, steps", f"{lamp[2]} px", (steps,))
        yield Value("ring, px", f"{lamp[2]} px", (reach,))
    for name, box in scene.figures.items():
        yield Value(f"figure, tone, {name}", name, (float(255 * (after.mean[box] @ LUMA).mean()),))
        yield Value(f"figure, contrast, {name}", name, _contrast(scene, after, box))
    if scene.ramp is not None:
        reversal, step = measures.ramp(after.mean, scene.ramp)
        yield Value("ramp, reversal", scene.name, (reversal,))
        yield Value("ramp, step", scene.name, (step,))
    if scene.shading is not None:
        yield Value("new edges", scene.name, (measures.new_edges(after.mean, scene.clean, scene.shading),))
    if scene.gradient is not None:
        yield Value("banding", scene.name, (measures.banding(as_rgb(after.pixels), scene.gradient),))
    pairs = zip(after.pixels, before.pixels, strict=True)
    yield Value("highlights", scene.name, tuple(measures.clipped(result, own) for result, own in pairs))
    pairs = zip(after.pixels, before.pixels, strict=True)
    yield Value("newly burnt", scene.name, tuple(newly_clipped(result, own) for result, own in pairs))


def _noise(name: str, before: Stacks, after: Stacks, box: Box, kept: tuple[float, ...] | None) -> Iterator[Value]:
    band = _band(before, box)
    given, left = (measures.noise(stack.light[:, *box]) for stack in (before, after))
    yield Value(f"mottle luma {band}", name, tuple(100 * left.luma_mottle))
    yield Value(f"mottle chroma {band}", name, tuple(100 * left.chroma_mottle))
    there = _noise_there(before.pixels[:, *box])
    grain = left.luma / np.maximum(given.luma, LEAST_RATIO)
    if there[0] >= LEAST_NOISE:
        yield Value(f"grain luma {band}", name, tuple(grain))
    if there[1] >= LEAST_NOISE:
        yield Value(f"grain chroma {band}", name, tuple(left.chroma / np.maximum(given.chroma, LEAST_RATIO)))
    if kept is not None and there[0] >= LEAST_NOISE:
        yield Value(f"grain per detail {band}", name, tuple(grain / np.maximum(kept, LEAST_CONTRAST)))


def _noise_there(pixels: Pixels) -> tuple[float, float]:
    """Return how far luma, and red and blue less luma, differ between seeds, in steps of 255."""
    rgb = pixels.astype(np.float32)
    luma = rgb @ LUMA
    planes = (luma, rgb[..., 0] - luma, rgb[..., 2] - luma)
    power = [float(plane.var(axis=0, ddof=1).mean()) for plane in planes]
    return power[0] ** 0.5, (sum(power[1:]) / 2) ** 0.5


def _contrast(scene: Scene, after: Stacks, box: Box) -> tuple[float, ...]:
    return tuple(measures.contrast_kept(light[box], scene.light[box]) for light in after.light)


def _of_colours(measure: Callable[[Rgb, Rgb], float], scene: Scene, after: Stacks, box: Box) -> tuple[float, ...]:
    clean = scene.light[box].mean(axis=(0, 1))
    return tuple(measure(light[box].mean(axis=(0, 1)), clean) for light in after.light)


def _band(before: Stacks, box: Box) -> str:
    tone = float((255 * before.mean[box] @ LUMA).mean())
    place = sum(tone >= edge for edge in BANDS)
    return f"{(0, *BANDS)[place]}-{(*BANDS, 255)[place]}"
