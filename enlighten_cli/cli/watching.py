"""Run ``enlighten watch``: enhance photos as they arrive in a folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from enlighten_cli.batch.jobs import Destination, Found, Photos, find_jobs
from enlighten_cli.batch.outcome import Status, Summary
from enlighten_cli.batch.runner import run_batch
from enlighten_cli.cli.addresses import check_is_file
from enlighten_cli.cli.arguments import ResultArguments
from enlighten_cli.cli.console import say
from enlighten_cli.cli.signals import SIGNALLED, interruptible
from enlighten_cli.cli.streams import Results, results_only
from enlighten_cli.cli.truncation import reason_of
from enlighten_cli.errors import MissingDependencyError, NothingToDoError, how_to_install
from enlighten_cli.models.network import NamedNetwork
from enlighten_cli.stores.address import as_file

# A file that has not changed for this long counts as complete; programs pause for less while they copy.
SETTLED_SECONDS = 2.0
TICK_MS = 250


@dataclass(frozen=True, kw_only=True)
class WatchArguments(ResultArguments):
    """The arguments of ``enlighten watch``."""

    folder: Path


class Arrivals(Photos):
    """The photos of a folder that have arrived completely, for `find_jobs`.

    Parameters
    ----------
    folder : Path
    paths : list of Path
        Photos below the folder.
    """

    def __init__(self, folder: Path, paths: list[Path]) -> None:
        super().__init__([folder])
        self._paths = paths

    def __iter__(self) -> Iterator[Found]:
        """Yield the photos."""
        for path in self._paths:
            yield Found(path, self.inputs[0], named=False)


class Settling:
    """Files that another program may still be writing, until they stop changing.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[Path, tuple[tuple[int, int] | None, float]] = {}

    def note(self, path: Path) -> None:
        """Start, or restart, waiting for a file."""
        self._waiting[path] = (_state(path), self._clock())

    def complete(self) -> list[Path]:
        """Return the files whose size and time have not changed for long enough, each once."""
        now, ready = self._clock(), []
        for path, (before, since) in sorted(self._waiting.items()):
            state = _state(path)
            if state is None:  # deleted
                del self._waiting[path]
            elif state != before:
                self._waiting[path] = (state, now)
            elif state[0] and now - since >= SETTLED_SECONDS:
                del self._waiting[path]
                ready.append(path)
        return ready


def _state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def watch_folder(arguments: WatchArguments) -> int:
    """Enhance the photos in a folder, and those that arrive, until a signal; return the exit code."""
    if arguments.output:
        check_is_file("-o", Path(arguments.output))
    if find_spec("watchfiles") is None:
        raise MissingDependencyError(f"watching needs watchfiles; {how_to_install('watch', 'watchfiles')}")
    with results_only() as results, interruptible() as signals:
        return _watch(arguments, results, signals)


def _watch(arguments: WatchArguments, results: Results, signals: list[int]) -> int:
    from watchfiles import watch  # may be absent

    folder = arguments.folder
    destination, network = arguments.destination([folder]), arguments.network()
    without = as_file(destination.path) if destination.path and destination.is_folder else None
    batch, settling = _Batches(arguments, destination, network, results, signals), Settling()
    changes = watch(
        folder,
        watch_filter=None,
        step=TICK_MS // 5,
        debounce=TICK_MS,
        rust_timeout=TICK_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
    )
    next(changes)  # from here on, no change is missed
    for found in Photos([folder], without):
        settling.note(as_file(found.source))
    if not arguments.quiet:
        say(f"Watching {folder} (Ctrl-C stops it)")
    for changed in changes:
        if signals:
            break
        # The folder may be large: it is not searched for results and temporary files of our own.
        touched = {path for path in (Path(each).absolute() for _, each in changed) if not _is_ours(path, without)}
        if touched:
            # A new folder may have received photos before it was watched.
            folders = {path for path in touched if path.is_dir()}
            for found in Photos([folder], without):  # by the same rules as any batch
                source = as_file(found.source)
                path = source.absolute()
                if path in touched or not folders.isdisjoint(path.parents):
                    settling.note(source)
        if ready := settling.complete():
            batch.run(folder, ready)
        if signals:
            break
    if not arguments.quiet:
        say(f"Stopped watching: {batch.summary.counts[Status.DONE]} brightened.")
    return SIGNALLED + signals[0] if signals else batch.summary.exit_code


def _is_ours(path: Path, without: Path | None) -> bool:
    return path.name.startswith(".") or (without is not None and path.absolute().is_relative_to(without.absolute()))


class _Batches:
    """Runs small batches with one model."""

    def __init__(
        self,
        arguments: WatchArguments,
        destination: Destination,
        network: NamedNetwork,
        results: Results,
        signals: list[int],
    ) -> None:
        self.summary = Summary()
        self._arguments, self._destination, self._network = arguments, destination, network
        self._results, self._signals = results, signals
        self._options = arguments.batch_options()

    def run(self, folder: Path, paths: list[Path]) -> None:
        """Enhance these photos of the folder."""
        try:
            jobs = find_jobs(Arrivals(folder, paths), self._destination)
        except NothingToDoError:  # they are results of earlier batches
            return
        for outcome in run_batch(jobs, self._network, self._options, stopping=lambda: bool(self._signals)):
            self.summary.add(outcome)
            if outcome.status is Status.FAILED:
                say(f"{outcome.source}: {reason_of(outcome.error) if outcome.error else outcome.reason}")
            elif not self._arguments.quiet and (outcome.status is Status.DONE or self._arguments.verbose):
                detail = f" ({outcome.reason})" if outcome.reason else ""
                say(f"{outcome.source} -> {outcome.output}{detail}", *(f"{outcome.source}: {n}" for n in outcome.notes))
            if self._arguments.as_json:
                self._results.record({**outcome.record(), "model": self._network.name})
