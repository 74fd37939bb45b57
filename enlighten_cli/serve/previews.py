"""A cache of previews, limited by memory; the least recently used is dropped first."""

from __future__ import annotations

import threading
from collections import OrderedDict

from enlighten_cli.batch.memory import MemoryBudget, cost_of
from enlighten_cli.photo import Limits, decode
from enlighten_cli.photo.source import opened_source
from enlighten_cli.serve.gallery import Shown
from enlighten_cli.serve.preview import Preview
from enlighten_cli.serve.work import Stop


class _Place:
    """A photo's entry in the cache; its lock is held while the preview is made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.preview: Preview | None = None


class Previews:
    """The previews of all photos; thread-safe.

    Parameters
    ----------
    limits : Limits
        Photos beyond these are not decoded.
    budget : MemoryBudget
        Memory for decoding is reserved from it.
    most_bytes : int
        Memory for all previews together; the most recent one is kept whatever its size.
    """

    def __init__(self, limits: Limits, budget: MemoryBudget, most_bytes: int) -> None:
        self._limits, self._budget, self._most_bytes = limits, budget, most_bytes
        self._lock = threading.Lock()
        self._places: OrderedDict[str, _Place] = OrderedDict()

    def of(self, photo: Shown, stop: Stop) -> Preview:
        """Return a photo's preview; decode the photo if it is not in the cache.

        Raises
        ------
        PhotoError
            If the photo cannot be read.
        """
        with self._lock:
            place = self._places.setdefault(photo.id, _Place())
            self._places.move_to_end(photo.id)
        with place.lock:
            if place.preview is None:
                stop.check()
                with opened_source(photo.job.source, self._limits) as source, self._budget.reserved(cost_of(source)):
                    stop.check()
                    decoded = decode(source.read(), self._limits, suffix=photo.job.source.suffix)
                place.preview = Preview(decoded)
            preview = place.preview
        self.trim()
        return preview

    def forget(self, photo: Shown) -> None:
        """Drop a photo's preview."""
        with self._lock:
            self._places.pop(photo.id, None)

    def trim(self) -> None:
        """Drop the least recently used previews until the rest fit the limit."""
        with self._lock:
            sizes = {key: place.preview.size_bytes for key, place in self._places.items() if place.preview}
            total = sum(sizes.values())
            for key in list(sizes)[:-1]:
                if total <= self._most_bytes:
                    break
                total -= sizes[key]
                del self._places[key]
