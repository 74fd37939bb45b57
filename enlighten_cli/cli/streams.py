"""stdout for results alone, whatever libraries print there."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from enlighten_cli.errors import OutputError

STDOUT, STDERR = 1, 2


class Results:
    """Where the results of a command go: pictures, tables, JSON.

    Every method raises `OutputError` where stdout cannot be written, and `BrokenPipeError` where
    whoever read it has enough.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, content: bytes) -> None:
        """Write bytes."""
        with _said():
            self._stream.write(content)

    def json(self, record: dict[str, Any]) -> None:
        """Write a line of JSON.

        ASCII only: names that are not Unicode survive as escapes, and none can play with a terminal.
        """
        self.write(json.dumps(record).encode("ascii") + b"\n")
        self.flush()

    def flush(self) -> None:
        """Let it go out now."""
        with _said():
            self._stream.flush()


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"stdout: cannot be written: {error.strerror}") from error


@contextmanager
def results_only() -> Iterator[Results]:
    """Give the true stdout away for results, and point file descriptor 1 at stderr.

    ONNX Runtime and libraries below it print to descriptor 1 when a provider fails to load, say;
    in a pipeline that would end up in the picture.

    Yields
    ------
    Results
    """
    if sys.stdout is None:  # closed by whoever started this
        yield Results(io.BytesIO())
        return
    sys.stdout.flush()
    if not _is_descriptor_one():
        yield Results(sys.stdout.buffer)  # replaced by somebody, who then sees to it
        return
    kept = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    try:
        stream = os.fdopen(os.dup(kept), "wb")
        try:
            yield Results(stream)
        finally:
            with suppress(OSError):  # what could not be written was told by the call that wrote it
                stream.close()
    finally:
        os.dup2(kept, STDOUT)
        os.close(kept)


def _is_descriptor_one() -> bool:
    try:
        return sys.stdout.fileno() == STDOUT
    except (OSError, AttributeError):
        return False
