"""The registry of objectives: what a run can learn."""

from __future__ import annotations

from enlighten_cli.training.objectives.cyclegan import CycleGan
from enlighten_cli.training.objectives.denoise import Denoise
from enlighten_cli.training.objectives.distillation import Distillation
from enlighten_cli.training.objectives.enlightengan import EnlightenGan
from enlighten_cli.training.objectives.llnet import LlNetObjective
from enlighten_cli.training.objectives.objective import Needs, Objective, Stage
from enlighten_cli.training.objectives.retinexnet import Retinex
from enlighten_cli.training.objectives.zero_dce import ZeroDce

__all__ = ["OBJECTIVES", "Needs", "Objective", "Stage"]

OBJECTIVES: dict[str, type[Objective]] = {
    kind.Options.objective: kind
    for kind in (EnlightenGan, Distillation, Denoise, ZeroDce, CycleGan, Retinex, LlNetObjective)
}
