"""The registry of objectives: what a run can learn."""

from __future__ import annotations

from enlighten_cli.training.baselines.cyclegan import CycleGan
from enlighten_cli.training.baselines.llnet import LlNetObjective
from enlighten_cli.training.baselines.retinexnet import Retinex
from enlighten_cli.training.baselines.zero_dce import ZeroDce
from enlighten_cli.training.objectives import Objective
from enlighten_cli.training.objectives.denoise import Denoise
from enlighten_cli.training.objectives.distillation import Distillation
from enlighten_cli.training.objectives.enlightengan import EnlightenGan

OBJECTIVES: dict[str, type[Objective]] = {
    kind.Options.objective: kind
    for kind in (EnlightenGan, Distillation, Denoise, ZeroDce, CycleGan, Retinex, LlNetObjective)
}
