"""Photos as another exposure would have given them: light augmentation, in linear light."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.photo import Rgb


def exposed(rgb: Rgb, stops: float, balance: NDArray[np.floating[Any]] | float = 0.0) -> Rgb:
    """Expose a photo anew.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), float32, range [0, 1]
        sRGB.
    stops : float
        Each doubles the light; negative ones halve it. What gets more than 1 is cut off.
    balance : ndarray, shape (3,), or float
        Stops that come to these for red, green and blue: another white balance.

    Returns
    -------
    ndarray, shape (H, W, 3), float32, range [0, 1]
    """
    # sRGB's curve (IEC 61966-2-1) there and back.
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = (linear * np.exp2(stops + np.asarray(balance)).astype(np.float32)).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(encoded, np.float32)
