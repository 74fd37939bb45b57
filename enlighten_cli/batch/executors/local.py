"""Photos worked on by a few threads of this process."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.outcome import Outcome
from enlighten_cli.batch.photo_work import PhotoWork
from enlighten_cli.stores.address import Place


class LocalExecutor:
    """An `Executor` in this process.

    Parameters
    ----------
    work : PhotoWork
    at_once : int
        Photos in work at the same time; 1 is one after the other.
    """

    def __init__(self, work: PhotoWork, at_once: int) -> None:
        self.in_flight = at_once
        self._work = work
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="photo")

    def submit(self, job: Job, output: Place) -> Future[Outcome]:
        """Hand a photo to the next free thread."""
        return self._pool.submit(self._work.run, job, output)

    def close(self) -> None:
        """Drop the photos in work, and wait for the threads."""
        self._work.abandoned.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
