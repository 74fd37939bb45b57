"""``enlighten export``: a checkpoint as a model to use, or as weights to fine-tune."""

from __future__ import annotations

from pathlib import Path

import click

from enlighten_cli.cli.console import say
from enlighten_cli.cli.outputs import is_same
from enlighten_cli.cli.requirements import require_training
from enlighten_cli.errors import UsageError


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File to write: a model to use (.onnx), or weights to fine-tune (.safetensors).",
)
@click.option("--name", help="Name recorded in the file; by default that of the output.")
@click.option("--licence", default="not stated", show_default=True, help="Licence recorded in the file.")
@click.option(
    "--training-pixels",
    type=click.IntRange(min=0),
    help="Pixels of the training photos, recorded in the file; by default what the checkpoint says. 0: any size.",
)
@click.option("--fp16", is_flag=True, help="Write a graph in fp16, for CUDA; name it like the model, plus -fp16.")
def export(
    checkpoint: Path, output: Path, name: str | None, licence: str, training_pixels: int | None, fp16: bool
) -> None:
    """Write the network of a CHECKPOINT as one file.

    CHECKPOINT is a run's checkpoint, a .safetensors file of weights or the published .pth. An
    ONNX file is written only if ONNX Runtime agrees with PyTorch within 0.5/255, or within 2/255
    with --fp16. On CUDA, MODEL-fp16.onnx is used if it is beside MODEL.onnx.
    """
    if output.suffix not in (".onnx", ".safetensors"):
        raise UsageError(f"{output}: the name must end in .onnx or .safetensors")
    if is_same(output, checkpoint):
        raise UsageError(f"{output}: is the checkpoint itself; choose another -o")
    if fp16 and output.suffix != ".onnx":
        raise UsageError("--fp16 is for .onnx; .safetensors weights are fp16 anyway")
    require_training()
    from enlighten_cli.training.checkpoint import is_checkpoint
    from enlighten_cli.training.export import export_onnx, export_weights
    from enlighten_cli.training.recipe import objective_of

    if output.suffix == ".safetensors" and is_checkpoint(output):
        raise UsageError(f"{output}: is the checkpoint of a run, which --resume needs; choose another -o")

    name = name or output.stem
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
