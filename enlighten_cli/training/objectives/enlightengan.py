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
from enlighten_cli.training.data.augmentation import exposed
from enlighten_cli.training.data.dataset import UnpairedCrops, UnpairedPhotos
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.networks.generator import seed_of
from enlighten_cli.training.networks.light_statistics import LightStatistics
from enlighten_cli.training.networks.vgg import self_feature_preserving
from enlighten_cli.training.objectives.brightening import Brightening, adam
from enlighten_cli.training.objectives.discriminators import Discriminators
from enlighten_cli.training.objectives.distillation import (
    LOW_PER_NORMAL,
    Distillation,
    DistillationOptions,
    anchor_rules,
    taught,
)
from enlighten_cli.training.objectives.objective import Needs, Stage

AUGMENTATION, SECOND_EXPOSURE = 1, 2  # numbers of the random streams; separate from the dataset's
WARM_START_IMAGES = 2000  # for a random start, which otherwise does not brighten for a thousand steps
DISCRIMINATORS_FIRST_IMAGES = 2000  # for weights without discriminators
SECOND_STOPS = (-2.0, -0.5)  # of a second exposure of low frames


@dataclass(frozen=True)
class EnlightenGanOptions(DistillationOptions):
    """Options of EnlightenGAN; the defaults are the paper's.

    Parameters
    ----------
    attention, teacher_weight, aligned_weight, light_weight, well_lit_weight, well_lit_lift, kept_detail_weight
        See `DistillationOptions`; the teacher stabilizes the adversarial training.
    global_weight, local_weight : float
        Weights of the generator's adversarial losses, global and local.
    feature_weight : float
        Weight of the generator's loss against a discriminator of VGG-16 features; see `FeatureDiscriminator`.
    blur_images : int
        Number of images during which what that discriminator sees is blurred, less and less.
    penalty_weight : float
        Weight of `discriminators.gradient_penalty` of the discriminators of whole crops.
    matching_weight : float
        Weight of the distance between the light of enhanced and of normal crops; see `LightStatistics`.
    consistency_weight : float
        Weight of `losses.exposure_inconsistency` between two exposures of the same low crop.
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
    feature_weight: float = 0.0
    blur_images: int = 0
    penalty_weight: float = 0.0
    matching_weight: float = 0.0
    consistency_weight: float = 0.0
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
        lifts = self.follows or (self.well_lit_weight > 0 and self.well_lit_lift > 0)
        adversarial = self.global_weight > 0 or self.local_weight > 0 or self.feature_weight > 0
        others = self.follows or self.local_weight > 0 or self.feature_weight > 0 or self.matching_weight > 0
        return {
            **anchor_rules(self, config),
            "global_weight": (
                self.global_weight > 0 or (self.global_weight == 0 and others),
                "0 or more, and above 0 without another loss that brightens",
            ),
            **{
                name: (getattr(self, name) >= 0, "0 or more")
                for name in (
                    "local_weight",
                    "feature_weight",
                    "penalty_weight",
                    "matching_weight",
                    "consistency_weight",
                )
            },
            "penalty_weight without a judge of whole crops": (
                self.penalty_weight == 0 or self.global_weight > 0 or self.feature_weight > 0,
                "0",
            ),
            "blur_images": (
                self.blur_images == 0 or (self.blur_images > 0 and self.feature_weight > 0),
                "0 without feature_weight, and 0 or more with it",
            ),
            "sfp_weight": (self.sfp_weight >= 0, "0 or more"),
            "sfp_px": (self.sfp_px == 0 or 16 <= self.sfp_px <= config.crop_px, "0, or from 16 to the crop"),
            "patches": (self.patches >= 1, "at least 1"),
            "patch_px": (16 <= self.patch_px <= config.crop_px, "from 16 to the crop"),
            "dim_probability": (0 <= self.dim_probability <= 1, "from 0 to 1"),
            "dim_min": (1 <= self.dim_min <= self.dim_max, "from 1 to dim_max"),
            "discriminator_width": (self.discriminator_width >= 1, "at least 1"),
            "discriminator_lr": (0 < self.discriminator_lr < 1, "above 0 and below 1"),
            "discriminators_first_images": (
                self.discriminators_first_images == 0 or (self.discriminators_first_images > 0 and adversarial),
                "0 or more, and 0 without a discriminator",
            ),
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
        self.discriminators = Discriminators(config, descent, features)
        self.networks["discriminators"] = self.discriminators.networks
        self.optimisers["discriminators"] = adam(self.discriminators.networks, self.options.discriminator_lr)
        if self.options.matching_weight:
            self.networks["light"] = descent.place(LightStatistics())
        if self.options.kept_detail_weight:
            self.remember_beginning()

    @classmethod
    def needs(cls, config: TrainConfig) -> Needs:
        """Return both folders, and VGG-16 if the self-feature-preserving loss or a feature judge is used."""
        options = cast("EnlightenGanOptions", config.options)
        preserves = options.sfp_weight > 0 and config.images > options.generator_learns_from
        return Needs(vgg=preserves or options.feature_weight > 0)

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
        outputs = self.enhanced(torch.cat([fed, well_lit, fine]), learns=learns)
        enhanced, enhanced_well_lit, enhanced_fine = torch.split(outputs, [len(low), len(well_lit), len(fine)])
        low_patches, normal_patches, enhanced_patches = (
            cut_patches(crops, corners, self.options.patch_px) for crops in (low, normal, enhanced)
        )

        generator_losses: dict[str, Tensor] = {}
        if learns:
            generator_losses |= self._preserving(low, enhanced, low_patches, enhanced_patches)
            generator_losses |= self.discriminators.deceived(normal, enhanced, enhanced_patches, images_seen)
            generator_losses |= taught(self.options, low, enhanced, well_lit, enhanced_well_lit)
            generator_losses |= self._matching(normal, enhanced, images_seen)
            generator_losses |= self._consistent(low, enhanced, batch.numbers)
            if len(fine):
                kept = self.kept_detail(fine, enhanced_fine)
                generator_losses["kept_detail"] = self.options.kept_detail_weight * kept
            self.descent.descend(self.optimisers["generator"], generator_losses.values())

        discriminator_losses = self.discriminators.judged(
            normal, enhanced.detach(), normal_patches, enhanced_patches.detach(), images_seen
        )
        if discriminator_losses:
            self.descent.descend(self.optimisers["discriminators"], discriminator_losses.values())
        return generator_losses | discriminator_losses

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

    def _matching(self, normal: Tensor, enhanced: Tensor, images_seen: int) -> dict[str, Tensor]:
        """Return the distance of the enhanced crops' light from that of normal ones."""
        if not self.options.matching_weight:
            return {}
        light = cast("LightStatistics", self.networks["light"])
        light.push(normal)
        random = torch.Generator().manual_seed(seed_of(self.config.seed, f"slices {images_seen}"))
        return {"matching": self.options.matching_weight * light.distance(enhanced, random)}

    def _consistent(self, low: Tensor, enhanced: Tensor, numbers: Tensor) -> dict[str, Tensor]:
        """Return how much the results differ from those for a darker exposure of the same crops."""
        if not self.options.consistency_weight:
            return {}
        randoms = (np.random.default_rng([self.config.seed, number, SECOND_EXPOSURE]) for number in numbers.tolist())
        stops = torch.tensor([random.uniform(*SECOND_STOPS) for random in randoms], dtype=torch.float32)
        darker = exposed(low, stops.to(low.device).view(-1, 1).expand(-1, 3))
        difference = losses.exposure_inconsistency(self.enhanced(darker), enhanced)
        return {"consistency": self.options.consistency_weight * difference}


def cut_patches(batch: Tensor, corners: Tensor, patch_px: int) -> Tensor:
    """Cut patches from (N, 3, H, W) at corners (N, P, 2), in (row, column) order, to (N * P, 3, px, px)."""
    return torch.stack(
        [
            photo[:, top : top + patch_px, left : left + patch_px]
            for photo, patch_corners in zip(batch, corners.tolist(), strict=True)
            for top, left in patch_corners
        ]
    ).contiguous(memory_format=torch.channels_last)
