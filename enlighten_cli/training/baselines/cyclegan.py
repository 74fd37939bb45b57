"""CycleGAN: two generators, from low to normal light and back, against a discriminator each.

Zhu et al., "Unpaired image-to-image translation using cycle-consistent adversarial networks", ICCV 2017,
doi:10.1109/ICCV.2017.244, arXiv:1703.10593.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.training.baselines.image_pool import ImagePool
from enlighten_cli.training.config import RANDOM, Rules, TrainConfig
from enlighten_cli.training.data.dataset import UnpairedCrops, UnpairedPhotos
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.losses import least_squares
from enlighten_cli.training.networks.discriminators import PatchDiscriminator
from enlighten_cli.training.networks.generator import EnlightenNet, initialise, seed_of
from enlighten_cli.training.objectives.brightening import Brightening, BrighteningOptions, adam
from enlighten_cli.training.objectives.objective import Needs

STRIDED_LAYERS = 3  # of the discriminators: they see 70 x 70 pixels
POOLING = 4  # number of the random stream; separate from the dataset's


@dataclass(frozen=True)
class CycleGanOptions(BrighteningOptions):
    """Options of CycleGAN; the defaults are the paper's.

    Parameters
    ----------
    attention : bool
        See `BrighteningOptions`; of the generator that brightens. The one that darkens has none.
    cycle_weight : float
        Weight of the L1 loss between a photo and what is left of it after both generators.
    identity_weight : float
        Weight of the L1 loss of what a generator changes in photos of its target.
    ramp_images : int
        Number of images over which these two weights rise from 0. The generators begin close to doing nothing, where
        neither loss costs anything; with both at once, a short run does not leave that state.
    pool : int
        Number of earlier results from which the discriminators learn too; 0 for none.
    discriminator_width : int
        Channels of the first layer of both discriminators.
    discriminator_lr : float
        Adam's learning rate, of the discriminators.
    """

    objective: ClassVar[str] = "cyclegan"

    cycle_weight: float = 10.0
    identity_weight: float = 5.0
    ramp_images: int = 0
    pool: int = 50
    discriminator_width: int = 64
    discriminator_lr: float = 2e-4

    def rules(self, config: TrainConfig) -> Rules:
        """Return the rules of these options."""
        return {
            **{
                name: (getattr(self, name) >= 0, "0 or more")
                for name in ("cycle_weight", "identity_weight", "ramp_images", "pool")
            },
            "discriminator_width": (self.discriminator_width >= 1, "at least 1"),
            "discriminator_lr": (0 < self.discriminator_lr < 1, "above 0 and below 1"),
        }


class CycleGan(Brightening):
    """Train the generator, with another one that darkens."""

    Options = CycleGanOptions
    default_start = RANDOM

    def __init__(self, config: TrainConfig, descent: Descent, features: nn.Module | None = None) -> None:
        super().__init__(config, descent, features)
        self.options = cast("CycleGanOptions", config.options)
        darkener = EnlightenNet(config.width, attention=False)
        initialise(darkener, seed_of(config.seed, "darkener"))
        discriminators = nn.ModuleDict(
            {light: PatchDiscriminator(STRIDED_LAYERS, self.options.discriminator_width) for light in ("normal", "low")}
        )
        initialise(discriminators, seed_of(config.seed, "discriminators"))
        pools = nn.ModuleDict({light: ImagePool(self.options.pool, config.crop_px) for light in ("normal", "low")})
        for name, network in (("darkener", darkener), ("cycle_discriminators", discriminators), ("pools", pools)):
            self.networks[name] = descent.place(network)
        generators = nn.ModuleList([self.generator, self.networks["darkener"]])
        self.optimisers = {
            "generators": adam(cast("nn.Module", generators), config.lr),
            "cycle_discriminators": adam(self.networks["cycle_discriminators"], self.options.discriminator_lr),
        }

    @classmethod
    def needs(cls, config: TrainConfig) -> Needs:
        """Return both folders."""
        return Needs()

    def samples(self, photos: PhotoFolders) -> UnpairedPhotos:
        """Return low and normal crops."""
        return UnpairedPhotos(self.config, photos)

    def step(self, batch: UnpairedCrops, images_seen: int) -> dict[str, Tensor]:
        """Take a step of both generators, then one of both discriminators."""
        low, normal = (self.descent.place(crops) for crops in batch[1:3])
        options, discriminators = self.options, cast("nn.ModuleDict", self.networks["cycle_discriminators"])

        # Photos of all kinds in one batch, so that the statistics of the batch norms cover them, as in use.
        dark, kept_low = torch.split(self.darkened(torch.cat([normal, low])), [len(normal), len(low)])
        outputs = self.enhanced(torch.cat([low, normal, dark]))
        bright, kept_normal, cycled_normal = torch.split(outputs, [len(low), len(normal), len(dark)])
        cycled_low = self.darkened(bright)

        part = min(1.0, images_seen / options.ramp_images) if options.ramp_images else 1.0
        cycle_weight, identity_weight = part * options.cycle_weight, part * options.identity_weight
        discriminators.requires_grad_(False)
        losses = {
            "brightened": least_squares(self.scores("normal", bright), 1),
            "darkened": least_squares(self.scores("low", dark), 1),
            "cycle": cycle_weight * (F.l1_loss(cycled_low, low) + F.l1_loss(cycled_normal, normal)),
            "identity": identity_weight * (F.l1_loss(kept_low, low) + F.l1_loss(kept_normal, normal)),
        }
        discriminators.requires_grad_(True)
        self.descent.descend(self.optimisers["generators"], losses.values())

        discriminator_losses = {}
        random = np.random.default_rng([self.config.seed, int(batch.numbers[0]), POOLING])
        pools = cast("nn.ModuleDict", self.networks["pools"])
        for light, real, false in (("normal", normal, bright), ("low", low, dark)):
            judged = cast("ImagePool", pools[light]).exchanged(false.detach(), random)
            real_loss = least_squares(self.scores(light, real), 1)
            discriminator_losses[f"{light}_discriminator"] = (
                real_loss + least_squares(self.scores(light, judged), 0)
            ) / 2
        self.descent.descend(self.optimisers["cycle_discriminators"], discriminator_losses.values())
        return losses | discriminator_losses

    def darkened(self, rgb: Tensor) -> Tensor:
        """Darken a batch, (N, 3, H, W), in mixed precision; the result is fp32."""
        with self.descent.mixed_precision():
            return cast("Tensor", self.networks["darkener"](rgb).float())

    def scores(self, light: str, rgb: Tensor) -> Tensor:
        """Return the scores of a discriminator for a batch, in fp32."""
        with self.descent.mixed_precision():
            return cast("Tensor", cast("nn.ModuleDict", self.networks["cycle_discriminators"])[light](rgb).float())
