"""Log of a training run: a bar on a terminal, lines on stderr and in log.txt, and TensorBoard events."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from enlighten_cli import photo
from enlighten_cli.training.loop import SHEET, Status

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TrainingLog:
    """Write lines to log.txt and to stderr, with a progress bar on a terminal.

    Parameters
    ----------
    run : Path
        Folder of the run; lines are appended to its log.txt.
    images : int
        Length of the run, in images.
    tensorboard : bool
        Whether to write TensorBoard's event files too.
    """

    def __init__(self, run: Path, images: int, *, tensorboard: bool = False) -> None:
        self._run = run
        self._images = images
        self._file = (run / "log.txt").open("a", encoding="utf-8")
        self._board = _board(run) if tensorboard else None
        self._console = Console(stderr=True, soft_wrap=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.completed:.0f} of {task.total:.0f} images"),
            BarColumn(),
            TextColumn("{task.description}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=images)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar and close the file."""
        self._bar.stop()
        self._file.close()
        if self._board:
            self._board.close()

    def say(self, line: str) -> None:
        """Write a line to both."""
        self._file.write(f"{line}\n")
        self._file.flush()
        self._console.print(line, markup=False)

    def status(self, status: Status) -> None:
        """Write progress, losses and scores."""
        left = timedelta(seconds=round((self._images - status.images) / status.images_per_second))
        speed = f"{status.images_per_second:.1f} images/s"
        terms = "  ".join(f"{name} {value:.3f}" for name, value in {**status.losses, **status.scores}.items())
        self._bar.update(self._task, completed=status.images, description=f"{left} left  {speed}")
        self.say(f"{status.images:>7} of {self._images} images  {speed}  {left} left  {terms}")
        if self._board:
            self._board.add_scalar("images_per_second", status.images_per_second, status.images)
            for group, values in (("losses", status.losses), ("scores", status.scores)):
                for name, value in values.items():
                    self._board.add_scalar(f"{group}/{name}", value, status.images)
            sheet = self._run / SHEET.format(status.images)
            if sheet.is_file():
                self._board.add_image("sheet", photo.decode(sheet).pixels, status.images, dataformats="HWC")


def _board(run: Path) -> SummaryWriter:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(run))
