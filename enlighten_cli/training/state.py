"""The complete state of a run, so that stopping and resuming does not change the result."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from enlighten_cli.errors import ModelError
from enlighten_cli.training.checkpoint import Weights, half_kernels, load_strictly, read_tensors, write_tensors
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.objectives import Objective, Stage
from enlighten_cli.training.registry import OBJECTIVES


class TrainState:
    """The objective with its networks, the number of images seen, and the moving average of the exported network.

    Parameters
    ----------
    config : TrainConfig
    descent : Descent
    features : Module or None
        `VggFeatures` on the device, if the objective needs them.
    """

    def __init__(self, config: TrainConfig, descent: Descent, features: nn.Module | None = None) -> None:
        self.config = config
        self.descent = descent
        self.images_seen = 0
        self.objective: Objective = OBJECTIVES[config.objective](config, descent, features)
        self.stages: Sequence[Stage] = self.objective.stages()
        self._begin_average()

    def _begin_average(self) -> None:
        self.average = copy.deepcopy(self.exported).eval().requires_grad_(False)

    @property
    def exported(self) -> nn.Module:
        """The network that is exported."""
        return self.objective.networks[self.objective.exported]

    @property
    def stage(self) -> Stage:
        """The present stage."""
        return next((stage for stage in self.stages if self.images_seen < stage.until), self.stages[-1])

    def start_from(self, weights: Weights) -> None:
        """Start from pretrained weights."""
        self.objective.start_from(weights)
        self._begin_average()

    def set_learning_rates(self) -> None:
        """Set all learning rates by the learning-rate schedule."""
        factor = self.config.learning_rate_factor(self.images_seen)
        for optimiser in self.stage.objective.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = optimiser.defaults["lr"] * factor

    @torch.no_grad()
    def update_average(self) -> None:
        """Update the exponential moving average of the weights.

        At the beginning the half-life grows with the number of images, as in Karras et al. (2022), so that
        the random initial weights are soon forgotten.
        """
        halflife = min(self.config.ema_images, self.images_seen / 20)
        keep = 0.5 ** (self.config.batch / halflife) if halflife > 0 else 0.0
        present = self.exported.state_dict()
        for name, value in self.average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(present[name], 1 - keep)
            else:
                value.copy_(present[name])

    def save(self, path: Path) -> None:
        """Write the complete state to one file, completely or not at all."""
        tensors: dict[str, Tensor] = {}
        for prefix, network in self._networks():
            tensors |= {f"{prefix}.{name}": tensor for name, tensor in network.state_dict().items()}
        for name, optimiser in self.stage.objective.optimisers.items():
            for index, moments in optimiser.state_dict()["state"].items():
                tensors |= {f"{name}_optimiser.{index}.{part}": moments[part].clone() for part in moments}
        metadata = {
            **self.objective.metadata(),
            "config": json.dumps(self.config.to_mapping()),
            "images_seen": str(self.images_seen),
            "scaler": json.dumps(self.descent.scaler.state_dict()),
        }
        write_tensors(path, tensors, metadata)

    def save_average(self, folder: Path) -> None:
        """Write the current average, as weights to export or to start from."""
        path = folder / f"{self.objective.exported}-{self.images_seen:08d}.safetensors"
        metadata = {**self.objective.metadata(), "images": str(self.images_seen)}
        write_tensors(path, half_kernels(self.average.state_dict()), metadata)

    def load(self, path: Path) -> Self:
        """Restore the state that `save` wrote.

        Raises
        ------
        ModelError
            If the file is damaged or belongs to another configuration.
        """
        file = read_tensors(path)
        if "images_seen" not in file.metadata or "config" not in file.metadata:
            raise ModelError(f"{path}: not a checkpoint of a run")
        self.objective.restore(file.metadata)
        self._begin_average()
        self.images_seen = int(file.metadata["images_seen"])
        for prefix, network in self._networks():
            load_strictly(network, file.under(prefix), str(path))
        for name, optimiser in self.stage.objective.optimisers.items():
            kept, moments = optimiser.state_dict(), file.under(f"{name}_optimiser")
            kept["state"] = {}
            for place, tensor in moments.items():
                index, part = place.split(".")
                kept["state"].setdefault(int(index), {})[part] = tensor
            optimiser.load_state_dict(kept)
        self.descent.scaler.load_state_dict(json.loads(file.metadata.get("scaler", "{}")))
        return self

    def _networks(self) -> list[tuple[str, nn.Module]]:
        return [*self.objective.networks.items(), ("average", self.average)]
