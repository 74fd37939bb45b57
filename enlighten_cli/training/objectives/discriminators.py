"""The discriminators of EnlightenGAN together: their losses, and those of the generator that is to deceive them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from enlighten_cli.training import losses
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.networks.discriminators import GLOBAL_LAYERS, LOCAL_LAYERS, PatchDiscriminator
from enlighten_cli.training.networks.feature_discriminator import TAPS, FeatureDiscriminator, blurred
from enlighten_cli.training.networks.generator import initialise, seed_of
from enlighten_cli.training.networks.vgg import VggFeatures

if TYPE_CHECKING:
    from enlighten_cli.training.objectives.enlightengan import EnlightenGanOptions

PENALTY_STEPS = 16  # the gradient penalty is computed every so many steps (Karras et al. 2020, arXiv:1912.04958)
BLUR_PX = 2.0  # standard deviation of the blur that fades out

Losses = dict[str, Tensor]


class Discriminators:
    """A global and a local discriminator, and one of features if it is wanted.

    Parameters
    ----------
    config : TrainConfig
        Of `EnlightenGan`.
    descent : Descent
    features : Module or None
        `VggFeatures` on the device.
    """

    def __init__(self, config: TrainConfig, descent: Descent, features: nn.Module | None) -> None:
        self.options = cast("EnlightenGanOptions", config.options)
        self.descent, self.features, self.batch = descent, features, config.batch
        networks = nn.ModuleDict(
            {
                "global": PatchDiscriminator(GLOBAL_LAYERS, self.options.discriminator_width),
                "local": PatchDiscriminator(LOCAL_LAYERS, self.options.discriminator_width),
            }
        )
        if self.options.feature_weight:
            networks["features"] = FeatureDiscriminator(config.seed)
        initialise(networks, seed_of(config.seed, "discriminators"))
        self.networks = descent.place(networks)

    def deceived(self, normal: Tensor, enhanced: Tensor, enhanced_patches: Tensor, images_seen: int) -> Losses:
        """Return the adversarial losses of the generator; the discriminators' parameters get no gradients."""
        self.networks.requires_grad_(False)
        found = {}
        with self.descent.mixed_precision():
            if self.options.global_weight:
                with torch.no_grad():
                    normal_scores = self.networks["global"](normal).float()
                scores = self.networks["global"](enhanced).float()
                loss = losses.relativistic_least_squares(scores, normal_scores)
                found["global"] = self.options.global_weight * loss
            if self.options.local_weight:
                scores = self.networks["local"](enhanced_patches).float()
                found["local"] = self.options.local_weight * losses.local_generator_loss(scores)
            if self.options.feature_weight:
                loss = -torch.stack([scores.mean() for scores in self._of_features(enhanced, images_seen)]).mean()
                found["features"] = self.options.feature_weight * loss
        self.networks.requires_grad_(True)
        return found

    def judged(
        self, normal: Tensor, enhanced: Tensor, normal_patches: Tensor, enhanced_patches: Tensor, images_seen: int
    ) -> Losses:
        """Return the losses of those discriminators that the generator is to deceive."""
        found = {}
        with self.descent.mixed_precision():
            if self.options.global_weight:
                scores, enhanced_scores = (self.networks["global"](frames).float() for frames in (normal, enhanced))
                found["global_discriminator"] = losses.relativistic_least_squares(scores, enhanced_scores)
            if self.options.local_weight:
                scores, enhanced_scores = (
                    self.networks["local"](patches).float() for patches in (normal_patches, enhanced_patches)
                )
                found["local_discriminator"] = losses.local_discriminator_loss(scores, enhanced_scores)
            if self.options.feature_weight:
                terms = [
                    losses.hinge(score, sign)
                    for frames, sign in ((normal, 1.0), (enhanced, -1.0))
                    for score in self._of_features(frames, images_seen)
                ]
                found["feature_discriminator"] = torch.stack(terms).mean() * 2
        if self.options.penalty_weight and (images_seen // self.batch) % PENALTY_STEPS == 0:
            penalties = []
            if self.options.global_weight:
                penalties.append(gradient_penalty(lambda frames: [self.networks["global"](frames)], normal))
            if self.options.feature_weight:
                penalties.append(gradient_penalty(lambda frames: self._of_features(frames, images_seen), normal))
            found["penalty"] = self.options.penalty_weight * PENALTY_STEPS * torch.stack(penalties).sum()
        return found

    def _of_features(self, frames: Tensor, images_seen: int) -> list[Tensor]:
        features, fading = cast("VggFeatures", self.features), self.options.blur_images
        blur = BLUR_PX * max(0.0, 1 - images_seen / fading) if fading else 0.0
        found = self.networks["features"](features.taps(blurred(frames, blur), tuple(TAPS)))
        return [scores.float() for scores in found]


def gradient_penalty(score: Callable[[Tensor], Sequence[Tensor]], normal: Tensor) -> Tensor:
    """Return half the squared gradient of the scores by the pixels of normal photos (R1).

    Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406, equation 9.
    """
    inputs = normal.detach().requires_grad_()
    total = torch.stack([scores.mean(dim=(1, 2, 3)).sum() for scores in score(inputs)]).mean()
    (gradient,) = torch.autograd.grad(total, inputs, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean() / 2
