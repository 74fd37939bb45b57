"""Zero-DCE: a network learns curves from dark photos alone, by four losses that need no reference.

Guo et al., "Zero-reference deep curve estimation for low-light image enhancement", CVPR 2020,
doi:10.1109/CVPR42600.2020.00185, arXiv:2001.06826.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.training.baselines.networks.dce_net import DceNet, brightened
from enlighten_cli.training.baselines.rgb_objective import RgbObjective
from enlighten_cli.training.config import ObjectiveOptions, Rules, TrainConfig
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.data.single_photos import SingleCrops, SinglePhotos
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.networks.generator import initialise, seed_of
from enlighten_cli.training.objectives.objective import Needs

REGION_PX, EXPOSURE_REGION_PX = 4, 16


@dataclass(frozen=True)
class ZeroDceOptions(ObjectiveOptions):
    """Options of Zero-DCE.

    The weights, and the forms of two losses, are those with which its authors trained: the exposure error is squared,
    and the smoothness is summed over the curves. The paper has the absolute error, the mean, and weights of 1, 1, 0.5
    and 20.

    Parameters
    ----------
    spatial_weight, exposure_weight, colour_weight, smoothness_weight : float
        Weights of the four losses.
    exposure : float
        The wanted light of a region.
    """

    objective: ClassVar[str] = "zero-dce"

    spatial_weight: float = 1.0
    exposure_weight: float = 10.0
    colour_weight: float = 5.0
    smoothness_weight: float = 200.0
    exposure: float = 0.6

    def rules(self, config: TrainConfig) -> Rules:
        """Return the rules of these options."""
        weights = ("spatial_weight", "exposure_weight", "colour_weight", "smoothness_weight")
        return {
            **{name: (getattr(self, name) >= 0, "0 or more") for name in weights},
            "exposure": (0 < self.exposure < 1, "above 0 and below 1"),
            "darkened_probability": (config.darkened_probability == 0, "0: no photo takes another's place"),
        }


class ZeroDce(RgbObjective):
    """Train DCE-Net."""

    Options = ZeroDceOptions
    Network = DceNet

    def __init__(self, config: TrainConfig, descent: Descent, features: nn.Module | None = None) -> None:
        super().__init__(config, descent, features)
        self.options = cast("ZeroDceOptions", config.options)
        initialise(self.networks, seed_of(config.seed, "network"))
        self.optimisers = {"network": torch.optim.Adam(self.networks["network"].parameters(), lr=config.lr)}

    @classmethod
    def needs(cls, config: TrainConfig) -> Needs:
        """Return the folder of low photos; well-lit ones may be added, as more exposures."""
        return Needs(folders=("low",), optional=("normal",))

    def samples(self, photos: PhotoFolders) -> SinglePhotos:
        """Return crops of all photos."""
        return SinglePhotos(self.config, list(photos.values()))

    def step(self, batch: SingleCrops, images_seen: int) -> dict[str, Tensor]:
        """Minimize the four losses."""
        rgb, options = self.descent.place(batch.rgb), self.options
        with self.descent.mixed_precision():
            curves = cast("DceNet", self.networks["network"]).curves(rgb).float()
        enhanced = brightened(rgb, curves)
        losses = {
            "spatial": options.spatial_weight * spatial_inconsistency(rgb, enhanced),
            "exposure": options.exposure_weight * exposure_error(enhanced, options.exposure),
            "colour": options.colour_weight * colour_cast(enhanced),
            "smoothness": options.smoothness_weight * roughness(curves),
        }
        self.descent.descend(self.optimisers["network"], losses.values())
        return losses


def spatial_inconsistency(rgb: Tensor, enhanced: Tensor) -> Tensor:
    """Return how much the contrast between neighbouring regions of 4 x 4 pixels changes (equation 4).

    Parameters
    ----------
    rgb, enhanced : Tensor, shape (N, 3, H, W), range [0, 1]
    """
    before, after = (F.avg_pool2d(photo.mean(dim=1, keepdim=True), REGION_PX) for photo in (rgb, enhanced))
    sums = [
        (after.diff(dim=axis).abs() - before.diff(dim=axis).abs()).square().sum() for axis in (2, 3)
    ]  # each pair of neighbours once; the paper counts it from both sides
    return 2 * torch.stack(sums).sum() / before.numel()


def exposure_error(enhanced: Tensor, wanted: float) -> Tensor:
    """Return how far the light of regions of 16 x 16 pixels is from the wanted one (equation 5, squared)."""
    return (F.avg_pool2d(enhanced.mean(dim=1, keepdim=True), EXPOSURE_REGION_PX) - wanted).square().mean()


def colour_cast(enhanced: Tensor) -> Tensor:
    """Return how far the means of the channels are apart, by the hypothesis of a grey world (equation 6)."""
    red, green, blue = enhanced.mean(dim=(2, 3)).unbind(1)
    return ((red - green).square() + (red - blue).square() + (green - blue).square()).mean()


def roughness(curves: Tensor) -> Tensor:
    """Return how much the curves of neighbouring pixels differ: (N, K, 3, H, W) (equation 7, summed over K)."""
    down, right = curves.diff(dim=3).abs()[..., :-1], curves.diff(dim=4).abs()[..., :-1, :]
    return (down + right).square().sum(dim=(1, 2)).mean()
