"""CUDA graphs of functions: the same results."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from enlighten_cli.training.cuda_graph import graphed


@graphed
def halved(values: Tensor) -> Tensor:
    """Halve."""
    return values / 2


def test_a_function_on_the_cpu_is_called_as_it_is() -> None:
    assert halved.__name__ == "halved"
    assert torch.equal(halved(torch.tensor([2.0, 4.0])), torch.tensor([1.0, 2.0]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_graph_gives_what_the_function_gives() -> None:
    for shape in ((2, 3), (5,), (2, 3)):
        for seed in range(3):
            values = torch.rand(shape, generator=torch.Generator().manual_seed(seed)).cuda()
            first = halved(values)
            halved(values + 1)
            assert torch.equal(first, values / 2)
