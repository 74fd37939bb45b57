"""Export a trained denoiser to one ONNX file, checked against PyTorch before it is written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper

from enlighten_cli import __version__
from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import ModelError, TrainingError
from enlighten_cli.models import denoiser as in_use
from enlighten_cli.models.download import sha256_of
from enlighten_cli.training.checkpoint import load_strictly, read_tensors
from enlighten_cli.training.networks.denoiser import MULTIPLE_PX, Denoiser
from enlighten_cli.training.tracing import traced

PARITY = 0.5 / 255
SIDES_PX = (36, 44)


def export_denoiser(checkpoint: Path, output: Path, *, name: str, licence: str) -> Path:
    """Write the averaged denoiser of a checkpoint as an ONNX file.

    Parameters
    ----------
    checkpoint, output : Path
    name, licence : str
        Recorded in the file.

    Raises
    ------
    ModelError
        If the checkpoint does not hold a denoiser.
    TrainingError
        If ONNX Runtime and PyTorch differ by more than half an 8-bit step after the gain; then nothing is written.
    """
    file = read_tensors(checkpoint)
    tensors = file.under("average") or file.tensors
    first = tensors.get("enter.weight")
    if first is None:
        raise ModelError(f"{checkpoint}: not a denoiser: no tensor enter.weight")
    network = Denoiser(len(first))
    load_strictly(network, tensors, str(checkpoint))
    height, width = (4 * MULTIPLE_PX, 6 * MULTIPLE_PX)
    channels = zip(in_use.INPUTS, (3, 1, 1), strict=True)
    examples = {each: torch.ones(1, count, height, width) for each, count in channels}
    model = traced(network, examples, "denoised", MULTIPLE_PX)
    helper.set_model_props(
        model,
        {"name": name, "version": __version__, "licence": licence, "weights_sha256": sha256_of(checkpoint)},
    )
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        candidate = Path(folder, output.name)
        candidate.write_bytes(content)
        difference = _difference(network, in_use.Denoiser(candidate))
    if not difference <= PARITY:
        raise TrainingError(f"{output}: not written: ONNX Runtime and PyTorch differ by {difference * 255:.2f}/255")
    write_whole(output, content)
    return output


@torch.no_grad()
def _difference(network: Denoiser, exported: in_use.Denoiser) -> float:
    """Return the largest difference, after the gain, on a dark and noisy image."""
    random = np.random.default_rng(0)
    rgb = (random.random((*SIDES_PX, 3)) * 0.1).astype(np.float32)
    noise, gain = (np.full(SIDES_PX, value, np.float32) for value in (0.01, 8.0))
    planes = (rgb.transpose(2, 0, 1), noise[None], gain[None])
    expected = network(*(torch.from_numpy(np.ascontiguousarray(plane))[None] for plane in planes))
    return float(np.abs(gain[..., None] * (exported(rgb, noise, gain) - expected[0].permute(1, 2, 0).numpy())).max())
