"""Distillation: the generator learns to make of dark photos what its teacher does, plain computation.

The shipped weights were made so. Frames are seen whole, as the teacher needs them.
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
from enlighten_cli.training.objectives.brightening import Brightening
from enlighten_cli.training.objectives.objective import Needs
from enlighten_cli.training.objectives.teacher import teacher

LOW_PER_NORMAL = 4  # so many low frames are taught with one normal frame


@dataclass(frozen=True)
class DistillationOptions(ObjectiveOptions):
    """Options of distillation.

    Parameters
    ----------
    teacher_weight : float
        Weight of the L1 distance to what `teacher` makes of low frames.
    well_lit_weight : float
        Weight of the L1 distance, on normal frames, to what they should become: photos with light enough are to be
        left alone, or nearly.
    well_lit_lift : float
        Part, in [0, 1], of what the teacher does that normal frames are to get: a little, and their shadows are
        lifted.
    kept_detail_weight : float
        Weight of `losses.changed_detail`: while the generator learns to judge light from photos far reduced, it is to
        keep the fine detail that it made, when the run began, of those that are not.
    """

    objective: ClassVar[str] = "distillation"

    teacher_weight: float = 1.0
    well_lit_weight: float = 1.0
    well_lit_lift: float = 0.0
    kept_detail_weight: float = 0.0

    def rules(self, config: TrainConfig) -> Rules:
        """Return what each has to be; frames are to be seen whole by the teacher."""
        return {
            **anchor_rules(self, config),
            "teacher_weight": (self.teacher_weight > 0, "above 0"),
            "frame": (config.frame == SQUARE, "square, as the teacher needs to see all of a frame"),
        }


def anchor_rules(options: DistillationOptions, config: TrainConfig) -> Rules:
    """Return the rules that hold wherever the teacher has a say."""
    return {
        "teacher_weight": (options.teacher_weight >= 0, "0 or more"),
        "well_lit_weight": (options.well_lit_weight >= 0, "0 or more"),
        "well_lit_lift": (0 <= options.well_lit_lift <= 1, "from 0 to 1"),
        "kept_detail_weight": (
            options.kept_detail_weight == 0 or (options.kept_detail_weight > 0 and config.start != RANDOM),
            "0, or more where the run begins with known weights",
        ),
    }


class Distillation(Brightening):
    """Learn from the teacher."""

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
        """Return low frames, a normal one for every few of them, and unreduced crops where detail is kept."""
        fine = self.options.kept_detail_weight > 0
        return UnpairedPhotos(self.config, photos, low_per_normal=LOW_PER_NORMAL, fine=fine)

    def step(self, batch: UnpairedCrops, images_seen: int) -> dict[str, Tensor]:
        """Descend to the teacher."""
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
    """Return the losses of distillation, but for those that have no weight.

    Parameters
    ----------
    options : DistillationOptions
    low, normal : Tensor, shape (N, 3, H, W), range [0, 1]
        Whole frames.
    enhanced, enhanced_normal : Tensor, of these shapes
        What the generator made of them.
    """
    losses = {}
    if options.teacher_weight:
        losses["teacher"] = options.teacher_weight * F.l1_loss(enhanced, teacher(low))
    if options.well_lit_weight:
        wanted = normal
        if options.well_lit_lift:
            wanted = torch.lerp(normal, teacher(normal), options.well_lit_lift)
        losses["well_lit"] = options.well_lit_weight * F.l1_loss(enhanced_normal, wanted)
    return losses
