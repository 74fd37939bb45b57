"""Export a trained network to one ONNX file, checked against PyTorch before it is written."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from enlighten_cli import __version__
from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import TrainingError
from enlighten_cli.models.download import sha256_of
from enlighten_cli.models.network import MULTIPLE_PX, RECEPTIVE_FIELD_PX
from enlighten_cli.models.session import Model
from enlighten_cli.training.checkpoint import Weights, read_weights, write_weights
from enlighten_cli.training.networks.generator import EnlightenNet
from enlighten_cli.training.networks.rgb_network import RgbNetwork
from enlighten_cli.training.tracing import traced

PARITY = 0.5 / 255
HALF_PARITY = 2 / 255
PARITY_SIZES = ((16, 16), (64, 48), (160, 208))


def export_onnx(
    checkpoint: Path, output: Path, *, name: str, licence: str, half: bool = False, training_pixels: int | None = None
) -> float:
    """Write a checkpoint's generator as an ONNX file without external data.

    Kernels are stored in fp16.

    Parameters
    ----------
    checkpoint : Path
        Any file that `read_weights` reads.
    output : Path
    name, licence : str
        Recorded in the file.
    half : bool
        Whether the graph also computes in fp16, with inputs and outputs in fp32: for CUDA.
    training_pixels : int, optional
        Size, in pixels, to which photos were reduced in training; by default as recorded in the checkpoint.

    Returns
    -------
    float
        Largest difference between ONNX Runtime and PyTorch, for results in [0, 1].

    Raises
    ------
    ModelError
        If the checkpoint cannot be read.
    TrainingError
        If the two differ by more than half an 8-bit step, or by two steps with `half`; then nothing
        is written.
    """
    weights = read_weights(checkpoint)
    generator = weights.generator
    model = _traced(_half_precision(generator) if half else generator)
    if not half:
        _store_kernels_as_half(model)
    metadata = {
        "name": name,
        "version": __version__,
        "licence": licence,
        "width": str(generator.width),
        "reach": str(RECEPTIVE_FIELD_PX),
        "align_corners": str(generator.align_corners).lower(),
        "attention": str(generator.attention).lower(),
        "training_pixels": _training_pixels(weights, training_pixels),
        "weights_sha256": sha256_of(checkpoint),
    }
    helper.set_model_props(model, metadata)
    return _written(model, output, generator, HALF_PARITY if half else PARITY)


def export_network(network: RgbNetwork, output: Path, metadata: Mapping[str, str]) -> float:
    """Write a network as an ONNX file without external data.

    Parameters
    ----------
    network : RgbNetwork
    output : Path
    metadata : mapping of str to str
        Recorded in the file, with the network's width, reach and memory.

    Returns
    -------
    float
        Largest difference between ONNX Runtime and PyTorch, for results in [0, 1].

    Raises
    ------
    TrainingError
        If the two differ by more than half an 8-bit step; then nothing is written.
    """
    model = _traced(network)
    said = {
        "version": __version__,
        "width": str(network.width),
        "reach": str(network.reach_px),
        "bytes_per_pixel": str(network.bytes_per_pixel),
        **metadata,
    }
    helper.set_model_props(model, said)
    return _written(model, output, network, PARITY)


def _written(model: onnx.ModelProto, output: Path, network: nn.Module, bar: float) -> float:
    """Write a graph if it agrees with the network, and return the largest difference."""
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        candidate = Path(folder, output.name)
        candidate.write_bytes(content)
        difference = parity(network, Model(candidate))
    if not difference <= bar:
        raise TrainingError(
            f"{output}: not written: ONNX Runtime and PyTorch differ by {difference * 255:.2f}/255, "
            f"more than {bar * 255}/255"
        )
    write_whole(output, content)
    return difference


def export_weights(
    checkpoint: Path, output: Path, *, name: str, licence: str, training_pixels: int | None = None
) -> None:
    """Write a checkpoint's generator as safetensors, and its discriminators beside it.

    Raises
    ------
    ModelError
        If the checkpoint cannot be read.
    """
    weights: Weights = read_weights(checkpoint)
    metadata = {"name": name, "licence": licence, "training_pixels": _training_pixels(weights, training_pixels)}
    write_weights(output, weights.generator, weights.discriminators, metadata)


def _training_pixels(weights: Weights, given: int | None) -> str:
    return str(weights.training_pixels if given is None else given)


class _Affine(nn.Module):
    """A batch norm for inference: scale and shift of each channel, which fit fp16 even if the variances do not."""

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
        self.register_buffer("scale", scale.view(1, -1, 1, 1))
        self.register_buffer("shift", (norm.bias.detach() - norm.running_mean * scale).view(1, -1, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Scale and shift (N, C, H, W)."""
        return torch.addcmul(self.shift, features, self.scale)


class _FromFull(nn.Module):
    """A layer that computes in fp32 and returns fp16: shadows are brightened twentyfold, and so are rounding errors."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, features: Tensor) -> Tensor:
        """Compute (N, C, H, W)."""
        return cast("Tensor", self.layer(features)).half()


def _half_precision(generator: EnlightenNet) -> EnlightenNet:
    """Return a copy that computes in fp16, except for its first block and its output."""
    copied = copy.deepcopy(generator)
    for name, module in generator.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            copied.set_submodule(name, _Affine(module))
    copied.half()
    # The first block, which sees the dark input, stays in fp32.
    copied.set_submodule("conv1_1", copy.deepcopy(generator.get_submodule("conv1_1")))
    copied.set_submodule("bn1_1", _FromFull(copy.deepcopy(generator.get_submodule("bn1_1"))))
    return copied


def _traced(network: nn.Module) -> onnx.ModelProto:
    """Trace the graph, with any multiples of 16 as height and width."""
    example = torch.zeros(1, 3, 4 * MULTIPLE_PX, 6 * MULTIPLE_PX)
    return traced(network, {"rgb": example}, "enhanced", MULTIPLE_PX)


def _store_kernels_as_half(model: onnx.ModelProto) -> None:
    """Replace each 4-D fp32 initializer by an fp16 one and a cast, which runtimes fold when they load the file."""
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) != 4:
            continue
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{tensor.name}_half")
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
        graph.initializer.remove(tensor)
        graph.initializer.append(half)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def parity(network: nn.Module, model: Model) -> float:
    """Return the largest difference between PyTorch and ONNX Runtime, both clamped, on dark and bright noise."""
    random = np.random.default_rng(0)
    largest = 0.0
    for height, width in PARITY_SIZES:
        for exposure in (0.1, 1.0):
            rgb = (random.random((height, width, 3)) * exposure).astype(np.float32)
            with torch.no_grad():
                expected = network(torch.from_numpy(rgb).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
            largest = max(largest, float(np.abs(model(rgb).clip(0, 1) - expected.clip(0, 1)).max()))
    return largest
