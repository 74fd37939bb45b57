"""Well-lit photos in poor light that is made here: the photo itself is then the picture to restore.

Light is changed as scenes change it, in linear light: what is dark falls further behind what is bright (backlight,
windows, suns), a flash reaches the foreground only, lamps stand in pools of coloured light. Then the exposure is
shortened, a veil may lie over it, blacks are crushed, and a sensor adds noise.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from enlighten_cli.training.data.augmentation import encoded, linear
from enlighten_cli.training.guided_filter import smoothed
from enlighten_cli.training.networks.generator import luma

KEPT = 1 / 8  # of the photos, which stay as they are: good light is to be recognised
CONTRASTED, FLASHED, LAMPLIT = 0.7, 0.1, 0.1  # parts of the rest; what remains is evenly lit
RADIUS, EPSILON = (0.04, 0.35), (0.01, 0.2)  # of the guided filter for the light, relative to the side; log-uniform
CONTRAST, PIVOT = (0.3, 2.2), (0.55, 0.97)  # exponent of the light beyond 1, and the quantile of it that stays
MOST_LIFT = 0.5  # by so much, in log light, may the brightest become brighter
DARKENED, STOPS, FEW_STOPS = 0.6, (0.0, 4.5), (0.0, 0.7)
LAMP_STOPS, LAMP_REACH, LAMP_COLOUR = (1.0, 4.0), (0.1, 0.4), (0.5, 0.15, -0.7)  # in stops, sides, stops of a channel
FLASH_STOPS = (1.5, 4.0)
VEILED, VEIL = 0.15, (0.002, 0.03)
TOE = (0.0, 0.003)
SHOT, READ = (1e-6, 3e-4), 1e-3  # variance of noise at full light, log-uniform; deviation of read noise at the largest
LEAST_LIGHT = 0.007


def poorly_lit(rgb: Tensor, random: np.random.Generator) -> Tensor:
    """Show a well-lit photo in poor light.

    Parameters
    ----------
    rgb : Tensor, shape (3, H, W), range [0, 1]
        sRGB, a whole photo reduced: light is a matter of the whole.
    random : numpy.random.Generator

    Returns
    -------
    Tensor, shape (3, H, W), range [0, 1]
        In steps of 1/255, as an 8-bit file has them.
    """
    if random.random() < KEPT:
        return rgb
    light = linear(rgb)
    kind = random.random()
    if kind < CONTRASTED:
        light = light * _contrast(rgb, random)
    elif kind < CONTRASTED + FLASHED:
        light = light * _flash(rgb, random)
    elif kind < CONTRASTED + FLASHED + LAMPLIT:
        light = light * _lamps(rgb, random)
    stops = random.uniform(*(STOPS if random.random() < DARKENED else FEW_STOPS))
    light = light * 2.0**-stops
    if random.random() < VEILED:
        light = light + random.uniform(*VEIL) * light.mean(dim=(1, 2), keepdim=True) / light.mean().clamp(min=1e-6)
    light = (light - random.uniform(*TOE) * 2.0**-stops).clamp(min=0)
    light = light + _noise(light, random)
    return (encoded(light.clamp(0, 1)) * 255).round() / 255


def _contrast(rgb: Tensor, random: np.random.Generator) -> Tensor:
    """Let the light of regions fall off: its logarithm is scaled about one of its upper quantiles."""
    log_light = (luma(rgb[None]) + LEAST_LIGHT).log()
    side = math.sqrt(rgb.shape[1] * rgb.shape[2])
    epsilon = math.exp(random.uniform(*np.log(EPSILON)))
    regions = smoothed(log_light, max(1, round(side * random.uniform(*RADIUS))), epsilon)[0]
    values = regions.flatten()
    pivot = values.kthvalue(1 + round(random.uniform(*PIVOT) * (len(values) - 1))).values
    # Luma is encoded: 2.2 times its logarithm is about that of the light.
    return (2.2 * random.uniform(*CONTRAST) * (regions - pivot)).clamp(max=MOST_LIFT).exp()


def _flash(rgb: Tensor, random: np.random.Generator) -> Tensor:
    """Light the foreground, which mostly is below and in the middle, and leave the background dark."""
    across, down = _distances(rgb, random.uniform(0.2, 0.8), random.uniform(0.5, 1.0))
    away = ((across / random.uniform(0.4, 1.0)) ** 2 + (down / random.uniform(0.5, 1.2)) ** 2).clamp(max=1)
    return torch.exp2(-random.uniform(*FLASH_STOPS) * _along_edges(away, rgb))


def _lamps(rgb: Tensor, random: np.random.Generator) -> Tensor:
    """Light pools around one to three lamps, warm or cold, in a dark place."""
    colour = torch.tensor(LAMP_COLOUR, device=rgb.device).view(3, 1, 1) * random.uniform(-0.4, 1.0)
    pools = torch.zeros_like(rgb[:1])
    for _ in range(int(random.integers(1, 4))):
        across, down = _distances(rgb, random.uniform(0, 1), random.uniform(0, 1))
        reach = random.uniform(*LAMP_REACH)
        pools = torch.maximum(pools, 1 / (1 + (across**2 + down**2) / reach**2))
    return torch.exp2(-random.uniform(*LAMP_STOPS) * (1 - _along_edges(pools, rgb)) + colour * pools)


def _distances(rgb: Tensor, column: float, row: float) -> tuple[Tensor, Tensor]:
    """Return distances from a place, across and down, in sides of the photo: (1, 1, W) and (1, H, 1)."""
    height, width = rgb.shape[1:]
    across = (torch.arange(width, device=rgb.device) + 0.5) / width - column
    down = (torch.arange(height, device=rgb.device) + 0.5) / height - row
    return across.view(1, 1, -1), down.view(1, -1, 1)


def _along_edges(field: Tensor, rgb: Tensor) -> Tensor:
    """Let a field break at the edges of things, by moving it a little with their light."""
    return (field * (1 + 0.5 * (luma(rgb[None])[0] - 0.5))).clamp(0, 1)


def _noise(light: Tensor, random: np.random.Generator) -> Tensor:
    shot = math.exp(random.uniform(*np.log(SHOT)))
    read = READ * math.sqrt(shot / SHOT[1])
    normal = torch.from_numpy(random.standard_normal(tuple(light.shape), np.float32)).to(light.device)
    return (shot * light + read**2).sqrt() * normal
