"""Scenes in which light is what is hard: figures against it, flashes, floodlights, black, and lamps in haze.

They are photos as taken (no stops are missing), in linear light; see scenes.py.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from enlighten_cli.photo import Rgb
from enlighten_cli.photo.colour import linear_srgb

SKIN = np.float32([1.12, 0.97, 0.85])
FIGURES = (5, 12, 30)  # tone of the figures, of 255, before a window of WINDOW
WINDOW, FLASHED, FLOODLIT, NIGHT = 250, 190, 215, 6
FACE_RADIUS_PX = 110
SHADE = (0.6, 1.4)  # of a face, from its dark cheek to its light one, in linear light


def tone(value: float) -> np.float32:
    """Return the linear light of a tone of 255."""
    return np.float32(linear_srgb(np.float32(value / 255)))


def face(light: Rgb, row: int, column: int, value: float) -> tuple[slice, slice]:
    """Draw a face-like disc with smooth shading and features of soft contrast; return the box within it."""
    rows, columns = np.mgrid[0 : light.shape[0], 0 : light.shape[1]].astype(np.float32)
    down, across = (rows - row) / FACE_RADIUS_PX, (columns - column) / FACE_RADIUS_PX
    shade = SHADE[0] + (SHADE[1] - SHADE[0]) * (0.5 + 0.5 * np.clip(across, -1, 1))
    features = 1 - 0.3 * np.exp(-((across - 0.4) ** 2 + (down + 0.2) ** 2) / 0.02)
    features *= 1 - 0.3 * np.exp(-((across + 0.4) ** 2 + (down + 0.2) ** 2) / 0.02)
    features *= 1 - 0.3 * np.exp(-(across**2 / 0.08 + (down - 0.5) ** 2 / 0.01))
    disc = down**2 + across**2 < 1
    light[disc] = (tone(value) * shade * features)[disc, None] * SKIN
    half = round(0.65 * FACE_RADIUS_PX)
    return slice(row - half, row + half), slice(column - half, column + half)


def window(height: int, width: int) -> tuple[Rgb, dict[str, tuple[slice, slice]]]:
    """Draw three figures before a bright window."""
    light = np.full((height, width, 3), tone(WINDOW), np.float32)
    light[: height // 12], light[-height // 4 :] = tone(20), tone(12)
    boxes = {
        f"before a window, {value}": face(light, height // 2, width * (1 + 2 * place) // 6, value)
        for place, value in enumerate(FIGURES)
    }
    return gaussian_filter(light, (1, 1, 0)), boxes


def flash(height: int, width: int) -> tuple[Rgb, dict[str, tuple[slice, slice]]]:
    """Draw a face in the light of a flash, in a dark room with another face in the background."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    light = np.repeat((tone(10) * (1 + 0.4 * np.sin(columns / 70) * np.cos(rows / 50)))[..., None], 3, axis=2)
    boxes = {
        "flash, near": face(light, height // 2, width // 3, FLASHED),
        "flash, far": face(light, height // 2, width * 3 // 4, 12),
    }
    return gaussian_filter(light.astype(np.float32), (1, 1, 0)), boxes


def facade(height: int, width: int) -> tuple[Rgb, dict[str, tuple[slice, slice]]]:
    """Draw a floodlit facade with windows at night."""
    rows, columns = np.mgrid[0:height, 0:width]
    light = np.full((height, width, 3), tone(NIGHT), np.float32)
    top, left = height // 3, width // 4
    wall = (rows > top) & (rows < height * 5 // 6) & (columns > left) & (columns < width * 3 // 4)
    falloff = np.float32(1 - 0.5 * (height - rows) / height)
    light[wall] = (tone(FLOODLIT) * falloff)[wall, None] * np.float32([1.1, 1, 0.8])
    light[wall & (rows % 70 < 36) & (columns % 60 < 26)] *= np.float32(0.35)
    return gaussian_filter(light, (1, 1, 0)), {
        "facade": (slice(top + 20, height * 5 // 6 - 20), slice(left + 20, width * 3 // 4 - 20))
    }


def ramp(height: int, width: int) -> Rgb:
    """Draw a ramp from 60 of 255 into black, under a lit ceiling."""
    across = np.linspace(60, 0, width, dtype=np.float32) / 255
    light = np.repeat(np.repeat(linear_srgb(across)[None, :, None], height, axis=0), 3, axis=2)
    light[: height // 5] = tone(150)
    return light


def haze(height: int, width: int) -> tuple[Rgb, dict[str, tuple[slice, slice]]]:
    """Draw a red lamp with its glow in haze, over a street; the boxes are of the glow."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(rows - height / 2, columns - width / 2)
    glow = np.exp(-away / 90)[..., None] * np.float32([0.5, 0.06, 0.04])
    light = tone(12) * np.float32([1, 1, 1.1]) + glow
    light[away < 14] = np.float32([3, 0.6, 0.4])
    boxes = {}
    for distance in (40, 100):
        place = width // 2 + distance
        boxes[f"glow, {distance} px"] = (slice(height // 2 - 8, height // 2 + 8), slice(place - 8, place + 8))
    return light.astype(np.float32), boxes
