"""Progress of a batch on stderr: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from enlighten_cli.batch.jobs import Job, Photos
from enlighten_cli.batch.outcome import Outcome
from enlighten_cli.cli.console import visible
from enlighten_cli.stores.address import Address


class BatchProgress:
    """Progress bars for the photos, and for the tiles of the current one.

    Parameters
    ----------
    photos : Photos
        Photos of the batch; another thread counts them, so that the work does not wait for it.
    shown : bool
        Whether to show bars and remarks; problems are always shown.
    """

    def __init__(self, photos: Photos, *, shown: bool) -> None:
        self._console = Console(stderr=True, soft_wrap=True, highlight=False)
        self._shown = shown
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not (shown and self._console.is_terminal),
        )
        self._photos = self._progress.add_task("photos", total=None, speed="")
        self._tiles = self._progress.add_task("tiles", total=1, visible=False, speed="")
        self._megapixels = 0.0
        self._counted = Photos(photos.inputs, photos.without)
        # To list a store a second time, for a number, would be a thousand requests for a million photos.
        self._counts = not any(isinstance(path, Address) and path.is_dir() for path in photos.inputs)

    def __enter__(self) -> Self:
        """Show the bars."""
        self._progress.start()
        if self._counts and not self._progress.disable:
            threading.Thread(target=self._count, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bars."""
        self._progress.stop()

    def _count(self) -> None:
        self._progress.update(self._photos, total=sum(1 for _ in self._counted))

    def tiles(self, job: Job, done: int, total: int) -> None:
        """Update the bar of the current photo."""
        self._progress.update(
            self._tiles, description=escape(visible(job.source.name)), completed=done, total=total, visible=total > 1
        )

    def advance(self, outcome: Outcome) -> None:
        """Count one photo."""
        self._megapixels += outcome.width * outcome.height / 1e6
        elapsed = self._progress.tasks[0].elapsed or 0
        speed = f"{self._megapixels / elapsed:.1f} megapixels/s" if elapsed else ""
        self._progress.update(self._photos, advance=1, speed=speed)

    def say(self, line: str) -> None:
        """Print a remark, if remarks are shown."""
        if self._shown:
            self.complain(line)

    def complain(self, line: str) -> None:
        """Print a problem above the bars, with control characters escaped."""
        self._console.print(visible(line), markup=False)


@contextmanager
def counted(total: int, *, shown: bool) -> Iterator[Callable[[str], None]]:
    """Show a bar on a terminal; the function that is given advances it by one, and shows a name."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task("", total=total)
        yield lambda name: bar.update(task, advance=1, description=escape(visible(name)))
