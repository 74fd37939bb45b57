"""EnlightenGAN: adversarial training against two discriminators, with a self-feature-preserving loss.

Jiang et al., "EnlightenGAN: Deep Light Enhancement without Paired Supervision", IEEE TIP 2021,
doi:10.1109/TIP.2021.3051462.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.training import losses
from enlighten_cli.training.checkpoint import Weights
from enlighten_cli.training.config import SQUARE, Rules, TrainConfig
from enlighten_cli.training.data.dataset import UnpairedCrops, UnpairedPhotos
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.networks.discriminators import GLOBAL_LAYERS, LOCAL_LAYERS, PatchDiscriminator
from enlighten_cli.training.networks.generator import initialise, seed_of
from enlighten_cli.training.networks.vgg import self_feature_preserving
from enlighten_cli.training.objectives.brightening import Brightening, adam
from enlighten_cli.training.objectives.distillation import (
    LOW_PER_NORMAL,
    Distillation,
    DistillationOptions,
    anchor_rules,
    taught,
)
from enlighten_cli.training.objectives.objective import Needs, Stage

AUGMENTATION = 1  # number of the random stream; separate from the dataset's
WARM_START_IMAGES = 2000  # for a random start, which otherwise does not brighten for a thousand steps
DISCRIMINATORS_FIRST_IMAGES = 2000  # for weights without discriminators


@dataclass(frozen=True)
class EnlightenGanOptions(DistillationOptions):
    """Options of EnlightenGAN; the defaults are the paper's.

    Parameters
    ----------
    teacher_weight, light_weight, well_lit_weight, well_lit_lift, kept_detail_weight : float
        See `DistillationOptions`; the teacher stabilizes the adversarial training.
    global_weight, local_weight : float
        Weights of the generator's adversarial losses, global and local.
    sfp_weight : float
        Weight of the self-feature-preserving losses of crops and of patches.
    sfp_px : int
        Side to which crops are reduced for the self-feature-preserving loss; 0 for no reduction.
    patches, patch_px : int
        Number of patches per crop for the local discriminator, and their side.
    dim_probability, dim_min, dim_max : float
        Light augmentation: with this probability, the generator's input is the low crop divided by a
        factor drawn from [dim_min, dim_max].
    discriminator_width : int
        Channels of the first layer of both discriminators.
    discriminator_lr : float
        Adam's learning rate, of the discriminators.
    discriminators_first_images : int
        Number of images for which only the discriminators learn; for a start from weights without
        discriminators.
    warm_start_images : int
        Number of images of distillation at the beginning; for a random start.
    """

    objective: ClassVar[str] = "enlightengan"

    teacher_weight: float = 0.0
    well_lit_weight: float = 0.0
    global_weight: float = 1.0
    local_weight: float = 1.0
    sfp_weight: float = 1.0
    sfp_px: int = 0
    patches: int = 6
    patch_px: int = 32
    dim_probability: float = 0.5
    dim_min: float = 2.0
    dim_max: float = 4.0
    discriminator_width: int = 64
    discriminator_lr: float = 1e-4
    discriminators_first_images: int = 0
    warm_start_images: int = 0

    def rules(self, config: TrainConfig) -> Rules:
        """Return the rules of these options."""
        lifts = self.teacher_weight > 0 or (self.well_lit_weight > 0 and self.well_lit_lift > 0)
        return {
            **anchor_rules(self, config),
            "global_weight": (
                self.global_weight > 0 or (self.global_weight == 0 and self.local_weight > 0),
                "0 or more, and above 0 without local_weight",
            ),
            "local_weight": (self.local_weight >= 0, "0 or more"),
            "sfp_weight": (self.sfp_weight >= 0, "0 or more"),
            "sfp_px": (self.sfp_px == 0 or 16 <= self.sfp_px <= config.crop_px, "0, or from 16 to the crop"),
            "patches": (self.patches >= 1, "at least 1"),
            "patch_px": (16 <= self.patch_px <= config.crop_px, "from 16 to the crop"),
            "dim_probability": (0 <= self.dim_probability <= 1, "from 0 to 1"),
            "dim_min": (1 <= self.dim_min <= self.dim_max, "from 1 to dim_max"),
            "discriminator_width": (self.discriminator_width >= 1, "at least 1"),
            "discriminator_lr": (0 < self.discriminator_lr < 1, "above 0 and below 1"),
            "discriminators_first_images": (self.discriminators_first_images >= 0, "0 or more"),
            "warm_start_images": (self.warm_start_images >= 0, "0 or more"),
            "frame": (not lifts or config.frame == SQUARE, "square, because the teacher needs whole frames"),
        }

    @property
    def generator_learns_from(self) -> int:
        """Number of the first image with which the generator learns from the discriminators."""
        return self.warm_start_images + self.discriminators_first_images


class EnlightenGan(Brightening):
    """Train the generator against a global and a local discriminator, with VGG-16 features."""

    Options = EnlightenGanOptions

    def __init__(self, config: TrainConfig, descent: Descent, features: nn.Module | None = None) -> None:
        super().__init__(config, descent, features)
        self.options = cast("EnlightenGanOptions", config.options)
        discriminators = nn.ModuleDict(
            {
                "global": PatchDiscriminator(GLOBAL_LAYERS, self.options.discriminator_width),
                "local": PatchDiscriminator(LOCAL_LAYERS, self.options.discriminator_width),
            }
        )
        initialise(discriminators, seed_of(config.seed, "discriminators"))
        self.networks["discriminators"] = descent.place(discriminators)
        self.optimisers["discriminators"] = adam(discriminators, self.options.discriminator_lr)
        if self.options.kept_detail_weight:
            self.remember_beginning()

    @property
    def discriminators(self) -> nn.ModuleDict:
        """The global and the local discriminator."""
        return cast("nn.ModuleDict", self.networks["discriminators"])

    @classmethod
    def needs(cls, config: TrainConfig) -> Needs:
        """Return both folders, and VGG-16 if the self-feature-preserving loss is used."""
        options = cast("EnlightenGanOptions", config.options)
        return Needs(vgg=options.sfp_weight > 0 and config.images > options.generator_learns_from)

    @classmethod
    def suggested(cls, weights: Weights | None) -> dict[str, Any]:
        """Return a warm start for random weights, or the options that suit the given weights."""
        if weights is None:
            return {"warm_start_images": WARM_START_IMAGES}
        if weights.discriminators:
            return super().suggested(weights) | {"discriminator_width": weights.discriminator_width}
        return super().suggested(weights) | {"discriminators_first_images": DISCRIMINATORS_FIRST_IMAGES}

    def stages(self) -> Sequence[Stage]:
        """Return distillation as a warm start, if configured, and then this objective."""
        stages = [Stage(self, self.config.images)]
        if self.options.warm_start_images:
            options = DistillationOptions(
                well_lit_lift=self.options.well_lit_lift, kept_detail_weight=self.options.kept_detail_weight
            )
            config = replace(self.config, options=options, frame=SQUARE, training_pixels=0)
            distillation = Distillation(config, self.descent, networks=self.networks)
            stages.insert(0, Stage(distillation, min(self.options.warm_start_images, self.config.images)))
        return stages

    def samples(self, photos: PhotoFolders) -> UnpairedPhotos:
        """Return low and normal crops, and unreduced ones if `kept_detail_weight` is set."""
        return UnpairedPhotos(self.config, photos, fine=self.options.kept_detail_weight > 0)

    def step(self, batch: UnpairedCrops, images_seen: int) -> dict[str, Tensor]:
        """Take a step of the generator, then one of both discriminators on the same enhanced crops."""
        low, normal, fine = (self.descent.place(crops) for crops in batch[1:])
        dimming, corners = self._drawn(batch.numbers)
        learns = images_seen >= self.options.generator_learns_from
        well_lit = normal[: max(1, len(low) // LOW_PER_NORMAL) if self.options.well_lit_weight else 0]

        # In one batch, so that the statistics of the batch norms cover all kinds of crops, as in use.
        fed = low / dimming.to(low.device).view(-1, 1, 1, 1)
        made = self.enhanced(torch.cat([fed, well_lit, fine]), learns=learns)
        enhanced, enhanced_well_lit, enhanced_fine = torch.split(made, [len(low), len(well_lit), len(fine)])
        low_patches, normal_patches, enhanced_patches = (
            cut_patches(crops, corners, self.options.patch_px) for crops in (low, normal, enhanced)
        )

        generator_losses: dict[str, Tensor] = {}
        if learns:
            generator_losses |= self._preserving(low, enhanced, low_patches, enhanced_patches)
            generator_losses |= self._deceiving(normal, enhanced, enhanced_patches)
            generator_losses |= taught(self.options, low, enhanced, well_lit, enhanced_well_lit)
            if len(fine):
                kept = self.kept_detail(fine, enhanced_fine)
                generator_losses["kept_detail"] = self.options.kept_detail_weight * kept
            self.descent.descend(self.optimisers["generator"], generator_losses.values())

        judging = self._judging(normal, enhanced.detach(), normal_patches, enhanced_patches.detach())
        self.descent.descend(self.optimisers["discriminators"], judging.values())
        return generator_losses | judging

    def _drawn(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Draw the dimming factor of each image, (N,), and the corners of its patches, (N, patches, 2)."""
        options, dimming, corners = self.options, [], []
        for number in numbers.tolist():
            random = np.random.default_rng([self.config.seed, number, AUGMENTATION])
            dims = random.random() < options.dim_probability
            dimming.append(random.uniform(options.dim_min, options.dim_max) if dims else 1.0)
            corners.append(random.integers(self.config.crop_px - options.patch_px + 1, size=(options.patches, 2)))
        return torch.tensor(dimming, dtype=torch.float32), torch.from_numpy(np.stack(corners))

    def _preserving(
        self, low: Tensor, enhanced: Tensor, low_patches: Tensor, enhanced_patches: Tensor
    ) -> dict[str, Tensor]:
        """Return the self-feature-preserving losses of the generator."""
        weight = self.options.sfp_weight
        if not weight:
            return {}
        assert self.features is not None
        if self.options.sfp_px:
            size = (self.options.sfp_px, self.options.sfp_px)
            low, enhanced = (F.interpolate(crops, size, mode="area") for crops in (low, enhanced))
        with self.descent.mixed_precision():
            return {
                "sfp_global": weight * self_feature_preserving(self.features, low, enhanced),
                "sfp_local": weight * self_feature_preserving(self.features, low_patches, enhanced_patches),
            }

    def _deceiving(self, normal: Tensor, enhanced: Tensor, enhanced_patches: Tensor) -> dict[str, Tensor]:
        """Return the adversarial losses of the generator; the discriminators' parameters get no gradients."""
        discriminators = self.discriminators.requires_grad_(False)
        with self.descent.mixed_precision():
            with torch.no_grad():
                normal_scores = discriminators["global"](normal).float()
            enhanced_scores = discriminators["global"](enhanced).float()
            local_scores = discriminators["local"](enhanced_patches).float()
        terms = {
            "global": (self.options.global_weight, losses.relativistic_least_squares(enhanced_scores, normal_scores)),
            "local": (self.options.local_weight, losses.local_generator_loss(local_scores)),
        }
        discriminators.requires_grad_(True)
        return {name: weight * loss for name, (weight, loss) in terms.items() if weight}

    def _judging(
        self, normal: Tensor, enhanced: Tensor, normal_patches: Tensor, enhanced_patches: Tensor
    ) -> dict[str, Tensor]:
        """Return the losses of the discriminators."""
        judge, local_judge = self.discriminators["global"], self.discriminators["local"]
        with self.descent.mixed_precision():
            scores, enhanced_scores = judge(normal).float(), judge(enhanced).float()
            local_scores, local_enhanced = local_judge(normal_patches).float(), local_judge(enhanced_patches).float()
        return {
            "global_discriminator": losses.relativistic_least_squares(scores, enhanced_scores),
            "local_discriminator": losses.local_discriminator_loss(local_scores, local_enhanced),
        }


def cut_patches(batch: Tensor, corners: Tensor, patch_px: int) -> Tensor:
    """Cut patches from (N, 3, H, W) at corners (N, P, 2), in (row, column) order, to (N * P, 3, px, px)."""
    return torch.stack(
        [
            photo[:, top : top + patch_px, left : left + patch_px]
            for photo, places in zip(batch, corners.tolist(), strict=True)
            for top, left in places
        ]
    ).contiguous(memory_format=torch.channels_last)
