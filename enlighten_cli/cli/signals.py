"""Ending well when asked to: Ctrl-C and SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALLED = 128  # a shell's exit code for a signal begins here


@contextmanager
def interruptible() -> Iterator[list[int]]:
    """Collect the first SIGINT or SIGTERM, for the work to end well; a second one ends it at once.

    Yields
    ------
    list of int
        The signals received so far.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received  # only the main thread may listen
        return

    def receive(number: int, frame: FrameType | None) -> None:
        if received:
            os._exit(SIGNALLED + number)
        received.append(number)

    previous = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
