"""The outcome of each photo, and of a batch."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from enlighten_cli.errors import PhotoError


class Status(Enum):
    """Whether a photo was enhanced."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """The outcome of one photo.

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
        What could not be kept, or should be checked, as messages for the user.
    denoised : float
        Part of the photo's area from which noise was removed, in [0, 1].
    error : Exception or None
        Why it failed.
    examined : object
        The result of the batch's `examine`.
    """

    source: Path
    output: Path
    status: Status
    reason: str = ""
    seconds: float = 0.0
    width: int = 0
    height: int = 0
    notes: tuple[str, ...] = ()
    denoised: float = 0.0
    error: Exception | None = None
    examined: object = None

    def record(self) -> dict[str, Any]:
        """Return the photo's JSON record; names that are not valid Unicode come as lone surrogates."""
        return {
            "type": "photo",
            "source": os.fspath(self.source),
            "output": os.fspath(self.output),
            "status": self.status.value,
            "reason": self.reason,
            "seconds": round(self.seconds, 4),
            "width": self.width,
            "height": self.height,
            "denoised": round(self.denoised, 4),
            "notes": list(self.notes),
        }


@dataclass
class Summary:
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
        """The exit code of the process."""
        return PhotoError.exit_code if self.counts[Status.FAILED] else 0

    def summary(self, seconds: float, ignored: int = 0) -> str:
        """Return one line for a person."""
        done, skipped, failed = (self.counts[status] for status in Status)
        line = f"{done} {'photo' if done == 1 else 'photos'} ({self.megapixels:.1f} megapixels) in {seconds:.1f} s"
        for count, what in ((skipped, "skipped"), (failed, "failed"), (ignored, "other files ignored")):
            if count:
                line += f", {count} {what}"
        return line

    def record(self, seconds: float, ignored: int = 0) -> dict[str, Any]:
        """Return the batch's JSON record."""
        counts = {status.value: self.counts[status] for status in Status}
        return {
            "type": "summary",
            **counts,
            "ignored": ignored,
            "megapixels": round(self.megapixels, 3),
            "seconds": round(seconds, 4),
        }
