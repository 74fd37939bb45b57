"""Save and load networks: safetensors, or PyTorch files by restricted loading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import ModelError
from enlighten_cli.models.weights_header import check_generator
from enlighten_cli.training.networks.generator import EnlightenNet

# What PyTorch's restricted loading says where a file has more than tensors. Its advice to load it without restriction
# is not passed on: that would run what somebody else put into the file.
OBJECTS = ("unsupported global", "unsupported class", "trying to call", "can only build", "unsafe", "allowlist")
OPTIONAL_SUFFIX = ".num_batches_tracked"  # torch 0.3 did not count batches


@dataclass(frozen=True)
class TensorFile:
    """The contents of a file of weights."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]

    def under(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors below a prefix; their names lose the prefix."""
        start = f"{prefix}."
        return {name[len(start) :]: tensor for name, tensor in self.tensors.items() if name.startswith(start)}


def read_tensors(path: Path) -> TensorFile:
    """Read a .safetensors file, or a .pth by restricted loading.

    Raises
    ------
    ModelError
        If the file is missing, damaged, or holds anything but tensors.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                return TensorFile({name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {})  # noqa: SIM118
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # for damaged files, both libraries raise exceptions of many types
        raise ModelError(f"{path}: {_why_unreadable(error)}") from error
    if not isinstance(loaded, Mapping) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise ModelError(f"{path}: not a file of weights: it holds something other than named tensors")
    return TensorFile(dict(loaded), {})


def _why_unreadable(error: Exception) -> str:
    """Say why a file cannot be read, never in PyTorch's words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if not isinstance(error, UnpicklingError) or not any(word in str(error).lower() for word in OBJECTS):
        return "not a readable file of weights: damaged, incomplete, or of another kind"
    return (
        "holds Python objects, which may be programs, beside its tensors; it was not loaded, and nothing in it was run."
        " Save the tensors alone: torch.save(network.state_dict(), FILE), or a .safetensors file"
    )


def is_checkpoint(path: Path) -> bool:
    """Tell whether a file is a run's checkpoint, from which training can resume."""
    try:
        return "images_seen" in read_tensors(path).metadata
    except ModelError:
        return False


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a .safetensors file, completely or not at all."""
    write_whole(
        path, save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, dict(metadata))
    )


def load_strictly(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Load a state dict; the error names tensors that are missing, unexpected or of another shape.

    Raises
    ------
    ModelError
        If names or shapes are not exactly the network's; the counts of batches may be missing.
    """
    own = network.state_dict()
    missing = [name for name in own if name not in tensors and not name.endswith(OPTIONAL_SUFFIX)]
    spare = [name for name in tensors if name not in own]
    wrong = [name for name in own if name in tensors and tensors[name].shape != own[name].shape]
    for what, names in (("missing", missing), ("unexpected", spare), ("of another shape", wrong)):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise ModelError(f"{source}: tensors {what}: {', '.join(names[:3])}{more}")
    network.load_state_dict({name: tensors[name].to(own[name].dtype) for name in own if name in tensors}, strict=False)


@dataclass(frozen=True)
class Weights:
    """A generator, read from any supported file.

    `discriminators` holds tensors below ``global`` and ``local``; it is empty if the file has none.
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

    @property
    def training_pixels(self) -> int:
        """Size, in pixels, to which photos were reduced in training; 0 if it is not recorded."""
        pixels = self.metadata.get("training_pixels") or self.metadata.get("look_pixels", "")  # its former name
        return int(pixels) if pixels.isdecimal() else 0


def read_weights(path: Path) -> Weights:
    """Read a generator from shipped weights, a run's checkpoint or a published ``.pth``.

    From a checkpoint, the averaged generator is read if there is one. Published weights (keys may be
    prefixed ``module.``) were trained with `align_corners`, which is set for them.

    Raises
    ------
    ModelError
        If the file is none of these.
    """
    check_generator(path)
    file = read_tensors(path)
    tensors = file.under("average") or file.under("generator") or file.tensors
    tensors = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    first = tensors.get("conv1_1.weight")
    if first is None or first.ndim != 4:
        raise ModelError(f"{path}: not an EnlightenGAN generator: no tensor conv1_1.weight")
    align_corners = file.metadata.get("align_corners", str(path.suffix != ".safetensors")).lower() == "true"
    attention = file.metadata.get("attention", "true") == "true"
    generator = EnlightenNet(len(first), align_corners=align_corners, attention=attention)
    load_strictly(generator, tensors, str(path))
    discriminators = file.under("discriminators")
    if not discriminators and discriminators_beside(path).is_file():
        discriminators = read_tensors(discriminators_beside(path)).tensors
    return Weights(generator.eval(), discriminators, file.metadata)


def discriminators_beside(path: Path) -> Path:
    """Return the path of the discriminators that belong to a file of weights."""
    return path.with_name(f"{path.stem}-discriminators.safetensors")


def write_weights(
    path: Path, generator: EnlightenNet, discriminators: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Write a generator as it is shipped: kernels in fp16, norms in fp32.

    The discriminators, if there are any, are written to a file beside it, for fine-tuning.
    """
    metadata = {
        **metadata,
        "width": str(generator.width),
        "align_corners": str(generator.align_corners).lower(),
        "attention": str(generator.attention).lower(),
    }
    write_tensors(path, half_kernels(generator.state_dict()), metadata)
    if discriminators:
        write_tensors(discriminators_beside(path), half_kernels(discriminators), {})


def half_kernels(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors with kernels in fp16. Norms stay in fp32: they are small, and variances can exceed fp16."""
    return {name: tensor.half() if tensor.ndim == 4 else tensor for name, tensor in tensors.items()}
