"""Retinex-Net: supervised training on pairs, first of the decomposition, then of the illumination.

Wei et al., "Deep Retinex decomposition for low-light enhancement", BMVC 2018, arXiv:1808.04560.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.training.baselines.networks.retinex_net import RetinexNet
from enlighten_cli.training.baselines.rgb_objective import RgbObjective
from enlighten_cli.training.config import ObjectiveOptions, Rules, TrainConfig
from enlighten_cli.training.data.paired_photos import PairedCrops, PairedPhotos
from enlighten_cli.training.data.pairs import PAIRS
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.networks.generator import luma
from enlighten_cli.training.objectives.objective import Needs, Stage

Split = tuple[Tensor, Tensor]  # reflectance (N, 3, H, W) and illumination (N, 1, H, W)


@dataclass(frozen=True)
class RetinexNetOptions(ObjectiveOptions):
    """Options of Retinex-Net.

    Parameters
    ----------
    cross_weight : float
        Weight of the reconstruction of one photo by the reflectance of the other.
    reflectance_weight : float
        Weight of the difference between the reflectances of both.
    smoothness_weight : float
        Weight of the illumination's roughness.
    structure : float
        How much less the illumination is smoothed where the reflectance has edges: lambda_g of the paper.
    decomposition_fraction : float
        Part of the run, in [0, 1], in which the decomposition is trained; in the rest, the illumination.
    """

    objective: ClassVar[str] = "retinexnet"

    cross_weight: float = 0.001
    reflectance_weight: float = 0.01
    smoothness_weight: float = 0.1
    structure: float = 10.0
    decomposition_fraction: float = 0.5

    def rules(self, config: TrainConfig) -> Rules:
        """Return the rules of these options."""
        own = ("cross_weight", "reflectance_weight", "smoothness_weight", "structure")
        return {
            **{name: (getattr(self, name) >= 0, "0 or more") for name in own},
            "decomposition_fraction": (0 < self.decomposition_fraction < 1, "above 0 and below 1"),
            "exposure_stops": (config.exposure_stops == 0, "0: the photos of a pair belong together"),
            "darkened_probability": (config.darkened_probability == 0, "0: the photos of a pair belong together"),
        }


class _OfPairs(RgbObjective):
    """A stage of Retinex-Net."""

    Options = RetinexNetOptions
    Network = RetinexNet
    part: ClassVar[str]  # of the network, that learns

    def __init__(
        self,
        config: TrainConfig,
        descent: Descent,
        features: nn.Module | None = None,
        networks: nn.ModuleDict | None = None,
    ) -> None:
        super().__init__(config, descent, features, networks)
        self.options = cast("RetinexNetOptions", config.options)
        learning = self.network.get_submodule(self.part)
        self.optimisers = {self.part: torch.optim.Adam(learning.parameters(), lr=config.lr)}

    @property
    def network(self) -> RetinexNet:
        """The network of all stages."""
        return cast("RetinexNet", self.networks["network"])

    @classmethod
    def needs(cls, config: TrainConfig) -> Needs:
        """Return the two folders of pairs."""
        return Needs(folders=PAIRS)

    def samples(self, photos: PhotoFolders) -> PairedPhotos:
        """Return crops of pairs."""
        return PairedPhotos(self.config, *(photos[name] for name in PAIRS))

    def split(self, rgb: Tensor) -> Split:
        """Split a batch in mixed precision; the results are fp32."""
        with self.descent.mixed_precision():
            reflectance, illumination = self.network.decomposition(rgb)
        return reflectance.float(), illumination.float()


class Decomposition(_OfPairs):
    """The first stage: train the decomposition."""

    part = "decomposition"

    def step(self, batch: PairedCrops, images_seen: int) -> dict[str, Tensor]:
        """Split both photos of each pair, and minimize the losses of the decomposition."""
        low, high = (self.descent.place(crops) for crops in batch[1:])
        losses = decomposition_losses(self.options, low, high, self.split(low), self.split(high))
        self.descent.descend(self.optimisers[self.part], losses.values())
        return losses


class Retinex(_OfPairs):
    """Train the decomposition, and then the illumination."""

    part = "enhancement"

    def stages(self) -> Sequence[Stage]:
        """Return the decomposition and this objective."""
        until = max(1, round(self.options.decomposition_fraction * self.config.images))
        first = Decomposition(self.config, self.descent, networks=self.networks)
        return [Stage(first, until), Stage(self, self.config.images)]

    def step(self, batch: PairedCrops, images_seen: int) -> dict[str, Tensor]:
        """Brighten the illumination of the low photos, whose reflectance is kept."""
        low, high = (self.descent.place(crops) for crops in batch[1:])
        with torch.no_grad():
            reflectance, illumination = self.split(low)
        with self.descent.mixed_precision():
            brighter = self.network.enhancement(reflectance, illumination).float()
        options = self.options
        losses = {
            "enhanced": F.l1_loss(reflectance * brighter, high),
            "enhanced_smoothness": options.smoothness_weight * roughness(brighter, reflectance, options.structure),
        }
        self.descent.descend(self.optimisers[self.part], losses.values())
        return losses


def decomposition_losses(
    options: RetinexNetOptions, low: Tensor, high: Tensor, low_split: Split, high_split: Split
) -> dict[str, Tensor]:
    """Return the losses of the decomposition: equations 2, 3 and 4 of Wei et al.

    Parameters
    ----------
    options : RetinexNetOptions
    low, high : Tensor, shape (N, 3, H, W), range [0, 1]
    low_split, high_split : tuple of Tensor
        Reflectance and illumination of each.
    """
    (low_reflectance, low_light), (high_reflectance, high_light) = low_split, high_split
    crossed = F.l1_loss(high_reflectance * low_light, low) + F.l1_loss(low_reflectance * high_light, high)
    rough = [roughness(light, reflectance, options.structure) for reflectance, light in (low_split, high_split)]
    return {
        "low": F.l1_loss(low_reflectance * low_light, low),
        "high": F.l1_loss(high_reflectance * high_light, high),
        "crossed": options.cross_weight * crossed,
        "reflectance": options.reflectance_weight * F.l1_loss(low_reflectance, high_reflectance),
        "smoothness": options.smoothness_weight * (rough[0] + rough[1]),
    }


def roughness(light: Tensor, reflectance: Tensor, structure: float) -> Tensor:
    """Return the gradient of the illumination, less where the reflectance has edges (equation 4)."""
    grey = luma(reflectance)
    terms = [(light.diff(dim=axis).abs() * torch.exp(-structure * grey.diff(dim=axis).abs())).mean() for axis in (2, 3)]
    return terms[0] + terms[1]
