"""The previews that are kept, as far as memory goes; the least recently seen goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict

from enlighten_cli.batch.runner import MemoryBudget, cost_of
from enlighten_cli.photo import Limits, decode
from enlighten_cli.photo.source import opened_source
from enlighten_cli.serve.gallery import Shown
from enlighten_cli.serve.preview import Preview
from enlighten_cli.serve.work import Stop


class _Place:
    """Where one photo's preview is, or is being made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.preview: Preview | None = None


class Previews:
    """Previews by photo; safe to share between threads.

    Parameters
    ----------
    limits : Limits
        What is decoded at all.
    budget : MemoryBudget
        From which decoding takes.
    most_bytes : int
        That previews may take together; one is kept whatever its size.
    """

    def __init__(self, limits: Limits, budget: MemoryBudget, most_bytes: int) -> None:
        self._limits, self._budget, self._most_bytes = limits, budget, most_bytes
        self._lock = threading.Lock()
        self._places: OrderedDict[str, _Place] = OrderedDict()

    def of(self, photo: Shown, stop: Stop) -> Preview:
        """Return a photo's preview, decoded if it was not, or is not any more.

        Raises
        ------
        PhotoError
            If it cannot be read.
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
        """Drop the least recently seen while all together take too much."""
        with self._lock:
            sizes = {key: place.preview.size_bytes for key, place in self._places.items() if place.preview}
            total = sum(sizes.values())
            for key in list(sizes)[:-1]:
                if total <= self._most_bytes:
                    break
                total -= sizes[key]
                del self._places[key]
