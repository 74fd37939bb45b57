"""The processes of a run, one a device, that learn as if they were one (started by torchrun)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn


@dataclass(frozen=True)
class Group:
    """Where this process stands among them; alone, unless told otherwise.

    Parameters
    ----------
    rank : int
        Of this process; number 0 writes files and talks.
    size : int
        How many processes there are; each takes its part of every batch.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give every process the mean of all their gradients, so that all take the same step."""
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
        """Return whether any process was asked, so that all end at the same step."""
        if self.size == 1:
            return asked
        flag: Tensor = torch.tensor(float(asked), device=device)
        distributed.all_reduce(flag)
        return bool(flag)


ALONE = Group()


def local_rank() -> int | None:
    """Return which process of this machine torchrun says this is; None without torchrun."""
    return int(os.environ["LOCAL_RANK"]) if "LOCAL_RANK" in os.environ else None


@contextmanager
def joined(device: torch.device) -> Iterator[Group]:
    """Join the processes that torchrun started, until the end of the block.

    Yields
    ------
    Group
        Of one, where there was no torchrun.
    """
    if local_rank() is None:
        yield ALONE
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Group(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
