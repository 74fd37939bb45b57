"""What a person sees of a batch: bars on a terminal, lines elsewhere, on stderr only."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from enlighten_cli.discover import Job


class BatchProgress:
    """Bars over the photos, and over the tiles of the one at hand.

    Parameters
    ----------
    photos : int
        How many there are.
    shown : bool
        Whether bars and remarks are wanted; complaints are shown always.
    """

    def __init__(self, photos: int, *, shown: bool) -> None:
        self._console = Console(stderr=True, soft_wrap=True, highlight=False)
        self._shown = shown
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not (shown and self._console.is_terminal),
        )
        self._photos = self._progress.add_task("photos", total=photos)
        self._tiles = self._progress.add_task("tiles", total=1, visible=False)

    def __enter__(self) -> Self:
        """Show the bars."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bars away."""
        self._progress.stop()

    def tiles(self, job: Job, done: int, total: int) -> None:
        """Move the bar of the photo at hand."""
        self._progress.update(
            self._tiles, description=escape(job.source.name), completed=done, total=total, visible=total > 1
        )

    def advance(self) -> None:
        """Count one photo."""
        self._progress.update(self._tiles, visible=False)
        self._progress.advance(self._photos)

    def say(self, line: str) -> None:
        """Print a remark, unless remarks are unwanted."""
        if self._shown:
            self.complain(line)

    def complain(self, line: str) -> None:
        """Print a line above the bars; control characters in names are made visible."""
        visible = "".join(character if character.isprintable() else repr(character)[1:-1] for character in line)
        self._console.print(visible, markup=False)
