"""A worker: a process on some machine that loads the models once, and then works on one task after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from enlighten_cli.cluster.address import ClusterError
from enlighten_cli.cluster.sent_model import SentModel
from enlighten_cli.cluster.shared_files import SharedFiles
from enlighten_cli.cluster.versions import difference, versions
from enlighten_cli.models.device import Device
from enlighten_cli.models.network import NamedNetwork
from enlighten_cli.models.providers import WORDS
from enlighten_cli.resources import available_cores


class Work(Protocol):
    """What a worker does."""

    def __call__(self, task: Any, *, again: bool) -> Any:
        """Do a task; `again` tells that a worker died while it did the same, and maybe after it had done it."""
        ...

    def stop(self) -> None:
        """Make the tasks in work end soon."""
        ...


@dataclass(frozen=True)
class WorkerSpec:
    """What every worker of a run is told; it is pickled.

    Parameters
    ----------
    models : tuple of SentModel
    make_work : callable
        Given the opened models and the part of the machine's memory that is the worker's, returns its work.
    files : SharedFiles
    versions : dict
        Of the machine that started the run; see `versions`.
    cores : int
        Threads of a network.
    device : Device
    """

    models: tuple[SentModel, ...]
    make_work: Callable[[Sequence[NamedNetwork], float], Work]
    files: SharedFiles
    versions: dict[str, str]
    cores: int
    device: Device


@dataclass(frozen=True)
class OpenedModel:
    """How a worker opened a model; see `NamedNetwork`."""

    name: str
    provider: str
    warning: str
    tiles_exactly: bool


def disagreement(first: Sequence[OpenedModel], other: Sequence[OpenedModel]) -> ClusterError:
    """Return the error of a run whose workers compute by different execution providers."""
    ours, theirs = (", ".join(each.provider for each in models) for models in (first, other))
    choices = "|".join(WORDS[1:])
    return ClusterError(f"one worker computes by {ours}, another by {theirs}; choose one: --device {choices}")


class Worker:
    """An actor of Ray."""

    def __init__(self) -> None:
        self._work: Work | None = None

    def start(self, spec: WorkerSpec) -> tuple[OpenedModel, ...]:
        """Check the machine, and load the models.

        Raises
        ------
        ClusterError
            If packages that decide about results have other versions here.
        UsageError
            If the files of the run are not seen here.
        MissingDependencyError, ModelError
            If a model cannot be loaded.
        """
        machine = f"the machine {_machine()}"
        if different := difference(spec.versions, versions()):
            raise ClusterError(f"{machine} has {different}: install the same on all machines")
        spec.files.check(machine)
        networks = [model.opened(threads=spec.cores, device=spec.device) for model in spec.models]
        self._work = spec.make_work(networks, min(1.0, spec.cores / available_cores()))
        return tuple(OpenedModel(each.name, each.provider, each.warning, each.tiles_exactly) for each in networks)

    def run(self, task: Any, again: bool) -> Any:
        """Do a task."""
        assert self._work is not None
        return self._work(task, again=again)

    def stop(self) -> None:
        """Make the tasks in work end soon."""
        if self._work is not None:
            self._work.stop()


def _machine() -> str:
    import platform

    import ray

    address: Any = ray.util.get_node_ip_address  # without annotations
    return f"{platform.node()} ({address()})"
