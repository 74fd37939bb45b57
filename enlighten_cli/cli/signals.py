"""Ending well when asked to: Ctrl-C and SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from enlighten_cli.cli.console import say

SIGNALLED = 128  # a shell's exit code for a signal begins here
GRACE_SECONDS = 10.0


@contextmanager
def interruptible(grace_seconds: float | None = GRACE_SECONDS) -> Iterator[list[int]]:
    """Collect the first SIGINT or SIGTERM, for the work to end well; a second one ends it at once.

    Parameters
    ----------
    grace_seconds : float or None
        How long the work may take to end; after that the process ends. None: as long as it takes.

    Yields
    ------
    list of int
        The signals received so far.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received  # only the main thread may listen
        return
    patience: list[threading.Timer] = []

    def receive(number: int, frame: FrameType | None) -> None:
        if received:
            os._exit(SIGNALLED + number)
        received.append(number)
        if grace_seconds is not None:
            patience.append(threading.Timer(grace_seconds, _end, (number,)))
            patience[0].daemon = True
            patience[0].start()

    previous = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for timer in patience:
            timer.cancel()


def _end(number: int) -> None:
    """End a process whose work does not end: a network that never returns, say."""
    say("enlighten: stopped while a photo was being enhanced; its result was not written")
    os._exit(SIGNALLED + number)
