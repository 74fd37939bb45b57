"""How bright a photo is to be, judged from as few pixels as the network learned from.

That depends on all of the photo, which a convolutional network sees only at the scale at which it
learned. At finer scales its detail is right, but not its light.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from enlighten_cli.enhancement.thumbnail import reduced, resized, upsampled
from enlighten_cli.enhancement.tiles import padded_index
from enlighten_cli.enhancement.windows import Planes, box_mean, fit_windows
from enlighten_cli.models.network import Network
from enlighten_cli.photo import LUMA, Rgb

GAIN_PIXELS = 3_000  # over so many, the gain is smooth
STEP = 1 / 255
FLAT = 3e-3  # variance of light below which what is missing is added, more than multiplied
UNEXPLAINED = np.float32(0.5)  # part of what is missing, but not explained by the light there, that is added


@dataclass(frozen=True)
class JudgedLight:
    """How bright a photo is to be.

    Parameters
    ----------
    seen, made : ndarray, shape (h, w, 3), float32, range [0, 1]
        The photo, far reduced, before and after.
    """

    seen: Rgb
    made: Rgb

    @classmethod
    def of(cls, rgb: Rgb, network: Network, judged_pixels: int) -> Self:
        """Judge a photo, or a thumbnail of it.

        Parameters
        ----------
        rgb : ndarray, shape (h, w, 3), float32, range [0, 1]
        network : Network
        judged_pixels : int
            To how many pixels the photo is reduced.

        Notes
        -----
        A network that learned from photos reduced so far sees the mirror image as well, which costs
        little, and the mean of both errs less (Lim et al. 2017, arXiv:1707.02921, section 3.3).
        """
        seen = reduced(rgb, judged_pixels)
        made = shown(seen, network)
        if network.training_pixels:
            mirrored = shown(np.ascontiguousarray(seen[:, ::-1]), network)
            made = np.asarray((made + mirrored[:, ::-1]) / 2, np.float32)
        return cls(seen, made)

    def gain(self) -> Planes:
        """Return by how much the light is lifted, 1 or more: (h, w, 1), smooth."""
        seen, made = (reduced(rgb, GAIN_PIXELS) @ LUMA for rgb in (self.seen, self.made))
        return np.maximum((made + STEP) / (seen + STEP), 1)[..., None].astype(np.float32)

    def missing(self, made: Rgb) -> Planes:
        """Return what a picture that the network made of more pixels lacks to the judged light.

        Parameters
        ----------
        made : ndarray, shape (h, w, 3), float32, range [0, 1]
            Reduced or not.

        Returns
        -------
        ndarray, shape (rows, columns, 6), float32
            For `relit`: a slope and an offset a channel. As they go by the light that is there,
            what is missing ends at an object's edge, and does not glow beyond it.
        """
        coarse = resized(made, self.made.shape[1::-1])
        change = self.made - coarse
        fit = fit_windows(coarse, change, FLAT)
        slope, offset = box_mean(fit.slope), box_mean(fit.offset)
        offset += UNEXPLAINED * (change - slope * coarse - offset)
        return np.concatenate([slope, offset], axis=2)


def relit(made: Rgb, missing: Planes) -> Rgb:
    """Give a picture the judged light.

    Parameters
    ----------
    made : ndarray, shape (h, w, 3), float32, range [0, 1]
    missing : ndarray, shape (h, w, 6), float32
        From `JudgedLight.missing`, interpolated.

    Returns
    -------
    ndarray, shape (h, w, 3), float32, range [0, 1]
    """
    return np.asarray((made + missing[..., :3] * made + missing[..., 3:]).clip(0, 1))


def enhanced_thumbnail(rgb: Rgb, network: Network, judged: JudgedLight) -> Rgb:
    """Let the network enhance a thumbnail: detail as it sees it there, light as it judged it from fewer pixels.

    Parameters
    ----------
    rgb : ndarray, shape (h, w, 3), float32, range [0, 1]
    network : Network
    judged : JudgedLight

    Returns
    -------
    ndarray, shape (h, w, 3), float32, range [0, 1]
    """
    if judged.seen is rgb:
        return judged.made
    made = shown(rgb, network)
    if judged.seen.shape == rgb.shape:
        return made
    height, width = rgb.shape[:2]
    return relit(made, upsampled(judged.missing(made), 0, height, height, width))


def shown(rgb: Rgb, network: Network) -> Rgb:
    """Return what the network makes of a picture of any size."""
    height, width = rgb.shape[:2]
    return network(rgb[np.ix_(padded_index(height), padded_index(width))])[:height, :width].clip(0, 1)
