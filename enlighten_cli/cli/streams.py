"""stdout for results alone, whatever libraries print there."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

STDOUT, STDERR = 1, 2


@contextmanager
def results_only() -> Iterator[BinaryIO]:
    """Give the true stdout away for results, and point file descriptor 1 at stderr.

    ONNX Runtime and libraries below it print to descriptor 1 when a provider fails to load, say;
    in a pipeline that would end up in the picture.

    Yields
    ------
    BinaryIO
        Where results go.
    """
    if sys.stdout is None:  # closed by whoever started this
        yield io.BytesIO()
        return
    sys.stdout.flush()
    if not _is_descriptor_one():
        yield sys.stdout.buffer  # replaced by somebody, who then sees to it
        return
    kept = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    try:
        with os.fdopen(os.dup(kept), "wb") as results:
            yield results
    finally:
        os.dup2(kept, STDOUT)
        os.close(kept)


def _is_descriptor_one() -> bool:
    try:
        return sys.stdout.fileno() == STDOUT
    except (OSError, AttributeError):
        return False
