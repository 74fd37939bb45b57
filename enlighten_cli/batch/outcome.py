"""What became of each photo, and of all of them."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from enlighten_cli.errors import PhotoError

LONG_RUN = 20  # photos, after which failures have scrolled away
MOST_NAMES = 20  # of photos that failed, told once more


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
    denoised : float
        Part of the photo's area from which noise was removed, in [0, 1].
    error : Exception or None
        Why it failed.
    examined : object
        What the batch's `examine` made of it.
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
        """Return what JSON says of the photo; names that are not Unicode come as lone surrogates."""
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
    failed: list[Path] = field(default_factory=list)
    """The first photos that failed, as many as are told once more."""

    def add(self, outcome: Outcome) -> None:
        """Count one photo."""
        self.counts[outcome.status] += 1
        if outcome.status is Status.FAILED and len(self.failed) < MOST_NAMES:
            self.failed.append(outcome.source)
        if outcome.status is Status.DONE:
            self.megapixels += outcome.width * outcome.height / 1e6

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        return PhotoError.exit_code if self.counts[Status.FAILED] else 0

    def summary(self, seconds: float, ignored: int = 0) -> str:
        """Return one line for a person."""
        done, skipped, failed = (self.counts[status] for status in Status)
        line = f"{done} {'photo' if done == 1 else 'photos'} ({self.megapixels:.1f} megapixels) in {seconds:.1f} s"
        line += self._rate(seconds)
        for count, what in ((skipped, "skipped"), (failed, "failed"), (ignored, "other files ignored")):
            if count:
                line += f", {count} {what}"
        return line

    def failed_again(self) -> list[str]:
        """Return lines that name the photos which failed, after a run so long that they were told far above."""
        if not self.failed or sum(self.counts.values()) <= LONG_RUN:
            return []
        more = self.counts[Status.FAILED] - len(self.failed)
        return ["failed:", *(f"  {path}" for path in self.failed), *([f"  and {more} more"] if more else [])]

    def _rate(self, seconds: float) -> str:
        """Return how many photos were done in a second, where there were several."""
        done = self.counts[Status.DONE]
        if done < 2 or seconds <= 0:
            return ""
        speed = done / seconds
        return f" ({speed:{'.0f' if speed >= 10 else '.1f' if speed >= 1 else '.2g'}} photos a second)"

    def record(self, seconds: float, ignored: int = 0) -> dict[str, Any]:
        """Return what JSON says of the whole."""
        counts = {status.value: self.counts[status] for status in Status}
        return {
            "type": "summary",
            **counts,
            "ignored": ignored,
            "megapixels": round(self.megapixels, 3),
            "seconds": round(seconds, 4),
            "photos_per_second": round(self.counts[Status.DONE] / seconds, 4) if seconds > 0 else 0.0,
        }
