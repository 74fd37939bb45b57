"""Widen a generator without changing its function, as a start for training."""

from __future__ import annotations

import torch
from torch import Tensor

from enlighten_cli.errors import UsageError
from enlighten_cli.training.networks.generator import EnlightenNet, seed_of

CONCATENATED = ("conv6_1", "conv7_1", "conv8_1", "conv9_1")  # each of these has two groups of input channels


def widened(generator: EnlightenNet, width: int, seed: int) -> EnlightenNet:
    """Copy a generator with each channel duplicated several times.

    Parameters
    ----------
    generator : EnlightenNet
    width : int
        A multiple of the generator's width.
    seed : int
        Of the random parts in which the copies of a channel share its outgoing weights. The parts are
        unequal, so that the copies can learn to differ.

    Raises
    ------
    UsageError
        If the width is not a multiple.

    Notes
    -----
    Net2WiderNet of Chen, Goodfellow and Shlens, "Net2Net: Accelerating learning via knowledge
    transfer", ICLR 2016, arXiv:1511.05641; here whole layers are duplicated, so that no channels have
    to be chosen.
    """
    factor, rest = divmod(width, generator.width)
    if rest or factor < 1:
        raise UsageError(f"width is {width}; it must be a multiple of the weights' own, {generator.width}")
    wide = EnlightenNet(width, align_corners=generator.align_corners, attention=generator.attention)
    tensors: dict[str, Tensor] = {}
    for name, tensor in generator.state_dict().items():
        layer = name.split(".")[0]
        outputs = 1 if layer == "conv10" else factor  # its outputs are red, green and blue
        if tensor.ndim:
            tensor = tensor.repeat(outputs, *[1] * (tensor.ndim - 1))
        if tensor.ndim == 4 and layer != "conv1_1":  # its inputs are red, green, blue and attention
            groups = tensor.chunk(2, dim=1) if layer in CONCATENATED else (tensor,)
            random = torch.Generator().manual_seed(seed_of(seed, name))
            tensor = torch.cat([_shared(group, factor, random) for group in groups], dim=1)
        tensors[name] = tensor
    wide.load_state_dict(tensors)
    return wide


def _shared(kernel: Tensor, factor: int, random: torch.Generator) -> Tensor:
    """Split a kernel, (out, in, h, w), into parts for the copies of its inputs."""
    parts = torch.rand((factor, *kernel.shape[:2], 1, 1), generator=random) + 0.5
    return torch.cat(list(kernel * parts / parts.sum(dim=0)), dim=1)
