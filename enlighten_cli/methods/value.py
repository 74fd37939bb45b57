"""Change the value of HSV, and keep hue and saturation."""

from __future__ import annotations

import numpy as np

from enlighten_cli.errors import MissingDependencyError, how_to_install
from enlighten_cli.photo import Rgb


def with_value(rgb: Rgb, function: str) -> Rgb:
    """Apply a function of `skimage.exposure`, by its name, to the value of HSV.

    Raises
    ------
    MissingDependencyError
        If scikit-image is not installed.
    """
    try:
        from skimage import exposure
        from skimage.color import hsv2rgb, rgb2hsv
    except ImportError as error:
        raise MissingDependencyError(
            f"this method needs scikit-image; {how_to_install('methods', 'scikit-image')}"
        ) from error
    hsv = rgb2hsv(rgb)
    hsv[..., 2] = getattr(exposure, function)(hsv[..., 2])
    return np.asarray(hsv2rgb(hsv), np.float32)
