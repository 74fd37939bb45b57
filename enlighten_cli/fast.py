"""Light at low resolution, detail at full.

The network sees the photo reduced: once as far as it learned to judge light, and once less far, for
its finer work. What it did there is described, in small windows, as
enhanced = a x input + b x luma + c, and a, b and c are carried to full size, where they brighten every pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enlighten_cli.machine import available_cores
from enlighten_cli.photo import Photo, Pixels, Rgb, colour_of
from enlighten_cli.photo.colour import DirectColour
from enlighten_cli.photo.photo import full_scale
from enlighten_cli.tiling import padded_index

Coefficients: TypeAlias = NDArray[np.float32]
Box: TypeAlias = tuple[float, float, float, float]

LOOK_PIXELS = 400_000  # of a photo, reduced, that is brightened and described
LIGHT_PIXELS = 6_000  # over so many, light is as the network judges it from the look that it learned from
FINISH = np.float32(0.5)  # part of what windows cannot describe that is kept; the rest is mostly noise
RADIUS_PX = 2  # of a window, in the reduced photo
FLAT = np.float32(3e-4)  # variance below which a window counts as flat: too little to tell what became of its contrast
DARKEST = np.float32(1e-3)  # light that gains are reckoned from, at least
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
# Deviation of the noise over the luma, below which it is not seen once the photo is bright, and from which it is.
# LOL's dark photos, which are noisy, lie mostly above the second, and most others below the first.
NOISE_UNSEEN, NOISE_SEEN = 0.018, 0.036
ROUNDING = 0.15 / 255  # deviation that rounding leaves at least; where light is a few steps of 255, it is seen
CONTRAST_OF_NOISY = 0.1  # part of the gain in light that contrast gets where noise would get it too
NOISE_BANDS, NOISE_BAND_ROWS = 8, 50  # of a photo, in which its noise is measured
NOISE_BLOCK_PX, NOISE_BLOCKS = 16, 0.1  # in blocks, of which this part, the smoothest, are taken for noise alone
BLACK, WHITE = 2 / 255, 0.9  # mean luma of blocks whose noise is cut off
STRIP_PIXELS = 1 << 18  # what a core works on at a time, to stay in its cache


@dataclass(frozen=True)
class Light:
    """What brightens a photo of any size: enhanced = scale x input + detail x luma of input + offset.

    Parameters
    ----------
    scale, offset : ndarray, shape (h, w, 3), float32
        Over the reduced photo.
    detail : ndarray, shape (h, w, 1), float32
    """

    scale: Coefficients
    detail: Coefficients
    offset: Coefficients

    def rows(self, start: int, stop: int, height: int, width: int) -> tuple[Rgb, Coefficients, Rgb]:
        """Return the three for some rows of a photo of this size, interpolated bilinearly."""
        scale, detail, offset = (
            upsampled(values, start, stop, height, width) for values in (self.scale, self.detail, self.offset)
        )
        return scale, detail, offset


def look(pixels: Pixels, to_srgb: Callable[[Pixels], Rgb], look_pixels: float = LOOK_PIXELS) -> Rgb:
    """Reduce a photo, by area, to what the network sees: (h, w, 3) in [0, 1]."""
    size, factor = _reduced_size(pixels, look_pixels)
    whole = max(1, int(factor))
    reduced = _block_means(pixels, whole) if whole > 1 else pixels
    rgb = to_srgb(reduced).clip(0, 1)
    return _resized(rgb, size, Image.Resampling.BOX)


def _block_means(pixels: Pixels, factor: int) -> Pixels:
    """Average blocks of factor x factor pixels; those at the right and bottom may be smaller."""
    if pixels.dtype == np.uint8:
        image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
        reduced = np.asarray(image.reduce(factor))
        return reduced if reduced.ndim == 3 else reduced[..., None]
    height, width, channels = pixels.shape
    rows, columns = -(-height // factor), -(-width // factor)
    means = np.empty((rows, columns, channels), pixels.dtype)
    for row in range(rows):
        strip = pixels[row * factor : (row + 1) * factor].astype(np.float32).mean(axis=0)
        starts = np.arange(0, width, factor)
        sizes = np.diff([*starts, width])[:, None]
        means[row] = np.rint(np.add.reduceat(strip, starts, axis=0) / sizes)
    return means


def _reduced_size(values: NDArray[Any], pixels: float) -> tuple[tuple[int, int], float]:
    """Return the width and height at which as many pixels are left, and what they are reduced by."""
    height, width = values.shape[:2]
    factor = max(1.0, (height * width / pixels) ** 0.5)
    return (max(1, round(width / factor)), max(1, round(height / factor))), factor


def _resized(values: Coefficients, size: tuple[int, int], how: Image.Resampling, box: Box | None = None) -> Rgb:
    if box is None and values.shape[1::-1] == size:
        return values
    planes = [Image.fromarray(values[..., channel]).resize(size, how, box=box) for channel in range(values.shape[2])]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def brightened_look(rgb: Rgb, model: Callable[[Rgb], Rgb], judged_pixels: int) -> Rgb:
    """Let the network brighten a look: detail as it sees it there, light as it judges it from fewer pixels.

    Parameters
    ----------
    rgb : ndarray, shape (h, w, 3), float32, range [0, 1]
    model : callable
        (h, w, 3) to (h, w, 3), h and w multiples of 16.
    judged_pixels : int
        Of the whole photo, reduced, from which the network learned how bright it is to be.

    Returns
    -------
    ndarray, shape (h, w, 3), float32, range [0, 1]

    Notes
    -----
    How bright a photo is to be hangs on all of it, which a convolution network sees only at the
    scale at which it learned; at finer scales its detail is right, but not its light.
    """
    made = _shown(rgb, model)
    coarse = _resized(rgb, _reduced_size(rgb, judged_pixels)[0], Image.Resampling.BOX)
    if coarse.shape == rgb.shape:
        return made
    seen = _resized(made, _reduced_size(made, LIGHT_PIXELS)[0], Image.Resampling.BOX)
    height, width = rgb.shape[:2]
    return np.asarray((made + upsampled(missing_light(coarse, model, seen), 0, height, height, width)).clip(0, 1))


def missing_light(coarse: Rgb, model: Callable[[Rgb], Rgb], seen: Rgb) -> Coefficients:
    """Return what the light of a photo lacks to what the network judges from fewer pixels.

    Parameters
    ----------
    coarse : ndarray, shape (h, w, 3), float32, range [0, 1]
        The photo, reduced to as many pixels as the network learned from.
    model : callable
        (h, w, 3) to (h, w, 3), h and w multiples of 16.
    seen : ndarray, shape (rows, columns, 3), float32, range [0, 1]
        What the network made of more pixels, reduced to `LIGHT_PIXELS`.

    Returns
    -------
    ndarray, shape (rows, columns, 3), float32
        To be added, interpolated.
    """
    return _resized(_shown(coarse, model), seen.shape[1::-1], Image.Resampling.BOX) - seen


def _shown(rgb: Rgb, model: Callable[[Rgb], Rgb]) -> Rgb:
    height, width = rgb.shape[:2]
    return model(rgb[np.ix_(padded_index(height), padded_index(width))])[:height, :width].clip(0, 1)


def relative_noise(pixels: Pixels, to_srgb: Callable[[Pixels], Rgb]) -> float:
    """Estimate a photo's noise, as a part of its mean luma: what will be seen of it at any brightness.

    Notes
    -----
    The operator of Immerkær, "Fast noise variance estimation", CVIU 1996,
    doi:10.1006/cviu.1996.0060, which no edge and no slope answers, but texture does: hence the
    smoothest blocks. Bands of rows do for the whole.
    """
    height = len(pixels)
    rows = min(height, NOISE_BAND_ROWS)
    starts = np.unique(np.linspace(0, height - rows, NOISE_BANDS).astype(int))
    answers, lights = [], []
    for start in starts:
        luma = to_srgb(pixels[start : start + rows]) @ LUMA
        lights.append(float(luma.mean()))
        if min(luma.shape) >= NOISE_BLOCK_PX + 2:
            second = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
            answer = np.abs(second[:-2] - 2 * second[1:-1] + second[2:])
            answers.append(np.stack([_blocks(answer), _blocks(luma[1:-1, 1:-1])]))
    if not answers:
        return 0.0
    answer, light = np.concatenate(answers, axis=1)
    whole = (light > BLACK) & (light < WHITE)
    if not whole.any():
        return 0.0
    deviation = float(np.quantile(answer[whole], NOISE_BLOCKS)) * (np.pi / 2) ** 0.5 / 6
    return float(deviation / (sum(lights) / len(lights) + 1 / 255))


def _blocks(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average whole blocks, in any order."""
    rows, columns = (length // NOISE_BLOCK_PX for length in values.shape)
    whole = values[: rows * NOISE_BLOCK_PX, : columns * NOISE_BLOCK_PX]
    means: NDArray[np.float32] = whole.reshape(rows, NOISE_BLOCK_PX, columns, NOISE_BLOCK_PX).mean(axis=(1, 3)).ravel()
    return means


def lifted_contrast(noise: Coefficients) -> Coefficients:
    """Return the part of the gain in light that fine contrast gets, where noise is this part of the light."""
    part = ((noise - NOISE_UNSEEN) / (NOISE_SEEN - NOISE_UNSEEN)).clip(0, 1)
    return np.asarray(1 + part * (CONTRAST_OF_NOISY - 1), np.float32)


def learned_light(rgb: Rgb, made: Rgb, noise: float) -> Light:
    """Describe what the network did to the reduced photo, so that the whole can be brightened likewise.

    Parameters
    ----------
    rgb, made : ndarray, shape (h, w, 3), float32, range [0, 1]
        Before and after.
    noise : float
        The photo's `relative_noise`.

    Notes
    -----
    The guided filter, channel by channel: He, Sun and Tang, "Guided image filtering", IEEE TPAMI
    2013, doi:10.1109/TPAMI.2012.213, equations 5, 6 and 8; carried to full size as in He and Sun,
    "Fast guided filter", arXiv:1505.00996. It fits the change, so that where a window is flat it falls
    back to contrast as it was. To that comes, unlike there, contrast of luma: as much more as there
    is more light, lest shadows look hazy, or nearly none where noise would be lifted with it.
    Contrast of colour stays as it was there, and so does its noise. And a part of what is left, the
    network's own hand.
    """
    change = made - rgb
    mean, mean_change = _box_mean(rgb), _box_mean(change)
    variance = _box_mean(rgb * rgb) - mean**2
    covariance = _box_mean(rgb * change) - mean * mean_change
    scale = 1 + covariance / (variance + FLAT)

    luma, luma_change = mean @ LUMA, mean_change @ LUMA
    rounding = np.float32(ROUNDING) / (luma + np.float32(1 / 255))
    gain = 1 + lifted_contrast(np.maximum(np.float32(noise), rounding)) * luma_change / (luma + DARKEST)
    flat = (FLAT / (variance + FLAT)).mean(axis=2)
    detail = (flat * (gain - 1))[..., None]
    offset = mean + mean_change - scale * mean - detail * luma[..., None]

    scale, detail, offset = _box_mean(scale), _box_mean(detail), _box_mean(offset)
    described = scale * rgb + detail * (rgb @ LUMA)[..., None] + offset
    offset += (FINISH * lifted_contrast(rounding))[..., None] * (made - described)
    return Light(scale, detail, offset)


def _box_mean(values: Rgb) -> Rgb:
    """Average over windows, smaller at the borders."""
    for axis in (0, 1):
        length = values.shape[axis]
        margin = [(RADIUS_PX, RADIUS_PX) if each == axis else (0, 0) for each in range(3)]
        padded = np.pad(values, margin)
        slices = [slice(None)] * axis
        sums = padded[(*slices, slice(0, length))].copy()
        for first in range(1, 2 * RADIUS_PX + 1):
            sums += padded[(*slices, slice(first, first + length))]
        places = np.arange(length, dtype=np.float32)
        counts = np.minimum(places + RADIUS_PX + 1, length) - np.maximum(places - RADIUS_PX, 0)
        values = np.asarray(sums / counts.reshape([-1 if each == axis else 1 for each in range(3)]), np.float32)
    return values


def upsampled(values: Coefficients, start: int, stop: int, height: int, width: int) -> Rgb:
    """Interpolate some rows of a photo of this size bilinearly."""
    scale = values.shape[0] / height
    box = (0, start * scale, values.shape[1], stop * scale)
    return _resized(values, (width, stop - start), Image.Resampling.BILINEAR, box)


def brighten(photo: Photo, model: Callable[[Rgb], Rgb], strength: float, tell: Callable[[int, int], None]) -> Pixels:
    """Brighten a photo by what the network learned from a look at it.

    Parameters
    ----------
    photo : Photo
    model : callable
        (h, w, 3) to (h, w, 3), RGB, h and w multiples of 16; called twice at most. Its
        attribute `look_pixels`, if it has one, says from how many pixels it judges light.
    strength : float
        Of the change; 0 gives the photo's own numbers.
    tell : callable
        Receives the strips done and their total.

    Returns
    -------
    ndarray
        The photo's new numbers.
    """
    pixels = photo.pixels
    height, width = pixels.shape[:2]
    colour = colour_of(photo.metadata.icc_profile, pixels.shape[2])
    judged_pixels = getattr(model, "look_pixels", None) or LOOK_PIXELS
    rgb = look(pixels, colour.to_srgb, max(judged_pixels, LOOK_PIXELS))
    made = brightened_look(rgb, model, judged_pixels)
    light = learned_light(rgb, made, relative_noise(pixels, colour.to_srgb))
    bright = np.empty_like(pixels)

    def work(start: int, stop: int) -> None:
        own = pixels[start:stop]
        scale, detail, offset = light.rows(start, stop, height, width)
        if isinstance(colour, DirectColour) and own.shape[2] == 3:
            bright[start:stop] = _brightened(own, scale, detail, offset, strength)
            return
        before = colour.to_srgb(own)
        seen = before.clip(0, 1)
        after = before + np.float32(strength) * (scale * seen + detail * (seen @ LUMA)[..., None] + offset - seen)
        bright[start:stop] = colour.changed(own, before, after)

    rows = max(1, STRIP_PIXELS // width)
    starts = range(0, height, rows)
    tell(0, len(starts))
    with ThreadPoolExecutor(available_cores()) as pool:
        for done, _ in enumerate(pool.map(lambda start: work(start, min(start + rows, height)), starts), start=1):
            tell(done, len(starts))
    return bright


def _brightened(pixels: Pixels, scale: Rgb, detail: Coefficients, offset: Rgb, strength: float) -> Pixels:
    """Brighten numbers that are sRGB: the same by fewer passes over them, for most photos."""
    full = np.float32(full_scale(pixels))
    bright = pixels * (1 + np.float32(strength) * (scale - 1))
    offset *= full
    offset += detail * (pixels @ LUMA)[..., None]
    offset *= np.float32(strength)
    bright += offset
    np.rint(bright, out=bright)
    np.clip(bright, 0, full, out=bright)
    numbers: Pixels = bright.astype(pixels.dtype)
    return numbers
