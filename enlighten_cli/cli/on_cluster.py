"""A batch on a Ray cluster (``--on``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from enlighten_cli.batch.executors.ray import RayExecutor
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.photo_work import BatchOptions, Examine
from enlighten_cli.cli.arguments import EnhanceArguments
from enlighten_cli.cli.console import say
from enlighten_cli.cluster.address import ClusterAddress
from enlighten_cli.cluster.connection import connected
from enlighten_cli.cluster.sent_model import SentModel
from enlighten_cli.cluster.shared_files import marked
from enlighten_cli.cluster.worker import OpenedModel
from enlighten_cli.models.device import Device
from enlighten_cli.models.registry import DEFAULT_MODEL


@contextmanager
def started_on_cluster(
    arguments: EnhanceArguments,
    address: str,
    options: BatchOptions,
    first: Job,
    tell: Callable[[Job, int, int], None],
    stopping: Callable[[], bool],
    make_examine: Callable[[str, int], Examine] | None,
) -> Iterator[tuple[RayExecutor, OpenedModel]]:
    """Start workers that hold the model; see `started_executor`."""
    model, device = SentModel.packed(arguments.model or DEFAULT_MODEL), Device.parse(arguments.device)
    with marked(first.source, first.output) as files, connected(ClusterAddress.parse(address)) as ray:
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
