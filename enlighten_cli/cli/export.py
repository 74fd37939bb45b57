"""Run ``enlighten export``: a checkpoint as a model to use, or as weights to fine-tune."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from enlighten_cli.cli.console import say
from enlighten_cli.cli.outputs import is_same
from enlighten_cli.errors import UsageError
from enlighten_cli.training.checkpoint import is_checkpoint
from enlighten_cli.training.export import export_onnx, export_weights
from enlighten_cli.training.recipe import objective_of


@dataclass(frozen=True)
class ExportArguments:
    """The arguments of ``enlighten export``."""

    checkpoint: Path
    output: Path
    name: str
    licence: str
    training_pixels: int | None
    fp16: bool


def write_network(arguments: ExportArguments) -> None:
    """Write the network of a checkpoint as one file."""
    checkpoint, output, name = arguments.checkpoint, arguments.output, arguments.name
    licence, training_pixels, fp16 = arguments.licence, arguments.training_pixels, arguments.fp16
    if output.suffix not in (".onnx", ".safetensors"):
        raise UsageError(f"{output}: the name must end in .onnx or .safetensors")
    if is_same(output, checkpoint):
        raise UsageError(f"{output}: is the checkpoint itself; choose another -o")
    if fp16 and output.suffix != ".onnx":
        raise UsageError("--fp16 is for .onnx; .safetensors weights are fp16 anyway")
    if output.suffix == ".safetensors" and is_checkpoint(output):
        raise UsageError(f"{output}: is the checkpoint of a run, which --resume needs; choose another -o")

    objective = objective_of(checkpoint)
    if objective and not objective.has_weights:
        if output.suffix != ".onnx" or fp16 or training_pixels is not None:
            raise UsageError(
                f"{checkpoint}: a network of {objective.Options.objective} is written as .onnx only, in fp32, "
                "with the training pixels of its run"
            )
        say(f"{objective.export(checkpoint, output.with_suffix(''), name=name, licence=licence)}: written")
        return
    if output.suffix == ".safetensors":
        export_weights(checkpoint, output, name=name, licence=licence, training_pixels=training_pixels)
        say(f"{output}: written")
        return
    difference = export_onnx(checkpoint, output, name=name, licence=licence, half=fp16, training_pixels=training_pixels)
    say(f"{output}: written; differs from PyTorch by at most {difference * 255:.4f}/255")
