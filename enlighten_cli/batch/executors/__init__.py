"""Where the photos of a batch are worked on: in this process, or on a cluster."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.outcome import Outcome
from enlighten_cli.stores.address import Place


class Executor(Protocol):
    """Works on photos side by side.

    Attributes
    ----------
    in_flight : int
        Photos that may be handed over before the oldest one's outcome is awaited.
    """

    @property
    def in_flight(self) -> int: ...  # noqa: D102

    def submit(self, job: Job, output: Place) -> Future[Outcome]:
        """Hand over a photo, with the name that was chosen for its result.

        The future raises `DroppedError` if the batch is stopped first, and an `EnlightenError` that ends the batch if
        the next photo would fail too.
        """
        ...

    def close(self) -> None:
        """Drop the photos in work, and return once nothing works on them any more."""
        ...
