"""Networks and optimisers to files and back; safetensors, or restricted loading, only."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import ModelError
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.networks.discriminators import GLOBAL_LAYERS, LOCAL_LAYERS, PatchDiscriminator
from enlighten_cli.training.networks.generator import EnlightenNet, initialise, seed_of

ADAM_BETAS = (0.5, 0.999)
ADAM_PARTS = ("step", "exp_avg", "exp_avg_sq")
OPTIONAL_SUFFIX = ".num_batches_tracked"  # torch 0.3 did not count batches


@dataclass(frozen=True)
class TensorFile:
    """What a file of weights holds."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]

    def under(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors below a prefix, without it."""
        start = f"{prefix}."
        return {name[len(start) :]: tensor for name, tensor in self.tensors.items() if name.startswith(start)}


def read_tensors(path: Path) -> TensorFile:
    """Read a .safetensors file, or a .pth by restricted loading.

    Raises
    ------
    ModelError
        If the file is absent, damaged, or holds anything but tensors.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                return TensorFile({name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {})  # noqa: SIM118
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on damaged files both raise whatever their parsers stumble over
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ModelError(f"{path}: not a readable file of weights ({reason})") from error
    if not isinstance(loaded, Mapping) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise ModelError(f"{path}: holds something else than named tensors")
    return TensorFile(dict(loaded), {})


def is_checkpoint(path: Path) -> bool:
    """Tell whether a file is a run's checkpoint, with all that it takes to go on."""
    try:
        return "images_seen" in read_tensors(path).metadata
    except ModelError:
        return False


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a .safetensors file whole or not at all."""
    write_whole(
        path, save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, dict(metadata))
    )


def load_strictly(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Load a state dict, naming what is missing, spare or of another shape.

    Raises
    ------
    ModelError
        If the names or shapes are not exactly the network's; counts of batches may be absent.
    """
    own = network.state_dict()
    missing = [name for name in own if name not in tensors and not name.endswith(OPTIONAL_SUFFIX)]
    spare = [name for name in tensors if name not in own]
    wrong = [name for name in own if name in tensors and tensors[name].shape != own[name].shape]
    for what, names in (("missing", missing), ("spare", spare), ("of another shape", wrong)):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise ModelError(f"{source}: tensors {what}: {', '.join(names[:3])}{more}")
    network.load_state_dict({name: tensors[name].to(own[name].dtype) for name in own if name in tensors}, strict=False)


@dataclass(frozen=True)
class Weights:
    """A generator read from any of the forms in which one is kept.

    `discriminators` are tensors below ``global`` and ``local``, or empty where the file has none.
    """

    generator: EnlightenNet
    discriminators: dict[str, Tensor]
    metadata: dict[str, str]

    @property
    def discriminator_width(self) -> int:
        """Channels of the discriminators' first layer."""
        first = self.discriminators.get("global.layers.0.weight")
        if first is None:
            raise ModelError("the discriminators have no tensor global.layers.0.weight")
        return len(first)


def read_weights(path: Path) -> Weights:
    """Read a generator from shipped weights, a run's checkpoint or a published ``.pth``.

    A checkpoint gives its averaged generator where it has one. Published weights (keys may be
    prefixed ``module.``) were trained with aligned corners, and are read so.

    Raises
    ------
    ModelError
        If the file is not one of these.
    """
    file = read_tensors(path)
    tensors = file.under("average") or file.under("generator") or file.tensors
    tensors = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    first = tensors.get("conv1_1.weight")
    if first is None or first.ndim != 4:
        raise ModelError(f"{path}: not an EnlightenGAN generator: no tensor conv1_1.weight")
    align_corners = file.metadata.get("align_corners", str(path.suffix != ".safetensors")).lower() == "true"
    generator = EnlightenNet(len(first), align_corners=align_corners)
    load_strictly(generator, tensors, str(path))
    discriminators = file.under("discriminators")
    if not discriminators and discriminators_beside(path).is_file():
        discriminators = read_tensors(discriminators_beside(path)).tensors
    return Weights(generator.eval(), discriminators, file.metadata)


def discriminators_beside(path: Path) -> Path:
    """Return where the discriminators of a file of weights are kept."""
    return path.with_name(f"{path.stem}-discriminators.safetensors")


def write_weights(
    path: Path, generator: EnlightenNet, discriminators: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Write a generator as it is shipped: kernels as fp16 values, norms as fp32.

    The discriminators, where there are any, go to a file beside it, for fine-tuning.
    """
    metadata = {
        **metadata,
        "width": str(generator.width),
        "align_corners": str(generator.align_corners).lower(),
    }
    write_tensors(path, half_kernels(generator.state_dict()), metadata)
    if discriminators:
        write_tensors(discriminators_beside(path), half_kernels(discriminators), {})


def half_kernels(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors with the kernels as fp16; norms are few, and their variances can leave fp16's range."""
    return {name: tensor.half() if tensor.ndim == 4 else tensor for name, tensor in tensors.items()}


class TrainState:
    """All that a run changes as it goes, so that stopping and resuming changes nothing.

    Parameters
    ----------
    config : TrainConfig
    device : torch.device
    """

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.images_seen = 0
        self.generator = EnlightenNet(config.width)
        self.discriminators = nn.ModuleDict(
            {
                "global": PatchDiscriminator(GLOBAL_LAYERS, config.discriminator_width),
                "local": PatchDiscriminator(LOCAL_LAYERS, config.discriminator_width),
            }
        )
        initialise(self.generator, seed_of(config.seed, "generator"))
        initialise(self.discriminators, seed_of(config.seed, "discriminators"))
        self._settle()

    def _settle(self) -> None:
        """Move the networks to the device and give them fresh optimisers."""
        for network in (self.generator, self.discriminators):
            network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.beginning = copy.deepcopy(self.average) if self.config.kept_detail_weight else None
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.config.precision == "fp16")
        self.restart_generator_optimiser()
        self.discriminator_optimiser = torch.optim.Adam(
            self.discriminators.parameters(), lr=self.config.discriminator_lr, betas=ADAM_BETAS
        )

    def restart_generator_optimiser(self) -> None:
        """Forget the generator's moments, which belong to another loss."""
        self.generator_optimiser = torch.optim.Adam(self.generator.parameters(), lr=self.config.lr, betas=ADAM_BETAS)

    def start_from(self, weights: Weights) -> None:
        """Begin with known weights, and with their discriminators where they are kept."""
        self.generator = weights.generator
        if weights.discriminators:
            load_strictly(self.discriminators, weights.discriminators, "the discriminators")
        self._settle()

    def set_learning_rates(self) -> None:
        """Set both learning rates to where the schedule stands."""
        factor = self.config.learning_rate_factor(self.images_seen)
        for optimiser, lr in (
            (self.generator_optimiser, self.config.lr),
            (self.discriminator_optimiser, self.config.discriminator_lr),
        ):
            for group in optimiser.param_groups:
                group["lr"] = lr * factor

    @torch.no_grad()
    def update_average(self) -> None:
        """Move the averaged generator towards the present one.

        The half-life grows with the run up to its value, as in Karras et al. (2022), so that the
        random beginning does not linger.
        """
        halflife = min(self.config.ema_images, self.images_seen / 20)
        keep = 0.5 ** (self.config.batch / halflife) if halflife > 0 else 0.0
        present = self.generator.state_dict()
        for name, value in self.average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(present[name], 1 - keep)
            else:
                value.copy_(present[name])

    def save(self, path: Path) -> None:
        """Write everything to one file, whole or not at all."""
        tensors: dict[str, Tensor] = {}
        for prefix, network in self._networks():
            tensors |= {f"{prefix}.{name}": tensor for name, tensor in network.state_dict().items()}
        for prefix, optimiser in self._optimisers():
            for index, moments in optimiser.state_dict()["state"].items():
                tensors |= {f"{prefix}.{index}.{part}": moments[part].clone() for part in ADAM_PARTS}
        metadata = {
            "config": json.dumps(json.loads(self.config.to_json())),
            "images_seen": str(self.images_seen),
            "align_corners": str(self.generator.align_corners).lower(),
            "look_pixels": str(self.config.look_pixels),
            "scaler": json.dumps(self.scaler.state_dict()),
        }
        write_tensors(path, tensors, metadata)

    @classmethod
    def load(cls, path: Path, config: TrainConfig, device: torch.device) -> Self:
        """Restore what `save` wrote.

        Raises
        ------
        ModelError
            If the file is damaged or belongs to another configuration.
        """
        file = read_tensors(path)
        if "images_seen" not in file.metadata or "config" not in file.metadata:
            raise ModelError(f"{path}: not a checkpoint of a run")
        state = cls(config, device)
        state.generator.align_corners = file.metadata["align_corners"] == "true"
        state._settle()
        for prefix, network in state._networks():
            load_strictly(network, file.under(prefix), str(path))
        for prefix, optimiser in state._optimisers():
            moments = file.under(prefix)
            count = len(moments) // len(ADAM_PARTS)
            kept = optimiser.state_dict()
            kept["state"] = {index: {part: moments[f"{index}.{part}"] for part in ADAM_PARTS} for index in range(count)}
            optimiser.load_state_dict(kept)
        state.scaler.load_state_dict(json.loads(file.metadata.get("scaler", "{}")))
        state.images_seen = int(file.metadata["images_seen"])
        return state

    def _networks(self) -> list[tuple[str, nn.Module]]:
        networks: list[tuple[str, nn.Module]] = [
            ("generator", self.generator),
            ("average", self.average),
            ("discriminators", self.discriminators),
        ]
        return [*networks, ("beginning", self.beginning)] if self.beginning else networks

    def _optimisers(self) -> tuple[tuple[str, torch.optim.Optimizer], ...]:
        return (
            ("generator_optimiser", self.generator_optimiser),
            ("discriminator_optimiser", self.discriminator_optimiser),
        )
