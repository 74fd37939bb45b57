"""Denoising: a small network learns to remove the sensor noise that brightening would make visible.

Training pairs are simulated from well-lit photos; neither dark photos nor references are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.enhancement.denoise import Denoising, Plane
from enlighten_cli.enhancement.noise import measure_noise
from enlighten_cli.photo import Pixels, Rgb, as_pixels, as_rgb
from enlighten_cli.training.config import ObjectiveOptions, Rules, TrainConfig
from enlighten_cli.training.data.noisy_photos import NoisyCrops, NoisyPhotos
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.networks.denoiser import Denoiser
from enlighten_cli.training.networks.generator import seed_of
from enlighten_cli.training.objectives.objective import Needs, Objective

ADAM_BETAS = (0.9, 0.99)
COARSE_PX = 4  # side of the blocks whose means should be right too
SHOWN_GAIN = 8.0  # assumed for the contact sheet


@dataclass(frozen=True)
class DenoiseOptions(ObjectiveOptions):
    """Options of denoising.

    Parameters
    ----------
    coarse_weight : float
        Weight of the loss on means of 4 x 4 pixels: noise that is left in them is seen as blotches.
    text_probability : float
        Probability that letters are drawn over a crop.
    """

    objective: ClassVar[str] = "denoise"

    coarse_weight: float = 0.0
    text_probability: float = 0.0

    def rules(self, config: TrainConfig) -> Rules:
        """Return the rules for the shared options."""
        return {
            "coarse_weight": (self.coarse_weight >= 0, "0 or more"),
            "text_probability": (0 <= self.text_probability <= 1, "from 0 to 1"),
            "width": (config.width % 8 == 0, "a multiple of 8"),
            "precision": (
                config.precision == "fp32",
                "fp32: in half precision, rounding errors in shadows exceed the noise",
            ),
            "frame_min": (config.frame_min == 1, "1: crops are cut from photos reduced by a factor of 2"),
            "exposure_stops": (config.exposure_stops == 0, "0: photos are darkened anyway"),
            "darkened_probability": (config.darkened_probability == 0, "0: photos are darkened anyway"),
            "training_pixels": (config.training_pixels == 0, "0: noise is removed at full size"),
        }


class Denoise(Objective):
    """Train the denoiser."""

    Options = DenoiseOptions
    exported = "denoiser"

    def __init__(self, config: TrainConfig, descent: Descent, features: nn.Module | None = None) -> None:
        super().__init__(config, descent, features)
        self.options = cast("DenoiseOptions", config.options)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of(config.seed, "denoiser"))
            self.networks = descent.place(nn.ModuleDict({"denoiser": Denoiser(config.width)}))
        self.optimisers = {
            "denoiser": torch.optim.Adam(self.networks["denoiser"].parameters(), lr=config.lr, betas=ADAM_BETAS)
        }

    @classmethod
    def needs(cls, config: TrainConfig) -> Needs:
        """Return the folder of well-lit photos."""
        return Needs(folders=("normal",))

    def samples(self, photos: PhotoFolders) -> NoisyPhotos:
        """Return dark, noisy crops simulated from well-lit photos."""
        return NoisyPhotos(self.config, photos["normal"], self.options.text_probability)

    def step(self, batch: NoisyCrops, images_seen: int) -> dict[str, Tensor]:
        """Minimize the error after brightening: |gain x (denoised - clean)|."""
        clean, noisy, noise, gain = (self.descent.place(crops) for crops in batch[1:])
        denoised = self.networks["denoiser"](noisy, noise, gain)
        error = gain * (denoised - clean)
        losses = {"seen": error.abs().mean()}
        if weight := self.options.coarse_weight:
            losses["coarse"] = weight * F.avg_pool2d(error, COARSE_PX).abs().mean()
        self.descent.descend(self.optimisers["denoiser"], losses.values())
        return losses

    def metadata(self) -> dict[str, str]:
        """Return the width."""
        return {"width": str(self.config.width)}

    def picture(self, network: nn.Module, pixels: Pixels) -> Pixels:
        """Denoise a photo as for a gain of 8."""
        rgb = as_rgb(pixels)
        gain = np.full((1, 1, 1), SHOWN_GAIN, np.float32)
        used = ModuleAsDenoiser(network, self.descent.device)
        planned = Denoising.planned(lambda: used, rgb, measure_noise(rgb), gain, 1.0)
        return as_pixels(planned.whole(rgb)) if planned else pixels

    @classmethod
    def export(cls, checkpoint: Path, stem: Path, *, name: str, licence: str) -> Path:
        """Write the denoiser as .onnx."""
        from enlighten_cli.training.export_denoiser import export_denoiser

        return export_denoiser(checkpoint, Path(f"{stem}.onnx"), name=name, licence=licence)


class ModuleAsDenoiser:
    """A PyTorch denoiser with the interface of the enhancement: (H, W, 3), (H, W) and (H, W) to (H, W, 3)."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self._network = network
        self._device = device

    @torch.no_grad()
    def __call__(self, rgb: Rgb, noise: Plane, gain: Plane) -> Rgb:
        """Denoise a photo."""
        planes = (torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1), noise[None], gain[None])
        batch = [torch.as_tensor(plane, device=self._device)[None] for plane in planes]
        return np.asarray(cast("Tensor", self._network(*batch))[0].permute(1, 2, 0).cpu().numpy())
