"""Remove, before a photo is brightened, the noise that brightening would make visible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.enhancement.noise import NoiseCurve
from enlighten_cli.enhancement.thumbnail import Box, Upsampling, cut, reduced, upsampled
from enlighten_cli.enhancement.windows import box_mean
from enlighten_cli.photo import LUMA, Rgb
from enlighten_cli.photo.bands import Span

Plane: TypeAlias = NDArray[np.float32]

# By how much brightening amplifies the noise, in steps of 255: below the first it is not visible and is left; from the
# second on all of it is removed. Where the photo is not brightened, its noise is left.
UNSEEN, SEEN = 1.25, 2.5
# Less is not worth the time: a tenth of a noise that is hardly visible, or noise in a thousandth of the photo.
LEAST_PART, LEAST_EXTENT = 0.1, 1e-3
# The error of storing is not measured as noise. Most of it hides in texture, so it is left until it is amplified
# further. Noise as small as rounding to 8 bits may be nothing else.
CODING_UNSEEN, CODING_SEEN = 3.0, 5.0
ROUNDING = 0.3 / 255
MULTIPLE_PX = 4  # the denoiser takes rows and columns in multiples of this
HALO_PX = 32  # at least its receptive field of 30 px, and a multiple of the grid
BLOCK_COLUMNS = 384  # denoised at a time: what a core's memory of the network's layers grows with
NOISE, GAIN, PART = range(3)  # the planes of a photo's denoising
PLANE_PIXELS = 25_000  # size of the thumbnail over which noise and gain vary smoothly
# The network sees 30 px far, so coarser noise is removed from thumbnails: each has half the rows and columns of the one
# before, and is taken to have 0.4 of its noise. White noise is halved; with less, faint detail is kept.
HALF, NOISE_OF_HALF = 2.0, 0.4
FEWEST_PIXELS = 1_000  # of a thumbnail


class DenoisingNetwork(Protocol):
    """A network from RGB, its noise and its gain to RGB, as `models.denoiser.Denoiser` is."""

    def __call__(self, rgb: Rgb, noise: Plane, gain: Plane, /) -> Rgb: ...  # noqa: D102


@dataclass(frozen=True)
class Denoising:
    """How a photo of any size is denoised.

    Parameters
    ----------
    network : DenoisingNetwork
    planes : ndarray, shape (h, w, 3), float32
        For each pixel of a thumbnail: standard deviation of luma's noise, gain, and the part of the noise to
        remove, in [0, 1].
    coarse : ndarray, shape (rows, columns, 3), float32, or None
        For each pixel of a thumbnail, not necessarily that of `planes`: what the removal of coarse noise adds.
    """

    network: DenoisingNetwork
    planes: NDArray[np.float32]
    coarse: NDArray[np.float32] | None = None

    @classmethod
    def planned(
        cls,
        denoiser: Callable[[], DenoisingNetwork],
        thumbnail: Rgb,
        noise: NoiseCurve,
        gain: Plane,
        strength: float,
        coding_error: float = 0.0,
    ) -> Self | None:
        """Decide how much noise is removed where; None if none would be visible.

        Parameters
        ----------
        denoiser : callable
            Returns the network; not called if no noise would be visible.
        thumbnail : ndarray, shape (h, w, 3), float32, range [0, 1]
        noise : NoiseCurve
            Of the photo to be denoised.
        gain : ndarray, shape (rows, columns, 1), float32
            By which the light will be multiplied; interpolated to the thumbnail.
        strength : float
            Factor on the noise; above 0.
        coding_error : float
            Standard deviation of the error that storing the photo made; see `coding_error`.
        """
        smooth = reduced(thumbnail, PLANE_PIXELS)
        height, width = smooth.shape[:2]
        lifts = upsampled(gain, 0, height, height, width)[..., 0]
        measured = noise.at(smooth @ LUMA) * np.float32(strength)
        # The denoiser has learned the level of all that is wrong in a photo, noise and storing.
        deviation = np.maximum(measured, np.float32(strength * coding_error))
        of_sensor = np.sqrt(np.maximum(measured**2 - np.float32(min(coding_error, ROUNDING)) ** 2, 0))
        part = np.maximum(
            _smooth_step(of_sensor * (lifts - 1), UNSEEN, SEEN),
            _smooth_step(deviation * (lifts - 1), CODING_UNSEEN, CODING_SEEN),
        )
        part = box_mean(part[..., None])[..., 0]  # so that no outlines appear and single spots do not count
        part[part < LEAST_PART] = 0
        if part.mean() < LEAST_EXTENT:
            return None
        return cls(denoiser(), np.stack([deviation, lifts, part], axis=-1).astype(np.float32))

    @property
    def extent(self) -> float:
        """How much of the photo is denoised, in [0, 1]."""
        return float(self.planes[..., PART].mean())

    def cut(self, box: Box, size: tuple[int, int]) -> Self:
        """Return how a part of the photo, of this width and height, is denoised; see `thumbnail.cut`."""
        coarse = None if self.coarse is None else cut(self.coarse, box, size)
        return replace(self, planes=cut(self.planes, box, size), coarse=coarse)

    def rows(
        self, read: Callable[[slice, slice], Rgb], start: int, stop: int, height: int, width: int
    ) -> NDArray[np.float32] | None:
        """Return some rows of the photo, denoised; the result does not depend on how the rows are grouped.

        Parameters
        ----------
        read : callable
            Returns some rows and columns of the photo: (rows, columns, 3) float32, sRGB in [0, 1].
        start, stop : int
        height, width : int
            Of the photo.

        Returns
        -------
        ndarray, shape (rows, width, 3), float32, or None
            None if nothing is removed from these rows.
        """
        first, last = seen_span((start, stop), height)
        upsampling = Upsampling(self.planes, first, last, height, width)
        own = slice(start - first, stop - first)
        if not upsampling.any(PART):
            return None
        # A channel after the other in memory, as the network makes them.
        clean = np.empty((3, stop - start, width), np.float32).transpose(1, 2, 0)
        for left in range(0, width, BLOCK_COLUMNS):
            columns = slice(left, min(left + BLOCK_COLUMNS, width))
            near = slice(max(0, left - HALO_PX), min(columns.stop + HALO_PX, width))
            inner = slice(left - near.start, columns.stop - near.start)
            planes = upsampling.block(near)
            part = planes[own, PART, inner, None]
            if not part.any():
                clean[:, columns] = read(slice(start, stop), columns)
                continue
            # What the denoiser sees beyond the last row or column must not depend on where a block ends.
            margin = [(0, -length % MULTIPLE_PX) for length in (last - first, near.stop - near.start)]
            rgb = read(slice(first, last), near)
            before = rgb[own, inner]
            if self.coarse is not None:
                coarse = Upsampling(self.coarse, first, last, height, width, near)
                rgb = rgb + coarse.block(slice(None)).transpose(0, 2, 1)
            rgb = np.pad(rgb, [*margin, (0, 0)], mode="edge")
            noise, gain = (np.pad(planes[:, each], margin, mode="edge") for each in (NOISE, GAIN))
            denoised = self.network(rgb, noise, gain)[own, inner]
            clean[:, columns] = before + part * (denoised - before)
        return clean

    def whole(self, rgb: Rgb) -> Rgb:
        """Return a whole photo, or a thumbnail, denoised."""
        height, width = rgb.shape[:2]
        clean = self.rows(lambda rows, columns: rgb[rows, columns], 0, height, height, width)
        return rgb if clean is None else np.ascontiguousarray(clean)

    def everywhere(self, factor: float = 1.0) -> Self:
        """Return how all noise is removed from the same photo, with its rows and columns reduced by this factor."""
        planes = self.planes.copy()
        planes[..., NOISE] *= np.float32(NOISE_OF_HALF ** (np.log(factor) / np.log(HALF)))
        planes[..., PART] = 1
        return replace(self, planes=planes, coarse=None)

    def coarse_to_fine(self, rgb: Rgb, change: Rgb | None = None) -> Rgb:
        """Return a whole thumbnail, denoised from the coarsest noise to the finest, given its change if known."""
        height, width = rgb.shape[:2]
        part = upsampled(self.planes[..., PART:], 0, height, height, width)
        return rgb + part * (self.change(rgb) if change is None else change)

    def change(self, rgb: Rgb) -> Rgb:
        """Return what the removal of all noise, from the coarsest to the finest, adds to a thumbnail: (h, w, 3)."""
        height, width = rgb.shape[:2]
        half = reduced(rgb, height * width / HALF**2)
        planes = [self.everywhere().planes]
        if half.shape[0] * half.shape[1] >= FEWEST_PIXELS:
            planes.append(self.everywhere(HALF).change(half))
        # The network sees zeros beyond the borders, which would grow to a frame: a mirror image instead.
        margin = [(HALO_PX, HALO_PX), (HALO_PX, HALO_PX), (0, 0)]
        mirrored, *visible = (
            np.pad(each, margin, mode="reflect")
            for each in (rgb, *(upsampled(plane, 0, height, height, width) for plane in planes))
        )
        clean = type(self)(self.network, *visible).whole(mirrored)
        return clean[HALO_PX:-HALO_PX, HALO_PX:-HALO_PX] - rgb

    def coarse_change(self, rgb: Rgb, change: Rgb, photo_pixels: float) -> Rgb:
        """Return what the removal of coarse noise adds to a photo.

        Parameters
        ----------
        rgb, change : ndarray, shape (h, w, 3), float32
            A thumbnail of the photo, for which this denoising was planned, and its `change`.
        photo_pixels : float

        Returns
        -------
        ndarray, shape (rows, columns, 3), float32
            Over a thumbnail with about half the photo's rows and columns, or fewer.
        """
        half = reduced(rgb, photo_pixels / HALF**2)
        if half is rgb:
            return change
        factor = (rgb.shape[0] * rgb.shape[1] / (half.shape[0] * half.shape[1])) ** 0.5
        return self.everywhere(factor).change(half)


def _smooth_step(noise: Plane, invisible: float, visible: float) -> Plane:
    """Return which part of the noise is removed: none up to a deviation, in steps of 255, all from another on."""
    part = ((255 * noise - invisible) / (visible - invisible)).clip(0, 1)
    return np.asarray(part * part * (3 - 2 * part), np.float32)


def seen_span(span: Span, height: int) -> Span:
    """Return which rows of a photo are needed to denoise these."""
    start, stop = span
    return max(0, (start - HALO_PX) // MULTIPLE_PX * MULTIPLE_PX), min(height, stop + HALO_PX)
