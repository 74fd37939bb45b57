"""Losses that objectives are made of: pure functions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def least_squares(scores: Tensor, target: float) -> Tensor:
    """Return the mean squared distance of scores from a target (Mao et al. 2017, LSGAN)."""
    return F.mse_loss(scores, torch.full_like(scores, target))


def local_discriminator_loss(normal_scores: Tensor, enhanced_scores: Tensor) -> Tensor:
    """Return the local discriminator's loss: normal patches to 1, enhanced ones to 0.

    Equation 6 of Jiang et al. (2021), halved.
    """
    return (least_squares(normal_scores, 1) + least_squares(enhanced_scores, 0)) / 2


def local_generator_loss(enhanced_scores: Tensor) -> Tensor:
    """Return what the local discriminator costs the generator (equation 7)."""
    return least_squares(enhanced_scores, 1)


def relativistic_least_squares(higher: Tensor, lower: Tensor) -> Tensor:
    """Return the relativistic average least-squares loss that asks `higher` to win.

    ``[mean (higher - mean(lower) - 1)^2 + mean (lower - mean(higher))^2] / 2``, the means over
    batch and space: equations 3 and 4 of Jiang et al. (2021), halved. The discriminator's loss
    has normal scores as `higher`; the generator's has the roles swapped.
    """
    return (least_squares(higher - lower.mean(), 1) + least_squares(lower - higher.mean(), 0)) / 2


def changed_detail(made: Tensor, before: Tensor, *, radius_px: int = 8) -> Tensor:
    """Return how far the fine detail of a photo is from what it was: the L1 distance but for local means.

    To hold on to what a network knew while it learns something else is Li and Hoiem's "Learning
    without forgetting", IEEE TPAMI 2018, doi:10.1109/TPAMI.2017.2773081.

    Parameters
    ----------
    made, before : Tensor, shape (N, 3, H, W), range [0, 1]
    radius_px : int
        Of the window of a mean: 8 is 17 x 17 pixels.
    """
    change = made - before
    side = 2 * radius_px + 1
    return (change - F.avg_pool2d(change, side, 1, radius_px, count_include_pad=False)).abs().mean()
