"""Simulate dark, noisy photos from well-lit ones: a sensor's noise, a camera's processing and JPEG.

Noise levels follow Brooks et al., "Unprocessing images for learned raw denoising", CVPR 2019,
doi:10.1109/CVPR.2019.01129.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

from enlighten_cli.photo import LUMA, Rgb
from enlighten_cli.photo.colour import encoded_srgb, linear_srgb

Plane: TypeAlias = NDArray[np.float32]

STOPS = (0.0, 6.0)  # well-lit photos are darkened by so many stops
SHOT = (
    5e-6,
    2e-3,
)  # variance of shot noise at full light, log-uniform; lower than in raw files, because photos are usually reduced
READ_SLOPE, READ_OFFSET, READ_SPREAD = 2.18, 1.20, 0.26  # log variance of read noise, linear in that of shot noise
WHITE_BALANCE = ((1.9, 2.4), (1.0, 1.0), (1.5, 1.9))  # gains of red, green and blue after the sensor
MOSAIC_PROBABILITY = 0.4  # of demosaiced noise; otherwise noise is white, as in reduced photos
JPEG_PROBABILITY, JPEG_QUALITY = 0.8, (75, 98)
LIFT = (0.7, 1.3)  # target light of the brightened photo, relative to the well-lit one
MOST_GAIN = 30.0
LIGHT_BLOCK_PX = 8  # light is smooth over three blocks
STEP = 1 / 255


@dataclass(frozen=True)
class NoisyPhoto:
    """A dark photo without and with noise.

    Parameters
    ----------
    clean, noisy : ndarray, shape (H, W, 3), float32, range [0, 1]
        sRGB; `noisy` as decoded from an 8-bit file.
    gain : ndarray, shape (H, W), float32
        Factor by which both will be brightened.
    """

    clean: Rgb
    noisy: Rgb
    gain: Plane


def noisy_photo(
    rgb: Rgb, random: np.random.Generator, *, stops: tuple[float, float] = STOPS, noise: float = 1.0
) -> NoisyPhoto:
    """Darken a photo and add a sensor's noise.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), float32, range [0, 1]
        sRGB, well lit and without noise; H and W are even.
    random : numpy.random.Generator
    stops : tuple of float
        Between which it is darkened.
    noise : float
        Factor on the noise. With 0 and the same random numbers, `noisy` is stored in the same way, without noise.
    """
    dark = linear_srgb(rgb) * np.float32(2.0 ** -random.uniform(*stops))
    clean = encoded_srgb(dark)
    noisy = encoded_srgb((dark + np.float32(noise) * _noise(dark, random)).clip(0, 1))
    return NoisyPhoto(clean, _stored(noisy, random), _gain(rgb, clean, random))


def _noise(dark: Rgb, random: np.random.Generator) -> Rgb:
    """Draw noise in linear light; demosaicing and white balance are linear, so they can act on the noise alone."""
    shot = np.exp(random.uniform(*np.log(SHOT)))
    read = np.exp(READ_SLOPE * np.log(shot) + READ_OFFSET + random.normal(0, READ_SPREAD))
    balance = np.array([random.uniform(*gains) for gains in WHITE_BALANCE], np.float32)
    deviation = np.sqrt(shot * dark / balance + read, dtype=np.float32)
    noise = deviation * random.standard_normal(dark.shape, np.float32)
    if random.random() < MOSAIC_PROBABILITY:
        noise = _demosaiced(noise)
    return np.asarray(noise * balance, np.float32)


def _demosaiced(raw: Rgb) -> Rgb:
    """Keep what a Bayer mosaic samples (RGGB), and interpolate the rest bilinearly."""
    height, width, _ = raw.shape
    sampled = np.zeros((3, height, width), np.float32)
    sampled[0, ::2, ::2] = raw[::2, ::2, 0]
    sampled[1, ::2, 1::2], sampled[1, 1::2, ::2] = raw[::2, 1::2, 1], raw[1::2, ::2, 1]
    sampled[2, 1::2, 1::2] = raw[1::2, 1::2, 2]
    cross = torch.tensor([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4
    square = torch.tensor([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
    kernels = torch.stack([square, cross, square])[:, None]
    padded = F.pad(torch.from_numpy(sampled)[None], (2, 2, 2, 2), mode="reflect")
    full = F.conv2d(padded, kernels, groups=3)[0, :, 1:-1, 1:-1]
    return np.asarray(full.permute(1, 2, 0).numpy())


def _stored(rgb: Rgb, random: np.random.Generator) -> Rgb:
    """Round to 8 bits, and in most cases compress as JPEG."""
    pixels = np.rint(rgb * 255).astype(np.uint8)
    if random.random() < JPEG_PROBABILITY:
        file = io.BytesIO()
        quality, subsampling = int(random.integers(JPEG_QUALITY[0], JPEG_QUALITY[1] + 1)), int(random.choice([0, 2]))
        Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=subsampling)
        pixels = np.asarray(Image.open(file))
    return np.asarray(pixels, np.float32) / np.float32(255)


def _gain(rgb: Rgb, clean: Rgb, random: np.random.Generator) -> Plane:
    """Return a smooth gain that brightens the dark photo to about the light of the well-lit one."""
    light, dark = (_smoothed(each) for each in (rgb, clean))
    gain = light * np.float32(random.uniform(*LIFT)) / (dark + STEP)
    return np.asarray(gain.clip(1, MOST_GAIN), np.float32)


def _smoothed(rgb: Rgb) -> Plane:
    """Return luma averaged over blocks, interpolated between them."""
    luma = torch.from_numpy(np.ascontiguousarray(rgb) @ LUMA)[None, None]
    means = F.avg_pool2d(luma, LIGHT_BLOCK_PX, ceil_mode=True, count_include_pad=False)
    means = F.avg_pool2d(means, 3, 1, 1, count_include_pad=False)
    smooth = F.interpolate(means, size=luma.shape[2:], mode="bilinear", align_corners=False)
    return np.asarray(smooth[0, 0].numpy())


def noise_map(photo: NoisyPhoto, random: np.random.Generator, *, bins: int = 6, jitter: float = 0.15) -> Plane:
    """Measure the standard deviation of luma's noise as a function of luma, as enhancement estimates it in photos.

    Returns
    -------
    ndarray, shape (H, W), float32
    """
    noise, light = (photo.noisy - photo.clean) @ LUMA, photo.clean @ LUMA
    edges = np.quantile(light, np.linspace(0, 1, bins + 1))
    indices = np.clip(np.searchsorted(edges, light.ravel(), side="right") - 1, 0, bins - 1)
    counts = np.bincount(indices, minlength=bins) + 1e-6
    deviations = np.sqrt(np.bincount(indices, noise.ravel() ** 2, bins) / counts)
    middles = np.bincount(indices, light.ravel(), bins) / counts
    known = counts > 1
    smooth = _smoothed(photo.noisy)
    level = np.interp(smooth, middles[known], deviations[known]).astype(np.float32)
    return np.asarray(level * np.float32(np.exp(random.normal(0, jitter))))
