"""Reserve stdout for results, whatever libraries print."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from enlighten_cli.cli.console import say
from enlighten_cli.errors import OutputError

STDIN, STDOUT, STDERR = 0, 1, 2


class Results:
    """Stream for the results of a command: pictures, tables, JSON.

    Every method raises `OutputError` if stdout cannot be written, and `BrokenPipeError` if the reader has closed it.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._is_read = True

    def write(self, content: bytes) -> None:
        """Write bytes."""
        with _reported():
            self._stream.write(content)

    def json(self, record: dict[str, Any]) -> None:
        """Write a line of JSON.

        ASCII only: names that are not valid Unicode are kept as escapes, and none can control the terminal.
        """
        self.write(json.dumps(record).encode("ascii") + b"\n")
        self.flush()

    def record(self, record: dict[str, Any]) -> None:
        """Write a line of JSON about a photo that is done; without a reader, the other photos are done all the same."""
        if not self._is_read:
            return
        try:
            self.json(record)
        except BrokenPipeError:
            self._is_read = False
            say("enlighten: the reader of --json has gone; the photos are done without records")

    def flush(self) -> None:
        """Flush the stream."""
        with _reported():
            self._stream.flush()


def replace_closed() -> None:
    """Give the standard streams that the parent process closed to the null device.

    Otherwise the next file that is opened gets such a descriptor, and what libraries print goes into it. `sys.stdin`
    and `sys.stdout` stay None, so that who needs them can say that they are closed.
    """
    for descriptor in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest descriptor that is free
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"stdout: cannot be written: {error.strerror}") from error


@contextmanager
def results_only() -> Iterator[Results]:
    """Give stdout to results only, and point file descriptor 1 at stderr meanwhile.

    ONNX Runtime and its libraries print to descriptor 1, for example if a provider fails to load;
    in a pipeline that would end up in the picture.

    Yields
    ------
    Results
    """
    if sys.stdout is None:  # closed by the parent process
        yield Results(io.BytesIO())
        return
    sys.stdout.flush()
    if not _is_descriptor_one():
        yield Results(sys.stdout.buffer)  # replaced by the caller, a test for example
        return
    kept = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    try:
        stream = os.fdopen(os.dup(kept), "wb")
        try:
            yield Results(stream)
        finally:
            with suppress(OSError):  # already reported by the call that wrote
                stream.close()
    finally:
        os.dup2(kept, STDOUT)
        os.close(kept)


def _is_descriptor_one() -> bool:
    try:
        return sys.stdout.fileno() == STDOUT
    except (OSError, AttributeError):
        return False
