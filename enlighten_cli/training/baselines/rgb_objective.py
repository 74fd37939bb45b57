"""Base class of the objectives that train a network of their own, from RGB to RGB."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, cast

import torch
from torch import nn

from enlighten_cli.errors import ModelError
from enlighten_cli.models.download import sha256_of
from enlighten_cli.photo import Pixels
from enlighten_cli.training.checkpoint import Weights, load_strictly, read_tensors
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.networks.generator import seed_of
from enlighten_cli.training.networks.rgb_network import RgbNetwork
from enlighten_cli.training.objectives.objective import Objective
from enlighten_cli.training.objectives.picture import enhanced_photo


class RgbObjective(Objective):
    """An objective of an `RgbNetwork`; a subclass adds its type, the data, an optimiser and the step.

    Parameters
    ----------
    config, descent, features
        See `Objective`.
    networks : ModuleDict or None
        Networks of another objective, which this one trains as a stage; None creates new ones.

    Attributes
    ----------
    Network : type
        Of the network; its only argument is the width.
    """

    Network: ClassVar[type[RgbNetwork]]
    exported = "network"

    def __init__(
        self,
        config: TrainConfig,
        descent: Descent,
        features: nn.Module | None = None,
        networks: nn.ModuleDict | None = None,
    ) -> None:
        super().__init__(config, descent, features)
        if networks is None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed_of(config.seed, "network"))
                networks = nn.ModuleDict({"network": self.Network(config.width)})
        self.networks = descent.place(networks)

    @classmethod
    def suggested(cls, weights: Weights | None) -> dict[str, Any]:
        """Return the width of the paper."""
        return {"width": cls.Network.paper_width}

    def metadata(self) -> dict[str, str]:
        """Return the objective, and the metadata that inference needs."""
        return {
            "objective": self.config.objective,
            "width": str(self.config.width),
            "training_pixels": str(self.config.training_pixels),
        }

    def picture(self, network: nn.Module, pixels: Pixels) -> Pixels:
        """Enhance a photo as in use."""
        reach_px = cast("RgbNetwork", network).reach_px
        return enhanced_photo(network, pixels, self.descent.device, self.config.training_pixels, reach_px)

    @classmethod
    def export(cls, checkpoint: Path, stem: Path, *, name: str, licence: str) -> Path:
        """Write the averaged network of a checkpoint as .onnx."""
        from enlighten_cli.training.export import export_network

        file = read_tensors(checkpoint)
        width = file.metadata.get("width", "")
        if not width.isdecimal():
            raise ModelError(f"{checkpoint}: not a checkpoint of {cls.Options.objective}")
        network = cls.Network(int(width))
        load_strictly(network, file.under("average") or file.tensors, str(checkpoint))
        model = Path(f"{stem}.onnx")
        said = {key: file.metadata[key] for key in ("objective", "training_pixels")}
        export_network(
            network.eval(),
            model,
            {"name": name, "licence": licence, "weights_sha256": sha256_of(checkpoint), **said},
        )
        return model
