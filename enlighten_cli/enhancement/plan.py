"""The plan of a photo: all that is found out before its pixels are changed, whatever the strength will be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from enlighten_cli.enhancement.analysis import analysed
from enlighten_cli.enhancement.denoise import PART, Denoising, DenoisingNetwork
from enlighten_cli.enhancement.exposure import Exposure, enhanced_thumbnail
from enlighten_cli.enhancement.guided_filter import AffineCoefficients, fit_guided_filter
from enlighten_cli.enhancement.thumbnail import THUMBNAIL_PIXELS
from enlighten_cli.enhancement.windows import Planes
from enlighten_cli.models.denoiser import package_denoiser
from enlighten_cli.models.network import Network
from enlighten_cli.photo import Photo
from enlighten_cli.resources import give_back_memory

FEW_PIXELS = 25_000  # enough to estimate the gain, where the network does not estimate exposure on a thumbnail
LARGE_PIXELS = 8_000_000  # from here on, memory is given back early


@dataclass(frozen=True)
class Plan:
    """What is to be done to a photo. Its maps lie over a thumbnail, so that it fits any part of the photo.

    Parameters
    ----------
    coefficients : AffineCoefficients or None
        What the network did to the thumbnail; None where it will see every pixel.
    confidence : ndarray, shape (h, w, 1), float32, range [0, 1]
        Part of the light that is signal, and may be brightened; the coefficients contain it.
    exposure : Exposure
    denoising : Denoising or None
        None if no noise would be visible.
    """

    coefficients: AffineCoefficients | None
    confidence: Planes
    exposure: Exposure
    denoising: Denoising | None

    @property
    def denoised(self) -> float:
        """Part of the photo's area from which noise is removed, in [0, 1]."""
        return self.denoising.extent if self.denoising else 0.0

    @property
    def size_bytes(self) -> int:
        """Memory of the maps."""
        maps = [self.confidence, self.exposure.before, self.exposure.after]
        if self.coefficients:
            maps += [self.coefficients.scale, self.coefficients.detail, self.coefficients.offset]
        if self.denoising:
            maps += [each for each in (self.denoising.planes, self.denoising.coarse) if each is not None]
        return sum(each.nbytes for each in maps)


def planned(
    photo: Photo,
    network: Network,
    denoise: float,
    denoiser: Callable[[], DenoisingNetwork] = package_denoiser,
    check: Callable[[], None] = lambda: None,
    *,
    sees_all: bool = False,
) -> Plan:
    """Plan what is to be done to a photo.

    Parameters
    ----------
    photo : Photo
    network : Network
    denoise : float
        Factor on the measured noise; 0 removes nothing.
    denoiser : callable
        Returns the denoiser; called only if noise would be visible.
    check : callable
        Called between the steps; it may raise an exception to stop the work.
    sees_all : bool
        Whether the network will see every pixel: then it need not see the thumbnail of detail.
    """
    exposure_pixels = network.training_pixels or (FEW_PIXELS if sees_all else THUMBNAIL_PIXELS)
    analysis = analysed(photo, network, exposure_pixels, denoise, denoiser)
    plan = Plan(None, analysis.confidence, analysis.exposure, analysis.denoising)
    _tidy_up(photo)
    check()
    if sees_all:
        return plan
    before = analysis.rgb
    after = enhanced_thumbnail(before, network, analysis.exposure)
    check()
    coefficients = fit_guided_filter(before, before + analysis.confidence * (after - before))
    _tidy_up(photo)
    return replace(plan, coefficients=coefficients)


def mean_plan(plans: Sequence[Plan], weights: Sequence[float]) -> Plan:
    """Return the weighted mean of plans of photos of one size, such as neighbouring frames of a video.

    Parameters
    ----------
    plans : sequence of Plan
        At least one; all with coefficients, or none.
    weights : sequence of float
        One a plan, 0 or more, not all of them 0.

    Returns
    -------
    Plan
        Without the removal of coarse noise, which is each photo's own.

    Raises
    ------
    ValueError
        If the plans are of photos of different sizes, or of different kinds.
    """
    parts = np.array(weights, np.float32)
    parts /= parts.sum()

    def mean(maps: Sequence[Planes]) -> Planes:
        return np.asarray(np.tensordot(parts, np.stack(maps), 1), np.float32)

    found = [plan.coefficients for plan in plans if plan.coefficients]
    if found and len(found) != len(plans):
        raise ValueError("some plans have coefficients, others have none")
    coefficients = (
        AffineCoefficients(
            mean([each.scale for each in found]),
            mean([each.detail for each in found]),
            mean([each.offset for each in found]),
        )
        if found
        else None
    )
    exposures = [plan.exposure for plan in plans]
    return Plan(
        coefficients,
        mean([plan.confidence for plan in plans]),
        Exposure(mean([each.before for each in exposures]), mean([each.after for each in exposures])),
        _mean_denoising([plan.denoising for plan in plans], parts),
    )


def _mean_denoising(denoisings: Sequence[Denoising | None], parts: Planes) -> Denoising | None:
    """Return the mean of denoisings; where there is none, no part of the noise is removed."""
    found = [(each, part) for each, part in zip(denoisings, parts, strict=True) if each and part]
    if not found:
        return None
    planes = np.average([each.planes for each, _ in found], axis=0, weights=[part for _, part in found])
    planes[..., PART] *= sum(part for _, part in found)
    return Denoising(found[0][0].network, planes.astype(np.float32))


def _tidy_up(photo: Photo) -> None:
    """Give back memory between two steps for a large photo."""
    if photo.height * photo.width >= LARGE_PIXELS:
        give_back_memory()
