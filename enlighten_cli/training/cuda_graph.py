"""CUDA graphs: a GPU repeats a long sequence of small operations without waiting for Python to launch each."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import torch
from torch import Tensor

WARM_UP_CALLS = 2  # before the capture, so that libraries have allocated and chosen what they need


def graphed(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Capture a function on its first call for each shape, and replay the graph from then on.

    On other devices than a GPU, the function is called as it is.

    Parameters
    ----------
    function : callable
        A function of one tensor, without gradients, that neither waits for the GPU nor depends on the tensor's values
        except through operations on the GPU.
    """
    graphs: dict[tuple[torch.Size, torch.device], tuple[Tensor, torch.cuda.CUDAGraph, Tensor]] = {}

    @wraps(function)
    @torch.no_grad()
    def replayed(values: Tensor) -> Tensor:
        if values.device.type != "cuda":
            return function(values)
        key = values.shape, values.device
        if key not in graphs:
            graphs[key] = _captured(function, values)
        static_input, graph, static_output = graphs[key]
        static_input.copy_(values)
        graph.replay()
        return static_output.clone()

    return replayed


def _captured(function: Callable[[Tensor], Tensor], values: Tensor) -> tuple[Tensor, torch.cuda.CUDAGraph, Tensor]:
    """Return the tensor that the graph reads, the graph, and the tensor that it writes."""
    static_input = values.clone(memory_format=torch.contiguous_format)
    aside = torch.cuda.Stream(values.device)  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream(values.device))
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP_CALLS):
            function(static_input)
    torch.cuda.current_stream(values.device).wait_stream(aside)
    torch.cuda.synchronize(values.device)
    graph = torch.cuda.CUDAGraph()
    # Another thread may be making samples on the same GPU meanwhile.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        static_output = function(static_input)
    return static_input, graph, static_output
