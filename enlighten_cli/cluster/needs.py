"""What a worker needs of its machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from enlighten_cli.cluster.address import ClusterError
from enlighten_cli.errors import UsageError
from enlighten_cli.models.device import Device
from enlighten_cli.models.providers import CPU

CORES = 4  # of a worker; more workers with fewer threads do more photos in a second, and need more memory


@dataclass(frozen=True)
class Needs:
    """What a worker needs of its machine.

    Parameters
    ----------
    cores, gpus : int
    """

    cores: int
    gpus: int = 0

    def fitting(self, nodes: list[dict[str, Any]]) -> int:
        """Return how many workers fit into a cluster; nodes are described by ``ray.nodes()``."""
        fit = 0
        for node in nodes:
            if node["Alive"]:
                has = node["Resources"]
                fit += int(min(has.get("CPU", 0) // self.cores, has.get("GPU", 0) // self.gpus if self.gpus else 1e9))
        return fit


def needs_of(ray: Any, device: Device, threads: int | None) -> Needs:
    """Return what a worker needs: one GPU where the cluster has any and the device allows, and some cores.

    Raises
    ------
    ClusterError
        If there is no GPU, and one is required.
    UsageError
        If a certain GPU is required.
    """
    if device.number:
        raise UsageError(f"--device {device}: the cluster chooses the GPUs; write --device {device.kind}")
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = int(device.kind != CPU.word and any(has.get("GPU", 0) >= 1 for has in nodes))
    if device.kind not in ("auto", CPU.word) and not gpus:
        raise ClusterError(f"--device {device}: no machine of the cluster has a GPU")
    cores = [int(has.get("CPU", 0)) for has in nodes if has.get("CPU", 0) >= 1 and has.get("GPU", 0) >= gpus]
    return Needs(threads or min(CORES, *cores, CORES), gpus)
