"""What objectives share whose exported network is EnlightenGAN's generator."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Photo, Pixels, Rgb
from enlighten_cli.training import losses
from enlighten_cli.training.checkpoint import Weights, load_strictly, read_weights
from enlighten_cli.training.config import RANDOM, TrainConfig
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.networks.generator import RECEPTIVE_FIELD_PX, EnlightenNet, initialise, seed_of
from enlighten_cli.training.networks.widening import widened
from enlighten_cli.training.objectives.objective import Objective

ADAM_BETAS = (0.5, 0.999)


class Brightening(Objective):
    """An objective of the generator, which a subclass adds its data, judges and step to.

    Parameters
    ----------
    config, descent, features
        As of `Objective`.
    networks : ModuleDict or None
        Those of another objective, whose generator is to learn this one; without, a new one does.
    """

    exported = "generator"
    default_start = "pretrained"

    def __init__(
        self,
        config: TrainConfig,
        descent: Descent,
        features: nn.Module | None = None,
        networks: nn.ModuleDict | None = None,
    ) -> None:
        super().__init__(config, descent, features)
        if networks is None:
            generator = EnlightenNet(config.width)
            initialise(generator, seed_of(config.seed, "generator"))
            networks = nn.ModuleDict({"generator": generator})
        self.networks = descent.place(networks)
        self.optimisers = {"generator": adam(self.generator, config.lr)}

    @property
    def generator(self) -> EnlightenNet:
        """The network that learns to brighten."""
        return cast("EnlightenNet", self.networks["generator"])

    def remember_beginning(self) -> None:
        """Keep the generator as it is now, for `kept_detail`."""
        if "beginning" not in self.networks:
            self.networks["beginning"] = copy.deepcopy(self.generator).eval().requires_grad_(False)

    def start_from(self, weights: Weights) -> None:
        """Begin with a known generator, and with its discriminators where both have some."""
        for generator in self._generators():
            generator.load_state_dict(weights.generator.state_dict())
            generator.align_corners = weights.generator.align_corners
        if weights.discriminators and "discriminators" in self.networks:
            load_strictly(self.networks["discriminators"], weights.discriminators, "the discriminators")

    def enhanced(self, rgb: Tensor, *, learns: bool = True) -> Tensor:
        """Brighten a batch, (N, 3, H, W), in mixed precision, as fp32.

        Known weights keep the statistics of their norms: those of small batches would undo what they know.
        """
        self.generator.train(learns and self.config.start == RANDOM)
        with self.descent.mixed_precision(), torch.set_grad_enabled(learns):
            return cast("Tensor", self.generator(rgb).float())

    def kept_detail(self, fine: Tensor, made: Tensor) -> Tensor:
        """Return how far the detail that the generator makes of unreduced crops is from what it first made of them."""
        with torch.no_grad(), self.descent.mixed_precision():
            before = self.networks["beginning"](fine).float()
        return losses.changed_detail(made, before)

    @classmethod
    def read(cls, path: Path) -> Weights:
        """Read a generator, and its discriminators where they are kept."""
        return read_weights(path)

    @classmethod
    def suggested(cls, weights: Weights | None) -> dict[str, Any]:
        """Return the width of known weights."""
        return {"width": weights.generator.width} if weights else {}

    @classmethod
    def fitted(cls, weights: Weights, config: TrainConfig) -> Weights:
        """Widen the generator."""
        return replace(weights, generator=widened(weights.generator, config.width, config.seed))

    def metadata(self) -> dict[str, str]:
        """Return what a use of the generator has to know."""
        return {
            "width": str(self.generator.width),
            "align_corners": str(self.generator.align_corners).lower(),
            "training_pixels": str(self.config.training_pixels),
        }

    def restore(self, metadata: Mapping[str, str]) -> None:
        """Interpolate as the weights ask for."""
        for generator in self._generators():
            generator.align_corners = metadata["align_corners"] == "true"

    def _generators(self) -> list[EnlightenNet]:
        """Return the generator, and what it was when the run began where that is kept."""
        return [
            cast("EnlightenNet", self.networks[name]) for name in ("generator", "beginning") if name in self.networks
        ]

    def picture(self, network: nn.Module, pixels: Pixels) -> Pixels:
        """Enhance a photo."""

        @torch.no_grad()
        def brighten(rgb: Rgb) -> Rgb:
            batch = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].to(self.descent.device)
            return np.asarray(network(batch)[0].permute(1, 2, 0).cpu().numpy())

        used = FunctionNetwork(brighten, self.config.training_pixels, RECEPTIVE_FIELD_PX)
        return enhance(Photo(pixels, "PNG"), used, Options()).pixels

    @classmethod
    def export(cls, checkpoint: Path, stem: Path, *, name: str, licence: str) -> Path:
        """Write the generator as .safetensors, its discriminators beside it, and as .onnx."""
        from enlighten_cli.training.export import export_onnx, export_weights

        weights, model = stem.with_suffix(".safetensors"), stem.with_suffix(".onnx")
        export_weights(checkpoint, weights, name=name, licence=licence)
        export_onnx(weights, model, name=name, licence=licence)
        return model


def adam(network: nn.Module, lr: float) -> torch.optim.Adam:
    """Return the paper's optimiser of a network."""
    return torch.optim.Adam(network.parameters(), lr=lr, betas=ADAM_BETAS)
