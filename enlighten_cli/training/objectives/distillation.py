"""Distillation: the generator learns to reproduce the results of a teacher, an algorithm without weights.

The shipped weights were trained this way. The network sees whole frames, because the teacher needs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.training.config import RANDOM, SQUARE, ObjectiveOptions, Rules, TrainConfig
from enlighten_cli.training.data.dataset import UnpairedCrops, UnpairedPhotos
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.losses import light_difference
from enlighten_cli.training.objectives.brightening import Brightening
from enlighten_cli.training.objectives.objective import Needs
from enlighten_cli.training.objectives.teacher import teacher

LIGHT_CELL_PX = 8
LOW_PER_NORMAL = 4  # low frames for each normal frame


@dataclass(frozen=True)
class DistillationOptions(ObjectiveOptions):
    """Options of distillation.

    Parameters
    ----------
    teacher_weight : float
        Weight of the L1 loss against the `teacher`, on low frames.
    light_weight : float
        Weight of the L1 loss between the light of both, their means over cells of `LIGHT_CELL_PX` and over the frame:
        a photo that is a little too dark all over costs little per pixel, but is plain to see.
    well_lit_weight : float
        Weight of the L1 loss on normal frames, whose target is the frame itself or close to it: well-lit photos
        should hardly change.
    well_lit_lift : float
        Part, in [0, 1], of the teacher's change in the target of normal frames: a small part brightens their
        shadows.
    kept_detail_weight : float
        Weight of `losses.changed_detail`: the generator learns brightness from strongly reduced photos, and should
        keep its initial fine detail in unreduced ones.
    """

    objective: ClassVar[str] = "distillation"

    teacher_weight: float = 1.0
    light_weight: float = 0.0
    well_lit_weight: float = 1.0
    well_lit_lift: float = 0.0
    kept_detail_weight: float = 0.0

    def rules(self, config: TrainConfig) -> Rules:
        """Return the rules of these options; the teacher needs square frames, which it sees whole."""
        return {
            **anchor_rules(self, config),
            "teacher_weight": (self.teacher_weight > 0, "above 0"),
            "frame": (config.frame == SQUARE, "square, because the teacher needs whole frames"),
        }


def anchor_rules(options: DistillationOptions, config: TrainConfig) -> Rules:
    """Return the rules of the options that belong to the teacher."""
    return {
        "teacher_weight": (options.teacher_weight >= 0, "0 or more"),
        "light_weight": (
            options.light_weight == 0 or (options.light_weight > 0 and options.teacher_weight > 0),
            "0 without teacher_weight, and 0 or more with it",
        ),
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
        """Return low frames, a quarter as many normal ones, and unreduced crops if `kept_detail_weight` is set."""
        fine = self.options.kept_detail_weight > 0
        return UnpairedPhotos(self.config, photos, low_per_normal=LOW_PER_NORMAL, fine=fine)

    def step(self, batch: UnpairedCrops, images_seen: int) -> dict[str, Tensor]:
        """Take a step towards the teacher's results."""
        low, normal, fine = (self.descent.place(crops) for crops in batch[1:])
        made = self.enhanced(torch.cat([low, normal, fine]))
        enhanced, enhanced_normal, enhanced_fine = torch.split(made, [len(low), len(normal), len(fine)])

        losses = taught(self.options, low, enhanced, normal, enhanced_normal)
        if len(fine):
            losses["kept_detail"] = self.options.kept_detail_weight * self.kept_detail(fine, enhanced_fine)
        self.descent.descend(self.optimisers["generator"], losses.values())
        return losses


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
    losses = {}
    if options.teacher_weight:
        wanted = teacher(low)
        losses["teacher"] = options.teacher_weight * F.l1_loss(enhanced, wanted)
        if options.light_weight:
            losses["light"] = options.light_weight * light_difference(enhanced, wanted, cell_px=LIGHT_CELL_PX)
    if options.well_lit_weight:
        wanted = normal
        if options.well_lit_lift:
            wanted = torch.lerp(normal, teacher(normal), options.well_lit_lift)
        losses["well_lit"] = options.well_lit_weight * F.l1_loss(enhanced_normal, wanted)
    return losses
