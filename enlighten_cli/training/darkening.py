"""Too little light, simulated: what a camera would have made of a well-lit scene after dark."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

STOPS_MAX = 10.0
MEAN, MEAN_SPREAD = 0.085, 0.75  # of dark photos: median, and standard deviation of the logarithm
MEAN_LIMITS = (0.02, 0.35)
SHADE_POINTS = 3  # grid points a side of the map of uneven light
SHADE_STOPS = 0.7  # its standard deviation
CONTRAST_MAX = 2.2
WHITE_BALANCE = 0.05  # standard deviation of the log gains of the channels


def darken(crop: NDArray[np.uint8], whole: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Return a crop of a well-lit photo as if less light, unevenly spread, had fallen on the scene.

    In linear light: in half of the crops more contrast, so that shadows sink and lights stay as
    against the light; channel gains as after a missed white balance; then so short an exposure
    that the whole photo gets the mean of a dark one. That mean is drawn without regard to the
    photo's own: how dark a photo is shall tell nothing of how bright it should be, or a network
    learns to leave the dark ones dark. In some a smooth map of shade; in most of them shot and
    read noise (Foi et al. 2008, doi:10.1109/TIP.2008.2001399: a variance that is affine in the
    light), sometimes smeared as by demosaicing. Then a tone curve and 8 bits, which crush the
    shadows as a camera does.

    Parameters
    ----------
    crop : ndarray, shape (H, W, 3), uint8
    whole : ndarray, shape (h, w, 3), uint8
        The photo that it was cut from; a thinned one does.
    random : Generator

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
    """
    mean = np.clip(MEAN * np.exp(random.normal(0, MEAN_SPREAD)), *MEAN_LIMITS)
    contrast = random.uniform(1, CONTRAST_MAX) if random.random() < 0.5 else 1.0
    gains = np.exp(random.normal(0, WHITE_BALANCE, 3)).astype(np.float32)
    curve = random.uniform(1.8, 2.6)

    def light_of(pixels: NDArray[np.uint8]) -> NDArray[np.floating]:
        return (pixels.astype(np.float32) / 255) ** np.float32(2.2 * contrast) * gains

    light = light_of(crop) * np.float32(2.0 ** -_stops_to(mean, light_of(whole), curve))
    if random.random() < 0.3:
        light *= np.exp2(_shade(crop.shape[:2], random))[..., None]
    if random.random() < 0.6:
        light += _noise(light, random)
    return np.asarray(np.rint(_encoded(light, curve) * 255), np.uint8)


def _encoded(light: NDArray[np.floating], curve: float) -> NDArray[np.floating]:
    return np.asarray(light.clip(0, 1) ** np.float32(1 / curve))


def _stops_to(mean: float, light: NDArray[np.floating], curve: float) -> float:
    """Return by how many stops to expose less, so that the encoded photo has this mean; at least 0."""
    least, most = 0.0, STOPS_MAX
    for _ in range(12):
        middle = (least + most) / 2
        too_bright = _encoded(light * np.float32(2.0**-middle), curve).mean() > mean
        least, most = (middle, most) if too_bright else (least, middle)
    return least


def _shade(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float32]:
    """Return a smooth map of stops, (H, W), at most 0."""
    points = random.normal(0, SHADE_STOPS, (SHADE_POINTS, SHADE_POINTS)).astype(np.float32)
    grid = Image.fromarray(points - points.max()).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(grid, np.float32).clip(max=0)


def _noise(light: NDArray[np.floating], random: np.random.Generator) -> NDArray[np.floating]:
    """Return shot and read noise for linear light, (H, W, 3)."""
    shot, read = 10.0 ** random.uniform(-5.5, -3.5), 10.0 ** random.uniform(-5, -3.7)
    noise: NDArray[np.floating] = random.standard_normal(light.shape, dtype=np.float32)
    if random.random() < 0.5:
        # Neighbours share what demosaicing and the camera's denoiser smeared.
        noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1) + np.roll(noise, (1, 1), (0, 1))) / 2
    return np.asarray(noise * np.sqrt(light.clip(min=0) * np.float32(shot) + np.float32(read**2)))
