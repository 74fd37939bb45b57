"""The exposure that a photo is to have, estimated from as few pixels as the network learned from.

That depends on all of the photo, which a convolutional network sees only at the scale at which it
learned. At finer scales its detail is right, but not its exposure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from enlighten_cli.enhancement.thumbnail import Box, cut, reduced, resized, upsampled
from enlighten_cli.enhancement.tiles import padded_index
from enlighten_cli.enhancement.windows import Planes, box_mean, fit_windows
from enlighten_cli.models.network import Network
from enlighten_cli.photo import LUMA, Rgb

GAIN_PIXELS = 3_000  # over so many, the gain is smooth
STEP = 1 / 255
FLAT = 3e-3  # variance of light below which the correction is added, more than multiplied
UNEXPLAINED = np.float32(0.5)  # part of the error of exposure, but not explained by the light there, that is corrected


@dataclass(frozen=True)
class Exposure:
    """How bright a photo is to be.

    Parameters
    ----------
    before, after : ndarray, shape (h, w, 3), float32, range [0, 1]
        The photo, far reduced, as it is and as it is to be.
    """

    before: Rgb
    after: Rgb

    @classmethod
    def estimated(cls, rgb: Rgb, network: Network, most_pixels: int) -> Self:
        """Estimate the exposure of a photo, or of a thumbnail of it.

        Parameters
        ----------
        rgb : ndarray, shape (h, w, 3), float32, range [0, 1]
        network : Network
        most_pixels : int
            To how many pixels the photo is reduced.

        Notes
        -----
        A network that learned from photos reduced so far sees the mirror image as well, which costs
        little, and the mean of both errs less (Lim et al. 2017, arXiv:1707.02921, section 3.3).
        """
        before = reduced(rgb, most_pixels)
        after = enhanced(before, network)
        if network.training_pixels:
            mirrored = enhanced(np.ascontiguousarray(before[:, ::-1]), network)
            after = np.asarray((after + mirrored[:, ::-1]) / 2, np.float32)
        return cls(before, after)

    def cut(self, box: Box, size: tuple[int, int]) -> Exposure:
        """Return that of a part of the photo, at this width and height; see `thumbnail.cut`."""
        return Exposure(cut(self.before, box, size), cut(self.after, box, size))

    def gain(self) -> Planes:
        """Return by how much the light is lifted, 1 or more: (h, w, 1), smooth."""
        before, after = (reduced(rgb, GAIN_PIXELS) @ LUMA for rgb in (self.before, self.after))
        return np.maximum((after + STEP) / (before + STEP), 1)[..., None].astype(np.float32)

    def correction(self, enhanced: Rgb) -> Planes:
        """Return what corrects the exposure of a picture that the network made of more pixels.

        Parameters
        ----------
        enhanced : ndarray, shape (h, w, 3), float32, range [0, 1]
            Reduced or not.

        Returns
        -------
        ndarray, shape (rows, columns, 6), float32
            For `corrected`: a slope and an offset a channel. As they go by the light that is there,
            the correction ends at an object's edge, and does not glow beyond it.
        """
        coarse = resized(enhanced, self.after.shape[1::-1])
        change = self.after - coarse
        fit = fit_windows(coarse, change, FLAT)
        slope, offset = box_mean(fit.slope), box_mean(fit.offset)
        offset += UNEXPLAINED * (change - slope * coarse - offset)
        return np.concatenate([slope, offset], axis=2)


def corrected(enhanced: Rgb, correction: Planes) -> Rgb:
    """Correct the exposure of a picture.

    Parameters
    ----------
    enhanced : ndarray, shape (h, w, 3), float32, range [0, 1]
    correction : ndarray, shape (h, w, 6), float32
        From `Exposure.correction`, interpolated.

    Returns
    -------
    ndarray, shape (h, w, 3), float32, range [0, 1]
    """
    return np.asarray((enhanced + correction[..., :3] * enhanced + correction[..., 3:]).clip(0, 1))


def enhanced_thumbnail(rgb: Rgb, network: Network, exposure: Exposure) -> Rgb:
    """Let the network enhance a thumbnail: detail as it sees it there, exposure as estimated from fewer pixels.

    Parameters
    ----------
    rgb : ndarray, shape (h, w, 3), float32, range [0, 1]
    network : Network
    exposure : Exposure

    Returns
    -------
    ndarray, shape (h, w, 3), float32, range [0, 1]
    """
    if exposure.before is rgb:
        return exposure.after
    after = enhanced(rgb, network)
    if exposure.before.shape == rgb.shape:
        return after
    height, width = rgb.shape[:2]
    return corrected(after, upsampled(exposure.correction(after), 0, height, height, width))


def enhanced(rgb: Rgb, network: Network) -> Rgb:
    """Return what the network makes of a picture of any size."""
    height, width = rgb.shape[:2]
    return network(rgb[np.ix_(padded_index(height), padded_index(width))])[:height, :width].clip(0, 1)
