"""What became of each photo, and of all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from enlighten_cli.errors import NothingToDoError, PhotoError


class Status(Enum):
    """What became of one photo."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of one photo, in words.

    Parameters
    ----------
    source, output : Path
    status : Status
    reason : str
        Why it was skipped or failed; empty when done.
    seconds : float
    width, height : int
        Size in pixels; 0 where the photo was not decoded.
    notes : tuple of str
        What could not be kept, or is worth knowing.
    """

    source: Path
    output: Path
    status: Status
    reason: str = ""
    seconds: float = 0.0
    width: int = 0
    height: int = 0
    notes: tuple[str, ...] = ()


@dataclass
class Report:
    """Counts over a batch, from which the exit code follows."""

    counts: Counter[Status] = field(default_factory=Counter)
    megapixels: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count one photo."""
        self.counts[outcome.status] += 1
        if outcome.status is Status.DONE:
            self.megapixels += outcome.width * outcome.height / 1e6

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        if self.counts[Status.FAILED]:
            return PhotoError.exit_code
        return 0 if self.counts.total() else NothingToDoError.exit_code

    def summary(self, seconds: float) -> str:
        """Return one line for a person."""
        done, skipped, failed = (self.counts[status] for status in Status)
        line = f"{done} {'photo' if done == 1 else 'photos'} ({self.megapixels:.1f} megapixels) in {seconds:.1f} s"
        if skipped:
            line += f", {skipped} skipped"
        if failed:
            line += f", {failed} failed"
        return line
