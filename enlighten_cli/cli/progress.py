"""Progress on stderr: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from enlighten_cli.batch.jobs import Job, Photos
from enlighten_cli.batch.outcome import Outcome
from enlighten_cli.cli.console import say, visible
from enlighten_cli.stores.address import Address

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn


class BatchLines:
    """Lines about a batch.

    Parameters
    ----------
    shown : bool
        Whether to print remarks; problems are always printed.
    """

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""

    def tiles(self, job: Job, done: int, total: int) -> None:
        """Hear how far the current photo is."""

    def advance(self, outcome: Outcome) -> None:
        """Count one photo."""

    def say(self, line: str) -> None:
        """Print a remark, if remarks are shown."""
        if self._shown:
            self.complain(line)

    def complain(self, line: str) -> None:
        """Print a problem, with control characters escaped."""
        say(line)


class BatchBars(BatchLines):
    """Progress bars for the photos, and for the tiles of the current one.

    Parameters
    ----------
    photos : Photos
        Photos of the batch; another thread counts them, so that the work does not wait for it.
    """

    def __init__(self, photos: Photos) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

        super().__init__(shown=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
        )
        self._progress = _bars(*columns)
        self._photos = self._progress.add_task("photos", total=None, speed="")
        self._tiles = self._progress.add_task("tiles", total=1, visible=False, speed="")
        self._megapixels = 0.0
        self._counted = Photos(photos.inputs, photos.without)
        # To list a store a second time, for a number, would be a thousand requests for a million photos.
        self._counts = not any(isinstance(path, Address) and path.is_dir() for path in photos.inputs)

    def __enter__(self) -> Self:
        """Show the bars."""
        self._progress.start()
        if self._counts:
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
        from rich.markup import escape

        self._progress.update(
            self._tiles, description=escape(visible(job.source.name)), completed=done, total=total, visible=total > 1
        )

    def advance(self, outcome: Outcome) -> None:
        """Count one photo."""
        self._megapixels += outcome.width * outcome.height / 1e6
        elapsed = self._progress.tasks[0].elapsed or 0
        speed = f"{self._megapixels / elapsed:.1f} megapixels/s" if elapsed else ""
        self._progress.update(self._photos, advance=1, speed=speed)

    def complain(self, line: str) -> None:
        """Print a problem above the bars, with control characters escaped."""
        self._progress.console.print(visible(line), markup=False)


def batch_progress(photos: Photos, *, shown: bool) -> BatchLines:
    """Return bars on a terminal; elsewhere, and where they are not to be shown, lines."""
    return BatchBars(photos) if shown and _on_terminal() else BatchLines(shown=shown)


@contextmanager
def counted(total: int, *, shown: bool) -> Iterator[Callable[[str], None]]:
    """Show a bar on a terminal; the function that is given advances it by one, and shows a name."""
    if not (shown and _on_terminal()):
        yield lambda name: None
        return
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with _bars(*columns) as bar:
        task = bar.add_task("", total=total)
        yield lambda name: bar.update(task, advance=1, description=escape(visible(name)))


def _bars(*columns: ProgressColumn) -> Progress:
    from rich.progress import Progress

    return Progress(*columns, console=_console(), transient=True)


def _console() -> Console:
    from rich.console import Console

    return Console(stderr=True, soft_wrap=True, highlight=False)


def _on_terminal() -> bool:
    """Tell whether bars can be drawn; rich, which takes long to import, has the last word."""
    forced = any(name in os.environ for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"))
    return (forced or sys.stderr.isatty()) and _console().is_terminal
