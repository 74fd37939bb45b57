"""Distillation: the generator learns to reproduce the results of a teacher, an algorithm without weights.

The shipped weights were trained this way. The network sees whole frames, because the teacher needs them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.training.config import RANDOM, SQUARE, Rules, TrainConfig
from enlighten_cli.training.data.dataset import UnpairedCrops, UnpairedPhotos
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.data.self_made_light import poorly_lit
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.losses import aligned_difference, light_difference, restoration_difference
from enlighten_cli.training.objectives.brightening import Brightening, BrighteningOptions
from enlighten_cli.training.objectives.objective import Needs
from enlighten_cli.training.objectives.teacher import teacher

LOW_PER_NORMAL, LOW_PER_RESTORED = 4, 2  # low frames for each normal frame, and for each that is to be restored
POOR_LIGHT = 1  # which of an image's streams of random numbers


@dataclass(frozen=True)
class DistillationOptions(BrighteningOptions):
    """Options of distillation.

    Parameters
    ----------
    attention : bool
        See `BrighteningOptions`.
    teacher_weight : float
        Weight of the L1 loss against the `teacher`, on low frames.
    aligned_weight : float
        Weight of `losses.aligned_difference` against the teacher, on low frames: an anchor that leaves the brightness
        to other losses.
    light_weight : float
        Weight of the L1 loss between the light of both, the means of cells and of frames:
        a photo that is a little too dark all over costs little per pixel, but is plain to see.
    well_lit_weight : float
        Weight of the L1 loss on normal frames, whose target is the frame itself or close to it: well-lit photos
        should hardly change.
    well_lit_lift : float
        Part, in [0, 1], of the teacher's change in the target of normal frames: a small part brightens their
        shadows.
    restored_weight : float
        Weight of `losses.restoration_difference` on normal frames that are fed in the poor light of
        `data.self_made_light`, and are to come out as they were. Then there is one for every two low frames.
    kept_detail_weight : float
        Weight of `losses.changed_detail`: the generator learns brightness from strongly reduced photos, and should
        keep its initial fine detail in unreduced ones.
    """

    objective: ClassVar[str] = "distillation"

    teacher_weight: float = 1.0
    aligned_weight: float = 0.0
    light_weight: float = 0.0
    well_lit_weight: float = 1.0
    well_lit_lift: float = 0.0
    restored_weight: float = 0.0
    kept_detail_weight: float = 0.0

    @property
    def follows(self) -> bool:
        """Whether a loss needs the teacher's results for low frames."""
        return self.teacher_weight > 0 or self.aligned_weight > 0 or self.light_weight > 0

    def rules(self, config: TrainConfig) -> Rules:
        """Return the rules of these options; the teacher needs square frames, which it sees whole."""
        return {
            **anchor_rules(self, config),
            "restored_weight": (self.restored_weight >= 0, "0 or more"),
            "teacher_weight": (
                self.teacher_weight >= 0 and self.follows,
                "0 or more, and above 0 without aligned_weight or light_weight",
            ),
            "frame": (config.frame == SQUARE, "square, because the teacher needs whole frames"),
        }


def anchor_rules(options: DistillationOptions, config: TrainConfig) -> Rules:
    """Return the rules of the options that belong to the teacher."""
    return {
        "teacher_weight": (options.teacher_weight >= 0, "0 or more"),
        "aligned_weight": (options.aligned_weight >= 0, "0 or more"),
        "light_weight": (options.light_weight >= 0, "0 or more"),
        "well_lit_weight": (options.well_lit_weight >= 0, "0 or more"),
        "well_lit_lift": (0 <= options.well_lit_lift <= 1, "from 0 to 1"),
        "kept_detail_weight": (
            options.kept_detail_weight == 0 or (options.kept_detail_weight > 0 and config.start != RANDOM),
            "0 for a random start, and 0 or more for a start from weights",
        ),
    }


class Distillation(Brightening):
    """Train the generator by distillation."""

    Options = DistillationOptions

    def __init__(
        self,
        config: TrainConfig,
        descent: Descent,
        features: nn.Module | None = None,
        networks: nn.ModuleDict | None = None,
    ) -> None:
        super().__init__(config, descent, features, networks)
        self.options = cast("DistillationOptions", config.options)
        if self.options.kept_detail_weight:
            self.remember_beginning()

    @classmethod
    def needs(cls, config: TrainConfig) -> Needs:
        """Return both folders."""
        return Needs()

    def samples(self, photos: PhotoFolders) -> UnpairedPhotos:
        """Return low frames, fewer normal ones, and unreduced crops if `kept_detail_weight` is set."""
        fine = self.options.kept_detail_weight > 0
        per_normal = LOW_PER_RESTORED if self.options.restored_weight else LOW_PER_NORMAL
        return UnpairedPhotos(self.config, photos, low_per_normal=per_normal, fine=fine)

    def step(self, batch: UnpairedCrops, images_seen: int) -> dict[str, Tensor]:
        """Take a step towards the teacher's results."""
        low, normal, fine = (self.descent.place(crops) for crops in batch[1:])
        poor = self._poorly_lit(normal, batch.numbers) if self.options.restored_weight else normal[:0]
        inputs = (low, normal[: len(normal) if self.options.well_lit_weight else 0], poor, fine)
        outputs = self.enhanced(torch.cat(inputs))
        enhanced, enhanced_normal, restored, enhanced_fine = torch.split(outputs, [len(frames) for frames in inputs])

        losses = taught(self.options, low, enhanced, normal, enhanced_normal)
        if len(poor):
            losses["restored"] = self.options.restored_weight * restoration_difference(restored, normal)
        if len(fine):
            losses["kept_detail"] = self.options.kept_detail_weight * self.kept_detail(fine, enhanced_fine)
        self.descent.descend(self.optimisers["generator"], losses.values())
        return losses

    def _poorly_lit(self, normal: Tensor, numbers: Tensor) -> Tensor:
        """Show normal frames in poor light, a function of the seed and the images' numbers."""
        return torch.stack(
            [
                poorly_lit(frame, np.random.default_rng([self.config.seed, int(number), POOR_LIGHT]))
                for frame, number in zip(normal, numbers, strict=False)
            ]
        )


def taught(
    options: DistillationOptions, low: Tensor, enhanced: Tensor, normal: Tensor, enhanced_normal: Tensor
) -> dict[str, Tensor]:
    """Return the losses of distillation whose weight is above 0.

    Parameters
    ----------
    options : DistillationOptions
    low, normal : Tensor, shape (N, 3, H, W), range [0, 1]
        Whole frames.
    enhanced, enhanced_normal : Tensor, of these shapes
        The generator's results for them.
    """
    losses: dict[str, Tensor] = {}
    lifts = options.well_lit_weight > 0 and options.well_lit_lift > 0
    inputs = [low] * options.follows + [normal] * lifts
    if inputs:  # in one batch, because the teacher's many small operations take as long for one photo as for ten
        brightened = teacher(torch.cat(inputs))
    if options.follows:
        wanted = brightened[: len(low)]
        terms: dict[str, tuple[float, Callable[[Tensor, Tensor], Tensor]]] = {
            "teacher": (options.teacher_weight, F.l1_loss),
            "aligned": (options.aligned_weight, aligned_difference),
            "light": (options.light_weight, light_difference),
        }
        losses |= {name: weight * loss(enhanced, wanted) for name, (weight, loss) in terms.items() if weight}
    if options.well_lit_weight:
        wanted = torch.lerp(normal, brightened[-len(normal) :], options.well_lit_lift) if lifts else normal
        losses["well_lit"] = options.well_lit_weight * F.l1_loss(enhanced_normal, wanted)
    return losses
