"""Files that end too early, decoded as far as they go: for one thread, although Pillow's setting is for all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import ImageFile

_this_thread = threading.local()


class _ForThisThread:
    """Stands for Pillow's ``LOAD_TRUNCATED_IMAGES``: true for threads that are forgiving, as it was for others.

    Parameters
    ----------
    before : bool
        What others set it to.
    """

    def __init__(self, before: bool) -> None:
        self._before = before

    def __bool__(self) -> bool:
        return is_forgiving() or self._before


def is_forgiving() -> bool:
    """Tell whether this thread decodes what there is of a file."""
    return getattr(_this_thread, "forgiving", False)


@contextmanager
def forgiving() -> Iterator[None]:
    """Let this thread's decoders fill up what is missing; those of other threads are as strict as they were."""
    pillow: Any = ImageFile
    if not isinstance(pillow.LOAD_TRUNCATED_IMAGES, _ForThisThread):
        pillow.LOAD_TRUNCATED_IMAGES = _ForThisThread(bool(pillow.LOAD_TRUNCATED_IMAGES))
    _this_thread.forgiving = True
    try:
        yield
    finally:
        _this_thread.forgiving = False
