"""The outcome of each photo, and of a batch."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from enlighten_cli.errors import PhotoError
from enlighten_cli.stores.address import Place

EXISTS = "the output already exists"
LONG_RUN = 20  # photos, after which failures have scrolled away
MOST_NAMES = 20  # of photos that failed, told once more


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
    source, output : Path or Address
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

    source: Place
    output: Place
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
            "source": str(self.source),
            "output": str(self.output),
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
    existing: int = 0
    """Photos that were skipped because their results already exist."""
    last: Outcome | None = None
    failed: list[Place] = field(default_factory=list)
    """The first photos that failed, as many as are told once more."""

    def add(self, outcome: Outcome) -> None:
        """Count one photo."""
        self.counts[outcome.status] += 1
        self.existing += outcome.status is Status.SKIPPED and outcome.reason == EXISTS
        self.last = outcome
        if outcome.status is Status.FAILED and len(self.failed) < MOST_NAMES:
            self.failed.append(outcome.source)
        if outcome.status is Status.DONE:
            self.megapixels += outcome.width * outcome.height / 1e6

    @property
    def exit_code(self) -> int:
        """The exit code of the process."""
        return PhotoError.exit_code if self.counts[Status.FAILED] else 0

    def line(self, seconds: float, *, ignored: int = 0, folder: Place | None = None) -> str:
        """Return one line for a person.

        Parameters
        ----------
        seconds : float
        ignored : int
            Files that were not taken for photos.
        folder : Path or Address, optional
            Where the results are, where one folder was named for them.
        """
        done, skipped, failed = (self.counts[status] for status in Status)
        rest = [f"{failed} failed"] if failed else []
        if ignored:
            rest.append(f"{ignored} other {'file' if ignored == 1 else 'files'} ignored")
        if not done and skipped and not failed:
            return "; ".join([f"Nothing to do: {self._skipped_alone()}", *rest])
        if skipped > self.existing:
            rest.insert(0, f"{skipped - self.existing} skipped as bright enough")
        if self.existing:
            rest.insert(0, f"{self.existing} already {_exist(self.existing)}")
        head = "No photo was brightened"
        if done:
            head = f"Brightened {_photos(done)} in {seconds:.1f} s{self._rate(seconds)}"
        if done == 1 and sum(self.counts.values()) == 1 and self.last:
            head += f" -> {self.last.output}"
        elif done and folder:
            head += f" -> {os.path.join(folder, '') if isinstance(folder, Path) else f'{folder}/'}"
        return "; ".join([head, *rest])

    def stopped_line(self, total: int | None, *, resumes: bool) -> str:
        """Return the line of a batch that was interrupted.

        Parameters
        ----------
        total : int or None
            Photos that there were to do; None where nobody knows.
        resumes : bool
            Whether the same command goes on where this one stopped.
        """
        settled = self.counts[Status.DONE] + self.counts[Status.SKIPPED]
        failed = f", {self.counts[Status.FAILED]} failed" if self.counts[Status.FAILED] else ""
        line = f"Stopped: {settled}{f' of {total}' if total is not None else ''} done{failed}."
        return f"{line} Run the same command to continue." if resumes else line

    def _skipped_alone(self) -> str:
        """Say why nothing was left to do."""
        skipped = self.counts[Status.SKIPPED]
        if skipped == 1 and self.last:
            path = self.last.output if self.existing else self.last.source
            return f"{path} {'already ' + _exist(1) if self.existing else f'is {self.last.reason}'}"
        reasons = []
        if self.existing:
            every = "all " if self.existing == skipped else ""
            reasons.append(f"{every}{self.existing} results already {_exist(self.existing)}")
        if skipped > self.existing:
            reasons.append(f"{_photos(skipped - self.existing)} skipped as bright enough")
        return ", ".join(reasons)

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
        """Return the batch's JSON record."""
        counts = {status.value: self.counts[status] for status in Status}
        return {
            "type": "summary",
            **counts,
            "ignored": ignored,
            "megapixels": round(self.megapixels, 3),
            "seconds": round(seconds, 4),
            "photos_per_second": round(self.counts[Status.DONE] / seconds, 4) if seconds > 0 else 0.0,
        }


def _photos(count: int) -> str:
    return f"{count} {'photo' if count == 1 else 'photos'}"


def _exist(count: int) -> str:
    return "exists (replace it with --overwrite)" if count == 1 else "exist (replace them with --overwrite)"
