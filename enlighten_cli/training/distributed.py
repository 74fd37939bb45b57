"""Data-parallel training: torchrun starts one process for each device, and all take the same steps."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn


@dataclass(frozen=True)
class Group:
    """The rank of this process in a group of processes; by default it is the only one.

    Parameters
    ----------
    rank : int
        Of this process; rank 0 writes files and messages.
    size : int
        Number of processes; each takes its part of every batch.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and messages."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace the gradients by their means over all processes, so that all take the same step."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        together = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(together)
        together /= self.size
        parts = torch.split(together, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def any(self, asked: bool, device: torch.device) -> bool:
        """Tell whether any process was asked to stop, so that all stop after the same step."""
        if self.size == 1:
            return asked
        flag: Tensor = torch.tensor(float(asked), device=device)
        distributed.all_reduce(flag)
        return bool(flag)


ONE_PROCESS = Group()


def local_rank() -> int | None:
    """Return the rank of this process on its machine, as set by torchrun; None without torchrun."""
    return int(os.environ["LOCAL_RANK"]) if "LOCAL_RANK" in os.environ else None


@contextmanager
def joined(device: torch.device) -> Iterator[Group]:
    """Join the processes that torchrun started, until the end of the block.

    Yields
    ------
    Group
        Of this process only, without torchrun.
    """
    if local_rank() is None:
        yield ONE_PROCESS
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Group(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
