"""``enlighten export``: a checkpoint as a model to use, or as weights to fine-tune."""

from __future__ import annotations

from pathlib import Path

import click

from enlighten_cli.cli.requirements import require_training


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
    require_training()
    from enlighten_cli.cli.export import ExportArguments, write_network

    write_network(ExportArguments(checkpoint, output, name or output.stem, licence, training_pixels, fp16))
