"""Gradient descent: device, mixed precision and the processes of distributed training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from enlighten_cli.training.distributed import ONE_PROCESS, Group

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}
Placed = TypeVar("Placed", bound=Tensor | nn.Module)


class Descent:
    """Minimize losses by gradient descent.

    Parameters
    ----------
    device : torch.device
    precision : str
        ``"fp32"``, ``"bf16"`` or ``"fp16"``, for the networks.
    group : Group
        The processes that share each batch.
    """

    def __init__(self, device: torch.device, precision: str = "fp32", group: Group = ONE_PROCESS) -> None:
        self.device = device
        self.precision = precision
        self.group = group
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")

    def place(self, network_or_batch: Placed) -> Placed:
        """Move a network, or a batch (N, 3, H, W), to the device."""
        placed: Any = network_or_batch
        return cast("Placed", placed.to(self.device, memory_format=torch.channels_last))

    def mixed_precision(self) -> torch.autocast:
        """Return the autocast context for networks; convert their outputs to fp32 before computing a loss."""
        return torch.autocast(self.device.type, HALVES.get(self.precision), enabled=self.precision in HALVES)

    def descend(self, optimiser: Optimizer, losses: Iterable[Tensor]) -> None:
        """Take a step that reduces the sum of the losses; in fp16 they are scaled so that small gradients survive."""
        optimiser.zero_grad()
        self.scaler.scale(torch.stack(list(losses)).sum()).backward()  # type: ignore[no-untyped-call]
        self.group.average_gradients(parameters_of(optimiser))
        self.scaler.step(optimiser)
        self.scaler.update()


def parameters_of(optimiser: Optimizer) -> Sequence[nn.Parameter]:
    """Return the parameters that an optimiser changes."""
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]
