"""Trace a network to an ONNX graph."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

OPSET = 20
LARGEST_PX = 1 << 20


def traced(network: nn.Module, examples: Mapping[str, Tensor], output: str, multiple_px: int) -> onnx.ModelProto:
    """Trace a network whose inputs may have any multiples of `multiple_px` as height and width.

    Parameters
    ----------
    network : Module
    examples : mapping of str to Tensor, shape (1, C, H, W)
        Example tensors by the names of the graph's inputs, all of the same size.
    output : str
        Name of the graph's output.
    multiple_px : int
    """
    most = LARGEST_PX // multiple_px
    height, width = Dim("rows", min=1, max=most), Dim("columns", min=1, max=most)
    with redirect_stdout(io.StringIO()), warnings.catch_warnings(), _quiet("torch.onnx"):
        warnings.simplefilter("ignore")  # deprecations inside the exporter
        program = torch.onnx.export(
            network.cpu().to(memory_format=torch.contiguous_format).eval(),  # type: ignore[call-overload]
            tuple(examples.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(examples),
            output_names=[output],
            dynamic_shapes={name: {2: multiple_px * height, 3: multiple_px * width} for name in examples},
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    assert isinstance(model, onnx.ModelProto)
    forget_origin(model)
    return model


def forget_origin(model: onnx.ModelProto) -> None:
    """Remove the exporter's notes on where each node came from, which name folders of the machine that exported it."""
    graphs = [model.graph, *model.functions]
    parts = [
        *graphs,
        *(node for graph in graphs for node in graph.node),
        *(v for graph in graphs for v in graph.value_info),
    ]
    parts += [*model.graph.input, *model.graph.output, *model.graph.initializer]
    for part in parts:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Hide the exporter's remarks, such as that torchvision is missing."""
    level = logging.getLogger(logger).level
    logging.getLogger(logger).setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.getLogger(logger).setLevel(level)
