"""The registry of objectives: what a run can learn."""

from __future__ import annotations

from enlighten_cli.training.objectives.denoise import Denoise
from enlighten_cli.training.objectives.distillation import Distillation
from enlighten_cli.training.objectives.enlightengan import EnlightenGan
from enlighten_cli.training.objectives.objective import Needs, Objective, Stage

__all__ = ["OBJECTIVES", "Needs", "Objective", "Stage"]

OBJECTIVES: dict[str, type[Objective]] = {
    kind.Options.objective: kind for kind in (EnlightenGan, Distillation, Denoise)
}
