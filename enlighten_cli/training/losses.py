"""The losses of the objectives, as pure functions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST_MEAN = 1e-3  # of a frame, to divide by
MEAN_FACTOR = (0.6, 1.6)  # by which a restored frame may be brightened before it is compared
CELLS_PX = (8, 28)  # sides of the cells whose means are compared as well


def least_squares(scores: Tensor, target: float) -> Tensor:
    """Return the mean squared error of scores against a target (Mao et al. 2017, LSGAN)."""
    return F.mse_loss(scores, torch.full_like(scores, target))


def local_discriminator_loss(normal_scores: Tensor, enhanced_scores: Tensor) -> Tensor:
    """Return the local discriminator's loss, with targets 1 for normal and 0 for enhanced patches.

    Equation 6 of Jiang et al. (2021), halved.
    """
    return (least_squares(normal_scores, 1) + least_squares(enhanced_scores, 0)) / 2


def local_generator_loss(enhanced_scores: Tensor) -> Tensor:
    """Return the generator's loss against the local discriminator (equation 7)."""
    return least_squares(enhanced_scores, 1)


def relativistic_least_squares(higher: Tensor, lower: Tensor) -> Tensor:
    """Return the relativistic average least-squares loss, which is small if `higher` scores above `lower`.

    ``[mean (higher - mean(lower) - 1)^2 + mean (lower - mean(higher))^2] / 2``, with means over
    batch and space: equations 3 and 4 of Jiang et al. (2021), halved. The discriminator's loss
    has the normal scores as `higher`, the generator's the enhanced ones.
    """
    return (least_squares(higher - lower.mean(), 1) + least_squares(lower - higher.mean(), 0)) / 2


def changed_detail(result: Tensor, before: Tensor, *, radius_px: int = 8) -> Tensor:
    """Return the change of fine detail: the L1 norm of the difference minus its local means.

    Keeping what a network knew while it learns a new task follows Li and Hoiem, "Learning without
    forgetting", IEEE TPAMI 2018, doi:10.1109/TPAMI.2017.2773081.

    Parameters
    ----------
    result, before : Tensor, shape (N, 3, H, W), range [0, 1]
    radius_px : int
        Radius of the window of the local mean: 8 is 17 x 17 pixels.
    """
    change = result - before
    side = 2 * radius_px + 1
    return (change - F.avg_pool2d(change, side, 1, radius_px, count_include_pad=False)).abs().mean()


def light_difference(result: Tensor, wanted: Tensor, *, cell_px: int = 8) -> Tensor:
    """Return how far apart the light of two batches is: the L1 norms of the means of cells, and of whole frames.

    Parameters
    ----------
    result, wanted : Tensor, shape (N, 3, H, W), range [0, 1]
    cell_px : int
        Side of a cell; a rest at the border is left out.
    """
    cells = F.avg_pool2d(result - wanted, cell_px)
    return cells.abs().mean() + cells.mean(dim=(2, 3)).abs().mean()


def aligned_difference(result: Tensor, wanted: Tensor, *, tolerance: float = 0.12) -> Tensor:
    """Return the L1 norm after each frame and channel got the wanted mean, and what the means differ too much.

    Parameters
    ----------
    result, wanted : Tensor, shape (N, 3, H, W), range [0, 1]
    tolerance : float
        Difference of the means that costs nothing.
    """
    mean, wanted_mean = (frames.mean(dim=(2, 3), keepdim=True) for frames in (result, wanted))
    aligned = result * (wanted_mean / mean.clamp(min=LEAST_MEAN))
    beyond = F.relu((mean - wanted_mean).abs() - tolerance)
    return F.l1_loss(aligned, wanted) + beyond.mean()


def restoration_difference(result: Tensor, wanted: Tensor) -> Tensor:
    """Return how far a restored photo is from the true one, at several scales; half of it regardless of brightness.

    How bright the photographer wanted a photo cannot be seen in it. So half of the L1 norm is taken after each frame
    got the wanted mean luma, by a factor that is kept within `MEAN_FACTOR`.

    Parameters
    ----------
    result, wanted : Tensor, shape (N, 3, H, W), range [0, 1]
    """
    mean, wanted_mean = (frames.mean(dim=(1, 2, 3), keepdim=True) for frames in (result, wanted))
    aligned = result * (wanted_mean / mean.clamp(min=LEAST_MEAN)).clamp(*MEAN_FACTOR)
    difference, total = aligned - wanted, F.l1_loss(result, wanted) + F.l1_loss(aligned, wanted)
    for cell_px in CELLS_PX:
        total = total + F.avg_pool2d(difference, cell_px).abs().mean()
    return total / 2


def exposure_inconsistency(one: Tensor, other: Tensor) -> Tensor:
    """Return the L1 norm between results for two exposures of the same frames, each divided by its mean.

    After Fu et al., "Learning a simple low-light image enhancer from paired low-light instances", CVPR 2023,
    doi:10.1109/CVPR52729.2023.02134, where the reflectance of both must be the same.
    """
    one, other = (each / each.mean(dim=(1, 2, 3), keepdim=True).clamp(min=LEAST_MEAN) for each in (one, other))
    return F.l1_loss(one, other)


def hinge(scores: Tensor, sign: float) -> Tensor:
    """Return a discriminator's hinge loss: scores times `sign` should exceed 1 (Lim and Ye 2017, arXiv:1705.02894)."""
    return F.relu(1 - sign * scores).mean()
