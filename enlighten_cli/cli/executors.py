"""Choose where photos are enhanced: in this process, or on a Ray cluster (``--on``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from enlighten_cli.batch.executors import Executor
from enlighten_cli.batch.executors.local import LocalExecutor
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.photo_work import BatchOptions, Examine, PhotoWork
from enlighten_cli.cli.arguments import STREAM, EnhanceArguments
from enlighten_cli.errors import UsageError
from enlighten_cli.models.network import NamedNetwork
from enlighten_cli.stores.address import Place

if TYPE_CHECKING:  # a cluster is rare, and a lot to import
    from enlighten_cli.cluster.worker import OpenedModel


def check_cluster(arguments: EnhanceArguments, inputs: Iterable[Place]) -> None:
    """Refuse options that do not work on a cluster, and begin nothing without Ray.

    Raises
    ------
    UsageError
    MissingDependencyError
    """
    if arguments.on is None:
        return
    if arguments.to_stdout or Path(STREAM) in inputs:
        raise UsageError("- (stdin or stdout) is one photo, for this machine; leave out --on")
    for place in (*inputs, arguments.output or ""):
        if str(place).startswith("memory://"):
            raise UsageError(f"{place}: is in the memory of this process, which no cluster sees; leave out --on")
    from enlighten_cli.cluster.address import ClusterAddress, require_ray

    require_ray(ClusterAddress.parse(arguments.on))


@contextmanager
def started_executor(
    arguments: EnhanceArguments,
    options: BatchOptions,
    first: Job,
    tell: Callable[[Job, int, int], None],
    stopping: Callable[[], bool],
    make_examine: Callable[[str, int], Examine] | None,
) -> Iterator[tuple[Executor, NamedNetwork | OpenedModel]]:
    """Load the model, here or on a cluster; yield what works on photos, and facts about the model.

    Parameters
    ----------
    arguments : EnhanceArguments
    options : BatchOptions
    first : Job
        Whose files the machines of a cluster must see.
    tell, stopping
        See `run_batch`; a cluster tells of whole photos only.
    make_examine : callable or None
        See `RayExecutor`.
    """
    if arguments.on is not None:
        from enlighten_cli.cli.on_cluster import started_on_cluster  # rare, and a lot to import

        with started_on_cluster(arguments, arguments.on, options, first, tell, stopping, make_examine) as started:
            yield started
        return
    network = arguments.network()
    examine = make_examine(network.name, 1) if make_examine else None
    yield LocalExecutor(PhotoWork(network, options, tell, stopping, examine), options.at_once), network
