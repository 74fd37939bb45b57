"""Choose where photos are enhanced: in this process, or on a Ray cluster (``--on``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from enlighten_cli.cli.arguments import STREAM, EnhanceArguments
from enlighten_cli.cli.console import say
from enlighten_cli.errors import UsageError

if TYPE_CHECKING:
    from enlighten_cli.batch.executors import Executor
    from enlighten_cli.batch.jobs import Job
    from enlighten_cli.batch.photo_work import BatchOptions, Examine
    from enlighten_cli.cluster.worker import OpenedModel
    from enlighten_cli.models.network import NamedNetwork
    from enlighten_cli.stores.address import Place

NOT_ON_CLUSTERS = ("watch", "preview")


def check_cluster(arguments: EnhanceArguments, inputs: Iterable[Place]) -> None:
    """Refuse options that do not work on a cluster, and begin nothing without Ray.

    Raises
    ------
    UsageError
    MissingDependencyError
    """
    if arguments.on is None:
        return
    for option in NOT_ON_CLUSTERS:
        if getattr(arguments, option):
            raise UsageError(f"--{option} works on this machine; leave out --on")
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
    if arguments.on is None:
        from enlighten_cli.batch.executors.local import LocalExecutor
        from enlighten_cli.batch.photo_work import PhotoWork

        network = arguments.network()
        examine = make_examine(network.name, 1) if make_examine else None
        yield LocalExecutor(PhotoWork(network, options, tell, stopping, examine), options.at_once), network
        return
    from enlighten_cli.batch.executors.ray import RayExecutor
    from enlighten_cli.cluster.address import ClusterAddress
    from enlighten_cli.cluster.connection import connected
    from enlighten_cli.cluster.sent_model import SentModel
    from enlighten_cli.cluster.shared_files import marked
    from enlighten_cli.models.device import Device
    from enlighten_cli.models.registry import DEFAULT_MODEL

    model, device = SentModel.packed(arguments.model or DEFAULT_MODEL), Device.parse(arguments.device)
    with marked(first.source, first.output) as files, connected(ClusterAddress.parse(arguments.on)) as ray:
        executor = RayExecutor(
            ray,
            model,
            options,
            files,
            device=device,
            threads=arguments.threads,
            tell=tell,
            stopping=stopping,
            make_examine=make_examine,
        )
        try:
            if executor.network.warning and not arguments.quiet:
                say(f"enlighten: {executor.network.warning}")
            yield executor, executor.network
        finally:
            executor.close()
