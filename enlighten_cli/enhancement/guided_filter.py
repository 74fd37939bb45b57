"""The guided filter: a change made to a thumbnail, described so that it can be made to the whole photo.

In small windows the change is described as enhanced = a x input + b x luma + c. The coefficients a, b and c are
interpolated to full size and applied to every pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from enlighten_cli.enhancement.thumbnail import Box, cut, upsampled
from enlighten_cli.enhancement.windows import Planes, box_mean, fit_windows
from enlighten_cli.photo import LUMA, Rgb

RESIDUAL_WEIGHT = np.float32(0.5)  # part of the filter's residual that is added back
DARKEST = np.float32(1 / 255)  # below about this light, a gain cannot be told from rounding and is damped
FLAT = np.float32(3e-3)  # variance below which a window counts as flat: too little contrast to fit its change
OFFSET, DETAIL = 3, 6  # of the planes of coefficients; the first three are the scale


@dataclass(frozen=True)
class AffineCoefficients:
    """Coefficients that brighten a photo: lifted = scale x input + detail x luma of input + offset.

    Parameters
    ----------
    scale, offset : ndarray, shape (h, w, 3), float32
        Over the photo, or over a thumbnail of it.
    detail : ndarray, shape (h, w, 1), float32
    """

    scale: Planes
    detail: Planes
    offset: Planes

    def rows(self, start: int, stop: int, height: int, width: int) -> AffineCoefficients:
        """Return those of some rows of a photo of this size, interpolated bilinearly."""
        return AffineCoefficients(
            *(upsampled(values, start, stop, height, width) for values in (self.scale, self.detail, self.offset))
        )

    def cut(self, box: Box, size: tuple[int, int]) -> AffineCoefficients:
        """Return those of a part of the photo, at this width and height; see `thumbnail.cut`."""
        return AffineCoefficients(*(cut(values, box, size) for values in (self.scale, self.detail, self.offset)))

    def lifted(self, rgb: Rgb) -> Rgb:
        """Return the light of a picture of the same size, lifted: (h, w, 3), not clamped."""
        return self.scale * rgb + self.detail * (rgb @ LUMA)[..., None] + self.offset

    def planes(self, strength: float, full_scale: int) -> Planes:
        """Return the scale, offset and detail of the weaker or stronger change, for pixels of this scale: (h, w, 7)."""
        part = np.float32(strength)
        scale, offset = 1 + part * (self.scale - 1), part * np.float32(full_scale) * self.offset
        return np.concatenate([scale, offset, part * self.detail], axis=2)


def fit_guided_filter(before: Rgb, after: Rgb) -> AffineCoefficients:
    """Fit coefficients to what the network did to a thumbnail, to apply them to the whole photo.

    Parameters
    ----------
    before, after : ndarray, shape (h, w, 3), float32, range [0, 1]

    Notes
    -----
    The guided filter, channel by channel, carried to full size as in He and Sun, "Fast guided
    filter", arXiv:1505.00996. The filter fits the change, not the result: where a window is flat,
    the photo's own contrast remains. Two things are added to the published filter. In flat windows,
    the contrast of luma grows with the light, because shadows would look hazy otherwise; the
    contrast of colour does not. And a part of the residual, which the coefficients cannot describe,
    is added back: the network's fine texture.
    """
    fit = fit_windows(before, after - before, FLAT)
    luma = fit.mean @ LUMA
    more_light = ((fit.slope * fit.mean + fit.offset) @ LUMA) * luma / (luma**2 + DARKEST**2)
    flat = (FLAT / (fit.variance + FLAT)).mean(axis=2)
    detail = (flat * more_light)[..., None]
    scale, offset = 1 + fit.slope, fit.offset - detail * luma[..., None]

    described = AffineCoefficients(box_mean(scale), box_mean(detail), box_mean(offset))
    residual = after - described.lifted(before)
    return replace(described, offset=described.offset + RESIDUAL_WEIGHT * residual)
