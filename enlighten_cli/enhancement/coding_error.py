"""Estimate the error that storing a photo made: rounding, and the quantisation of a JPEG."""

from __future__ import annotations

import math

import numpy as np

from enlighten_cli.photo import Photo

# Standard deviation of luma's error in dark photos: so many steps of 255, and so much for each step of a JPEG's
# quantisation, whose mean over the lowest frequencies counts. That is between the error of flat places (0.6 steps at
# quality 75) and that of texture, which hides it (2.5).
LEAST, OF_QUANTISATION = 0.3, 0.115
LOWEST = (0, 1, 8, 16, 9, 2, 3, 10, 17, 24)  # frequencies, by their place in a table
UNKNOWN = 0.5  # of a photo of 8 bits that is no JPEG, but may have been one


def coding_error(photo: Photo, reduced: float = 1.0) -> float:
    """Return the standard deviation of the error that storing a photo made in its luma.

    Parameters
    ----------
    photo : Photo
    reduced : float
        How many pixels have become one since then, which makes the error smaller.

    Returns
    -------
    float
        In [0, 1]; 0 for photos of more than 8 bits.
    """
    if photo.dtype != np.uint8:
        return 0.0
    tables = photo.coding.quantisation
    steps = LEAST + OF_QUANTISATION * float(np.mean([tables[0][place] for place in LOWEST])) if tables else UNKNOWN
    return steps / 255 / math.sqrt(max(1.0, reduced))
