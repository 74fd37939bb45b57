"""Fast mode: the network sees thumbnails, and a guided filter carries its change to every pixel.

The network sees two thumbnails: a small one, of the size of its training photos, for the light, and a larger one for
detail. In small windows its change is described as enhanced = a x input + b x luma + c. The coefficients a, b and c are
interpolated to full size and applied to every pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.enhancement.denoise import STRIP_ROWS, DenoisingNetwork
from enlighten_cli.enhancement.judged_light import enhanced_thumbnail
from enlighten_cli.enhancement.survey import surveyed
from enlighten_cli.enhancement.thumbnail import THUMBNAIL_PIXELS, upsampled
from enlighten_cli.enhancement.windows import box_mean, fit_windows
from enlighten_cli.models.denoiser import package_denoiser
from enlighten_cli.models.network import Network
from enlighten_cli.photo import LUMA, Photo, Pixels, Rgb, colour_of_photo
from enlighten_cli.photo.colour import DirectColour
from enlighten_cli.photo.photo import full_scale, is_float
from enlighten_cli.resources import available_cores

Coefficients: TypeAlias = NDArray[np.float32]

FINISH = np.float32(0.5)  # part of the filter's residual that is added back
DARKEST = np.float32(1 / 255)  # below about this light, a gain cannot be told from rounding and is damped
FLAT = np.float32(3e-3)  # variance below which a window counts as flat: too little contrast to fit its change
STRIP_PIXELS = 1 << 18  # what a core works on at a time, to stay in its cache


@dataclass(frozen=True)
class Light:
    """Coefficients that brighten a photo of any size: enhanced = scale x input + detail x luma of input + offset.

    Parameters
    ----------
    scale, offset : ndarray, shape (h, w, 3), float32
        Over the reduced photo.
    detail : ndarray, shape (h, w, 1), float32
    """

    scale: Coefficients
    detail: Coefficients
    offset: Coefficients

    def rows(self, start: int, stop: int, height: int, width: int) -> tuple[Rgb, Coefficients, Rgb]:
        """Return the three for some rows of a photo of this size, interpolated bilinearly."""
        scale, detail, offset = (
            upsampled(values, start, stop, height, width) for values in (self.scale, self.detail, self.offset)
        )
        return scale, detail, offset


def fit_guided_filter(rgb: Rgb, made: Rgb) -> Light:
    """Fit coefficients to what the network did to a thumbnail, to apply them to the whole photo.

    Parameters
    ----------
    rgb, made : ndarray, shape (h, w, 3), float32, range [0, 1]
        Before and after.

    Notes
    -----
    The guided filter, channel by channel, carried to full size as in He and Sun, "Fast guided
    filter", arXiv:1505.00996. The filter fits the change, not the result: where a window is flat,
    the photo's own contrast remains. Two things are added to the published filter. In flat windows,
    the contrast of luma grows with the light, because shadows would look hazy otherwise; the
    contrast of colour does not. And a part of the residual, which the coefficients cannot describe,
    is added back: the network's fine texture.
    """
    fit = fit_windows(rgb, made - rgb, FLAT)
    luma = fit.mean @ LUMA
    more_light = ((fit.slope * fit.mean + fit.offset) @ LUMA) * luma / (luma**2 + DARKEST**2)
    flat = (FLAT / (fit.variance + FLAT)).mean(axis=2)
    detail = (flat * more_light)[..., None]
    scale, offset = 1 + fit.slope, fit.offset - detail * luma[..., None]

    scale, detail, offset = box_mean(scale), box_mean(detail), box_mean(offset)
    described = scale * rgb + detail * (rgb @ LUMA)[..., None] + offset
    offset += FINISH * (made - described)
    return Light(scale, detail, offset)


def enhance(
    photo: Photo,
    network: Network,
    strength: float,
    tell: Callable[[int, int], None],
    denoise: float,
    denoiser: Callable[[], DenoisingNetwork] = package_denoiser,
) -> tuple[Pixels, float]:
    """Enhance a photo by what the network did to its thumbnails.

    Parameters
    ----------
    photo : Photo
    network : Network
    strength : float
        Factor on the change; 0 returns the photo's own pixels.
    tell : callable
        Receives the strips done and their total.
    denoise, denoiser
        As of `survey.surveyed`.

    Returns
    -------
    ndarray
        The photo's new pixels.
    float
        Part of its area from which noise was removed, in [0, 1].
    """
    pixels = photo.pixels
    height, width = pixels.shape[:2]
    colour = colour_of_photo(photo)
    judged_pixels = network.training_pixels or THUMBNAIL_PIXELS
    survey = surveyed(photo, network, judged_pixels, denoise if strength else 0, denoiser)
    made = enhanced_thumbnail(survey.rgb, network, survey.judged)
    light = fit_guided_filter(survey.rgb, survey.rgb + survey.known * (made - survey.rgb))
    denoising = survey.denoising
    bright = np.empty_like(pixels)

    def work(start: int, stop: int) -> None:
        own = pixels[start:stop]
        scale, detail, offset = light.rows(start, stop, height, width)
        if denoising is None and isinstance(colour, DirectColour) and own.shape[2] == 3 and not is_float(own):
            bright[start:stop] = _brightened(own, scale, detail, offset, strength)
            return
        before = colour.to_srgb(own)
        seen = before.clip(0, 1)
        if denoising:
            seen = denoising.rows(
                lambda first, last: colour.to_srgb(pixels[first:last]).clip(0, 1), start, stop, height, width
            )
        lifted = scale * seen + detail * (seen @ LUMA)[..., None] + offset
        after = before + np.float32(strength) * (lifted - before.clip(0, 1))
        bright[start:stop] = colour.changed(own, before, after)

    rows = STRIP_ROWS if denoising else max(1, STRIP_PIXELS // width)
    starts = range(0, height, rows)
    tell(0, len(starts))
    with ThreadPoolExecutor(available_cores()) as pool:
        for done, _ in enumerate(pool.map(lambda start: work(start, min(start + rows, height)), starts), start=1):
            tell(done, len(starts))
    return bright, denoising.extent if denoising else 0.0


def _brightened(pixels: Pixels, scale: Rgb, detail: Coefficients, offset: Rgb, strength: float) -> Pixels:
    """Brighten sRGB pixels; the same result in fewer passes over memory, for most photos."""
    full = np.float32(full_scale(pixels))
    bright = pixels * (1 + np.float32(strength) * (scale - 1))
    offset *= full
    offset += detail * (pixels @ LUMA)[..., None]
    offset *= np.float32(strength)
    bright += offset
    np.rint(bright, out=bright)
    np.clip(bright, 0, full, out=bright)
    numbers: Pixels = bright.astype(pixels.dtype)
    return numbers
