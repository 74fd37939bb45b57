"""What a method made of a picture of which everything is known, in numbers that a mere gain does not change.

Stacks are results of one scene with several seeds of noise: what differs between them is noise, what does not is the
picture, so that no texture is taken for noise and no noise for texture. Grain, contrast and hue are measured in linear
light relative to the light that is there: twice the light is the same grain and the same contrast. So a result that is
only darker, or only brighter, is no better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from skimage.color import rgb2lab

from enlighten_cli.photo import LUMA, Pixels, Rgb, as_rgb
from enlighten_cli.photo.colour import encoded_srgb, linear_srgb

Floats = NDArray[np.float64]

MOTTLE_PX = 5.0  # deviation of the blur that leaves mottle only
FINE_PX = 6.0  # of the one that separates fine structure from the light it stands in
EDGE_PX, STEEPER = 4.0, 2.0  # of the one that gradients are taken after; how much steeper a tone curve may make them
EDGE_QUANTILE = 0.99
RING_FROM_PX, RING_TO_PX, RING_BIN_PX, RING_SECTORS = 3, 150, 3, 8
RING_SEEN = 4.0  # steps of 255
BAND_PX, BAND_COLUMNS_PX, BAND_SMOOTH_PX = 16.0, 160, 1.5
WHITE, NOT_WHITE = 255, 250
BLACK = 1 / 255
LEAST_LIGHT = 1e-6
TABLE = linear_srgb(as_rgb(np.arange(256, dtype=np.uint8)))


@dataclass(frozen=True)
class Noise:
    """Deviations between results of several seeds, as parts of the light: one a seed.

    Parameters
    ----------
    luma, chroma : ndarray
        Of single pixels.
    luma_mottle, chroma_mottle : ndarray
        Of what a blur of MOTTLE_PX leaves.
    """

    luma: Floats
    chroma: Floats
    luma_mottle: Floats
    chroma_mottle: Floats


def noise(stack: Rgb) -> Noise:
    """Measure noise in a patch, (N, H, W, 3) linear light, N at least 2; how light the whole patch is, is not noise."""
    luma = stack @ LUMA
    light = np.float32(max(float(luma.mean(dtype=np.float64)), LEAST_LIGHT))
    # Blue and red less luma: no change of the light alone shows in them.
    planes = np.stack([luma, stack[..., 0] - luma, stack[..., 2] - luma], axis=-1) / light
    seeds = len(planes)
    deviation = (planes - planes.mean(axis=0)) * np.float32((seeds / (seeds - 1)) ** 0.5)
    deviation -= deviation.mean(axis=(1, 2), keepdims=True)
    coarse = gaussian_filter(deviation, (0, MOTTLE_PX, MOTTLE_PX, 0), mode="reflect")

    def size(values: Rgb) -> tuple[Floats, Floats]:
        power = (values**2).mean(axis=(1, 2), dtype=np.float64)
        return np.sqrt(power[:, 0]), np.sqrt(power[:, 1:].mean(axis=1))

    return Noise(*size(deviation), *size(coarse))


def contrast_kept(linear: Rgb, clean: Rgb) -> float:
    """Return which part of a patch's fine contrast is still there: contrast in linear light over the light itself.

    The result is held against the scene's own structure, so that neither noise nor sharpened noise is taken for it.
    """
    seen, wanted = np.asarray(linear, np.float64) @ LUMA, np.asarray(clean, np.float64) @ LUMA
    structure = wanted - gaussian_filter(wanted, FINE_PX, mode="reflect")
    structure -= structure.mean()
    power = float((structure * wanted).mean())
    return float((structure * seen).mean() / power * wanted.mean() / max(float(seen.mean()), LEAST_LIGHT))


def new_edges(mean: Rgb, clean: Rgb, region: NDArray[np.bool_]) -> float:
    """Return the steepest gradient (the 99th percentile) that the scene does not have, in percent of the tone a pixel.

    Parameters
    ----------
    mean : ndarray, shape (H, W, 3)
        Encoded sRGB, averaged over seeds.
    clean : ndarray, shape (H, W, 3)
        The scene, encoded.
    region : ndarray of bool, shape (H, W)
        Where there is smooth shading alone.

    Notes
    -----
    A gradient in the direction of the scene's own counts from where it is more than twice as steep: that much is a
    tone curve's right.
    """
    made, own = (_slopes(rgb) for rgb in (mean, clean))
    steepness = np.hypot(*own) + 1e-9
    along = sum(a * b for a, b in zip(made, own, strict=True)) / steepness
    allowed = np.clip(along, 0, STEEPER * steepness) / steepness
    excess = np.hypot(*(a - allowed * b for a, b in zip(made, own, strict=True)))
    return float(100 * np.quantile(excess[region], EDGE_QUANTILE))


def _slopes(rgb: Rgb) -> tuple[Floats, Floats]:
    tone = np.log(gaussian_filter(np.asarray(rgb, np.float64) @ LUMA, EDGE_PX) + BLACK)
    down, across = np.gradient(tone)
    return down, across


def ring(mean: Rgb, place: tuple[int, int, int]) -> tuple[float, float]:
    """Return by how many steps of 255 the ground around a lamp leaves its tone, and for how many pixels it is seen.

    Measured in rings cut into sectors, lest a dark side and a bright one cancel.
    """
    row, column, radius = place
    tone = 255 * (np.asarray(mean, np.float64) @ LUMA)
    rows, columns = np.mgrid[0 : tone.shape[0], 0 : tone.shape[1]]
    away = np.hypot(rows - row, columns - column) - radius
    sector = ((np.arctan2(rows - row, columns - column) / (2 * np.pi) + 0.5) * RING_SECTORS).astype(int) % RING_SECTORS
    far = (away > RING_TO_PX) & (away < RING_TO_PX + 40)
    ground = float(np.median(tone[far]))
    bins = (RING_TO_PX - RING_FROM_PX) // RING_BIN_PX
    near = (away >= RING_FROM_PX) & (away < RING_FROM_PX + bins * RING_BIN_PX)
    index = ((away[near] - RING_FROM_PX) // RING_BIN_PX).astype(int) * RING_SECTORS + sector[near]
    counts = np.bincount(index, minlength=bins * RING_SECTORS)
    sums = np.bincount(index, tone[near] - ground, minlength=bins * RING_SECTORS)
    # What chance leaves in the mean of so many pixels is no ring.
    chance = 2 * float(tone[far].std()) / np.sqrt(np.maximum(counts, 1))
    over = np.maximum(np.abs(sums / np.maximum(counts, 1)) - chance, 0).reshape(bins, RING_SECTORS).max(axis=1)
    reach = int(np.argmin(over > RING_SEEN)) if (over <= RING_SEEN).any() else bins
    return float(over.max()), float(RING_FROM_PX + reach * RING_BIN_PX) if reach else 0.0


def banding(stack: Rgb, region: NDArray[np.bool_]) -> float:
    """Return how far a smooth gradient, from top to bottom, leaves its own trend, in percent of its tone.

    Parameters
    ----------
    stack : ndarray, shape (N, H, W, 3)
        Encoded sRGB, of at least two seeds.
    region : ndarray of bool, shape (H, W)
        Whole rows.

    Notes
    -----
    Rows are averaged over some columns, and compared with themselves smoothed. Products of different seeds are
    averaged, instead of squares: what differs between seeds, which is grain, cancels.
    """
    rows = np.flatnonzero(region.all(axis=1))
    whole = stack.shape[2] // BAND_COLUMNS_PX
    inside = stack[:, rows.min() : rows.max() + 1, : whole * BAND_COLUMNS_PX]
    profiles = inside.reshape(len(stack), len(rows), whole, BAND_COLUMNS_PX, 3).mean(axis=3, dtype=np.float64)
    profiles = gaussian_filter1d(profiles, BAND_SMOOTH_PX, axis=1)
    trend = gaussian_filter1d(profiles, BAND_PX, axis=1)
    edge = int(3 * BAND_PX)  # where the trend would reach beyond the sky
    share = ((profiles - trend) / (trend + BLACK))[:, edge:-edge]
    seeds = len(share)
    power = float((share.sum(axis=0) ** 2 - (share**2).sum(axis=0)).mean()) / (seeds * (seeds - 1))
    return 100 * max(power, 0.0) ** 0.5


def ramp(mean: Rgb, region: NDArray[np.bool_]) -> tuple[float, float]:
    """Return how far light that should fall from left to right rises again, and its steepest fall, in steps of 255.

    Parameters
    ----------
    mean : ndarray, shape (H, W, 3)
        Encoded sRGB, averaged over seeds.
    region : ndarray of bool, shape (H, W)
        Whole rows.
    """
    rows = region.all(axis=1)
    profile = gaussian_filter1d(255 * (np.asarray(mean[rows], np.float64) @ LUMA).mean(axis=0), EDGE_PX)
    reversal = float((profile - np.minimum.accumulate(profile)).max())
    return reversal, float(-np.diff(profile).min())


def hue_angle(linear: Rgb, clean: Rgb) -> float:
    """Return the angle between the hues of two colours, (3,) linear light each, in CIELAB's a*b*, in degrees."""
    hues = []
    for colour in (linear, clean):
        lab = rgb2lab(encoded_srgb(np.asarray(colour, np.float32).clip(0, 1).reshape(1, 1, 3)))
        hues.append(np.arctan2(lab[..., 2], lab[..., 1]))
    turn = np.degrees(float(np.squeeze(hues[0] - hues[1])))
    return float(abs((turn + 180) % 360 - 180))


def grey_angle(linear: Rgb, clean: Rgb) -> float:
    """Return the angle between two colours as vectors of linear light, in degrees: how far a grey is from grey."""
    one, other = np.asarray(linear, np.float64), np.asarray(clean, np.float64)
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other)), one @ other))) if length else 90.0


def colour_kept(linear: Rgb, clean: Rgb) -> float:
    """Return which part of a colour's distance from grey is left, colours (3,) in linear light, over their light."""
    sizes = []
    for colour in (linear, clean):
        light = max(float(colour @ LUMA), LEAST_LIGHT)
        sizes.append(float(np.linalg.norm(np.asarray(colour, np.float64) / light - 1)))
    return sizes[0] / sizes[1]


def clipped(result: Pixels, before: Pixels) -> float:
    """Return the percentage of pixels that are clipped at white in a channel that was not clipped before."""
    return float(100 * ((result >= WHITE) & (before < NOT_WHITE)).any(axis=2).mean())


def as_light(stack: Pixels) -> Rgb:
    """Return 8-bit sRGB as linear light."""
    return TABLE[stack]
