"""LLNet: an autoencoder learns to brighten and denoise patches of well-lit photos that were darkened.

Lore, Akintayo and Sarkar, "LLNet: A deep autoencoder approach to natural low-light image enhancement", Pattern
Recognition 2017, doi:10.1016/j.patcog.2016.06.008, arXiv:1511.03995.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.photo import Rgb
from enlighten_cli.training.baselines.networks.llnet import PATCH_PX, LlNet
from enlighten_cli.training.baselines.rgb_objective import RgbObjective
from enlighten_cli.training.config import ObjectiveOptions, Rules, TrainConfig
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.data.single_photos import SingleCrops, SinglePhotos
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.objectives.objective import Needs, Stage

DARKENING = 3  # number of the random stream; separate from the dataset's
GAMMA = (2.0, 5.0)
MOST_NOISE = 25 / 255  # standard deviation


@dataclass(frozen=True)
class LlNetOptions(ObjectiveOptions):
    """Options of LLNet.

    Parameters
    ----------
    patches : int
        Number of patches from each crop; each is darkened by its own gamma and has its own noise.
    pretraining_fraction : float
        Part of the run, in [0, 1), in which the three layers are trained one after the other, each as a denoising
        autoencoder of what the layers before it make.
    sparsity : float
        Wanted mean activation of the units in pretraining.
    sparsity_weight : float
        Weight of the divergence from it.
    decay : float
        Weight of half the squared kernels.
    """

    objective: ClassVar[str] = "llnet"

    patches: int = 32
    pretraining_fraction: float = 0.3
    sparsity: float = 0.05
    sparsity_weight: float = 0.001
    decay: float = 1e-6

    def rules(self, config: TrainConfig) -> Rules:
        """Return the rules of these options."""
        return {
            "patches": (self.patches >= 1, "at least 1"),
            "pretraining_fraction": (0 <= self.pretraining_fraction < 1, "0 or more, and below 1"),
            "sparsity": (0 < self.sparsity < 1, "above 0 and below 1"),
            "sparsity_weight": (self.sparsity_weight >= 0, "0 or more"),
            "decay": (self.decay >= 0, "0 or more"),
            "exposure_stops": (config.exposure_stops == 0, "0: patches are darkened anyway"),
            "darkened_probability": (config.darkened_probability == 0, "0: patches are darkened anyway"),
        }


class _OfPatches(RgbObjective):
    """A stage of LLNet."""

    Options = LlNetOptions
    Network = LlNet

    def __init__(
        self,
        config: TrainConfig,
        descent: Descent,
        features: nn.Module | None = None,
        networks: nn.ModuleDict | None = None,
    ) -> None:
        super().__init__(config, descent, features, networks)
        self.options = cast("LlNetOptions", config.options)

    @property
    def network(self) -> LlNet:
        """The network of all stages."""
        return cast("LlNet", self.networks["network"])

    @classmethod
    def needs(cls, config: TrainConfig) -> Needs:
        """Return the folder of well-lit photos."""
        return Needs(folders=("normal",))

    def samples(self, photos: PhotoFolders) -> SinglePhotos:
        """Return crops of well-lit photos."""
        return SinglePhotos(self.config, [photos["normal"]])

    def patches(self, batch: SingleCrops) -> tuple[Tensor, Tensor]:
        """Cut patches, and darken them: the clean and the dark ones, (N * patches, 1, 17, 17)."""
        values = batch.rgb.amax(dim=1).cpu().numpy()
        clean, dark = [], []
        for number, value in zip(batch.numbers.tolist(), values, strict=True):
            random = np.random.default_rng([self.config.seed, number, DARKENING])
            for top, left in random.integers(self.config.crop_px - PATCH_PX + 1, size=(self.options.patches, 2)):
                clean.append(value[top : top + PATCH_PX, left : left + PATCH_PX])
                dark.append(darkened(clean[-1], random))
        both = (torch.from_numpy(np.stack(patches))[:, None] for patches in (clean, dark))
        clean_patches, dark_patches = (self.descent.place(patches) for patches in both)
        return clean_patches, dark_patches

    def decayed(self, layers: Sequence[nn.Module]) -> Tensor:
        """Return the loss that keeps kernels small."""
        squares = [cast("Tensor", layer.weight).square().sum() for layer in layers]
        return self.options.decay / 2 * torch.stack(squares).sum()


class Layer(_OfPatches):
    """A stage of pretraining: one layer learns to restore what the layers before it make of a clean patch.

    Parameters
    ----------
    layer : int
    config, descent, networks
        See `RgbObjective`.
    """

    def __init__(self, layer: int, config: TrainConfig, descent: Descent, networks: nn.ModuleDict) -> None:
        super().__init__(config, descent, networks=networks)
        self.layer = layer
        self.pair = nn.ModuleList([self.network.encoders[layer], self.network.decoders[layer]])
        self.optimisers = {f"layer{layer}": torch.optim.Adam(self.pair.parameters(), lr=config.lr)}

    def step(self, batch: SingleCrops, images_seen: int) -> dict[str, Tensor]:
        """Minimize the squared error, and the divergence of the mean activations from the wanted one."""
        clean, dark = self.patches(batch)
        encoder, decoder = self.pair
        with self.descent.mixed_precision():
            with torch.no_grad():
                inputs, wanted = (self.network.encoded(patches, self.layer) for patches in (dark, clean))
                wanted = wanted.flatten(1).float()
            units = torch.sigmoid(encoder(inputs))
            restored = torch.sigmoid(decoder(units)).flatten(1).float()
        losses = {
            f"layer{self.layer + 1}": F.mse_loss(restored, wanted),
            "sparsity": self.options.sparsity_weight * divergence(units.float(), self.options.sparsity),
            "decay": self.decayed(list(self.pair)),
        }
        (optimiser,) = self.optimisers.values()
        self.descent.descend(optimiser, losses.values())
        return losses


class LlNetObjective(_OfPatches):
    """Train LLNet: each layer alone, and then all together."""

    def __init__(self, config: TrainConfig, descent: Descent, features: nn.Module | None = None) -> None:
        super().__init__(config, descent, features)
        self.optimisers = {"network": torch.optim.Adam(self.network.parameters(), lr=config.lr)}

    def stages(self) -> Sequence[Stage]:
        """Return the pretraining of each layer, and this objective."""
        layers, images = len(self.network.encoders), self.options.pretraining_fraction * self.config.images
        stages = [
            Stage(Layer(layer, self.config, self.descent, self.networks), round(images * (layer + 1) / layers))
            for layer in range(layers if images else 0)
        ]
        return [*stages, Stage(self, self.config.images)]

    def step(self, batch: SingleCrops, images_seen: int) -> dict[str, Tensor]:
        """Minimize the squared error of the restored patches."""
        clean, dark = self.patches(batch)
        with self.descent.mixed_precision():
            restored = self.network.patches(dark).flatten(1).float()
        losses = {
            "patches": F.mse_loss(restored, clean.flatten(1)),
            "decay": self.decayed([*self.network.encoders, *self.network.decoders]),
        }
        self.descent.descend(self.optimisers["network"], losses.values())
        return losses


def darkened(clean: Rgb, random: np.random.Generator) -> Rgb:
    """Darken a patch in [0, 1] by a gamma from 2 to 5, and add Gaussian noise: equations 5 and 6 of the paper.

    The variance of the noise is uniform, from 0 to that of a deviation of 25/255. The result is clipped as a photo is.
    """
    gamma, deviation = random.uniform(*GAMMA), np.sqrt(random.random()) * MOST_NOISE
    noise = random.standard_normal(clean.shape, np.float32)
    return np.asarray((clean**gamma + deviation * noise).clip(0, 1), np.float32)


def divergence(units: Tensor, wanted: float) -> Tensor:
    """Return the sum over units of the Kullback-Leibler divergence of their mean activation from the wanted one.

    Parameters
    ----------
    units : Tensor, shape (N, C, 1, 1), range (0, 1)
    wanted : float
        In (0, 1).
    """
    mean = units.mean(dim=(0, 2, 3)).clamp(1e-6, 1 - 1e-6)
    return (wanted * (wanted / mean).log() + (1 - wanted) * ((1 - wanted) / (1 - mean)).log()).sum()
