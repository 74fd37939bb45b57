"""What a run learns: the paper's objective, the lessons that prepare it, and the denoiser."""

from enlighten_cli.training.objectives.objective import Needs, Objective, Stage

__all__ = ["Needs", "Objective", "Stage"]
