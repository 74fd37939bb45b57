"""The memory that photos in work take together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from enlighten_cli.photo.source import Source

# The decoded and the enhanced pixels, and about as much again for encoding and metadata.
COPIES_OF_PIXELS, CHANNELS = 4, 3


def cost_of(source: Source) -> int:
    """Return the memory that a photo in work takes: its file, twice, and its pixels."""
    if source.kind == "TIFF" and not source.pixels:  # of floats, mostly: as large in memory as in the file
        return (2 + COPIES_OF_PIXELS) * source.size_bytes
    return 2 * source.size_bytes + source.pixels * CHANNELS * COPIES_OF_PIXELS


class MemoryBudget:
    """Memory that the photos in work may take together.

    Parameters
    ----------
    total : int
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def reserved(self, size_bytes: int) -> Iterator[None]:
        """Wait until so many bytes are free, or no other photo holds any, and hold them."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken == 0 or self._taken + size_bytes <= self._total)
            self._taken += size_bytes
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size_bytes
                self._changed.notify_all()
