"""Base class of the objectives that train EnlightenGAN's generator."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from enlighten_cli.models.network import RECEPTIVE_FIELD_PX
from enlighten_cli.photo import Pixels
from enlighten_cli.training import losses
from enlighten_cli.training.checkpoint import Weights, load_strictly, read_weights
from enlighten_cli.training.config import RANDOM, ObjectiveOptions, TrainConfig
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.networks.generator import EnlightenNet, initialise, seed_of
from enlighten_cli.training.networks.widening import widened
from enlighten_cli.training.objectives.objective import Objective
from enlighten_cli.training.objectives.picture import enhanced_photo

ADAM_BETAS = (0.5, 0.999)


@dataclass(frozen=True)
class BrighteningOptions(ObjectiveOptions):
    """Options of all objectives of the generator.

    Parameters
    ----------
    attention : bool
        Whether the generator has the paper's attention map.
    """

    attention: bool = True


class Brightening(Objective):
    """An objective of the generator; a subclass adds data, discriminators and the step.

    Parameters
    ----------
    config, descent, features
        See `Objective`.
    networks : ModuleDict or None
        Networks of another objective, whose generator this objective trains; None creates a new one.
    """

    exported = "generator"
    has_weights = True
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
            generator = EnlightenNet(config.width, attention=cast("BrighteningOptions", config.options).attention)
            initialise(generator, seed_of(config.seed, "generator"))
            networks = nn.ModuleDict({"generator": generator})
        self.networks = descent.place(networks)
        self.optimisers = {"generator": adam(self.generator, config.lr)}

    @property
    def generator(self) -> EnlightenNet:
        """The network that learns to brighten."""
        return cast("EnlightenNet", self.networks["generator"])

    def remember_beginning(self) -> None:
        """Keep a copy of the present generator, for `kept_detail`."""
        if "beginning" not in self.networks:
            self.networks["beginning"] = copy.deepcopy(self.generator).eval().requires_grad_(False)

    def start_from(self, weights: Weights) -> None:
        """Start from pretrained weights; discriminators are loaded if both weights and objective have them."""
        for generator in self._generators():
            generator.load_state_dict(weights.generator.state_dict())
            generator.align_corners = weights.generator.align_corners
        if "beginning" in self.networks:
            cast("EnlightenNet", self.networks["beginning"]).attention = weights.generator.attention
        if weights.discriminators and "discriminators" in self.networks:
            for name, network in cast("nn.ModuleDict", self.networks["discriminators"]).items():
                known = {
                    key.removeprefix(f"{name}."): tensor
                    for key, tensor in weights.discriminators.items()
                    if key.startswith(f"{name}.")
                }
                if known or name in ("global", "local"):
                    load_strictly(network, known, f"the {name} discriminator")

    def enhanced(self, rgb: Tensor, *, learns: bool = True) -> Tensor:
        """Brighten a batch, (N, 3, H, W), in mixed precision; the result is fp32.

        With pretrained weights, batch norms keep their running statistics: those of small batches would degrade them.
        """
        self.generator.train(learns and self.config.start == RANDOM)
        with self.descent.mixed_precision(), torch.set_grad_enabled(learns):
            return cast("Tensor", self.generator(rgb).float())

    def kept_detail(self, fine: Tensor, result: Tensor) -> Tensor:
        """Return how much the detail in unreduced crops differs from the result of the initial generator."""
        with torch.no_grad(), self.descent.mixed_precision():
            before = self.networks["beginning"](fine).float()
        return losses.changed_detail(result, before)

    @classmethod
    def read(cls, path: Path) -> Weights:
        """Read a generator, and its discriminators if there are any."""
        return read_weights(path)

    @classmethod
    def suggested(cls, weights: Weights | None) -> dict[str, Any]:
        """Return the width of the pretrained weights."""
        return {"width": weights.generator.width} if weights else {}

    @classmethod
    def fitted(cls, weights: Weights, config: TrainConfig) -> Weights:
        """Widen the generator to the configured width."""
        return replace(weights, generator=widened(weights.generator, config.width, config.seed))

    def metadata(self) -> dict[str, str]:
        """Return the metadata that inference needs."""
        return {
            "width": str(self.generator.width),
            "align_corners": str(self.generator.align_corners).lower(),
            "attention": str(self.generator.attention).lower(),
            "training_pixels": str(self.config.training_pixels),
        }

    def restore(self, metadata: Mapping[str, str]) -> None:
        """Set `align_corners` as recorded."""
        for generator in self._generators():
            generator.align_corners = metadata["align_corners"] == "true"

    def _generators(self) -> list[EnlightenNet]:
        """Return the generator, and its initial copy if there is one."""
        return [
            cast("EnlightenNet", self.networks[name]) for name in ("generator", "beginning") if name in self.networks
        ]

    def picture(self, network: nn.Module, pixels: Pixels) -> Pixels:
        """Enhance a photo as in use."""
        return enhanced_photo(network, pixels, self.descent.device, self.config.training_pixels, RECEPTIVE_FIELD_PX)

    @classmethod
    def export(cls, checkpoint: Path, stem: Path, *, name: str, licence: str) -> Path:
        """Write the generator as .safetensors and as .onnx, and its discriminators beside it."""
        from enlighten_cli.training.export import export_onnx, export_weights

        weights, model = Path(f"{stem}.safetensors"), Path(f"{stem}.onnx")
        export_weights(checkpoint, weights, name=name, licence=licence)
        export_onnx(weights, model, name=name, licence=licence)
        return model


def adam(network: nn.Module, lr: float) -> torch.optim.Adam:
    """Return an Adam optimiser with the paper's betas."""
    return torch.optim.Adam(network.parameters(), lr=lr, betas=ADAM_BETAS)
