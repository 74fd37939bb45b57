"""Stop in good order on Ctrl-C and SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from enlighten_cli.cli.console import say

SIGNALLED = 128  # plus the number of the signal: the exit code of a shell
GRACE_SECONDS = 10.0


@contextmanager
def interruptible(grace_seconds: float | None = GRACE_SECONDS) -> Iterator[list[int]]:
    """Record the first SIGINT or SIGTERM, so that the work can stop in good order; a second one ends the process.

    Parameters
    ----------
    grace_seconds : float or None
        Time that the work has to stop, after which the process ends; None: no limit.

    Yields
    ------
    list of int
        The signals received so far.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received  # only the main thread can install handlers
        return
    timers: list[threading.Timer] = []

    def receive(number: int, frame: FrameType | None) -> None:
        if received:
            os._exit(SIGNALLED + number)
        received.append(number)
        if grace_seconds is not None:
            timers.append(threading.Timer(grace_seconds, _end, (number,)))
            timers[0].daemon = True
            timers[0].start()

    previous = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for timer in timers:
            timer.cancel()


def _end(number: int) -> None:
    """End a process whose work does not stop, such as a network that never returns."""
    say("enlighten: stopped while a photo was being enhanced; its result was not written")
    os._exit(SIGNALLED + number)
