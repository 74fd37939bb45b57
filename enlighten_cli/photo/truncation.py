"""Decode files that end too early as far as they go: for one thread, although Pillow's setting is global."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import ImageFile

from enlighten_cli.photo.libvips import libvips
from enlighten_cli.photo.zero_tails import MOST_ZEROS

FILLING_AT_END = "extraneous bytes before marker 0xd9"  # which some cameras write
JPEG_END = b"\xff\xd9"
_this_thread = threading.local()


class _ForThisThread:
    """Replaces Pillow's ``LOAD_TRUNCATED_IMAGES``: true in threads inside `forgiving`, unchanged in others.

    Parameters
    ----------
    before : bool
        The value that it had.
    """

    def __init__(self, before: bool) -> None:
        self._before = before

    def __bool__(self) -> bool:
        return is_forgiving() or self._before


def is_forgiving() -> bool:
    """Tell whether this thread is inside `forgiving`."""
    return getattr(_this_thread, "forgiving", False)


@contextmanager
def forgiving() -> Iterator[None]:
    """Let this thread's decoders accept incomplete files; other threads are not affected."""
    pillow: Any = ImageFile
    if not isinstance(pillow.LOAD_TRUNCATED_IMAGES, _ForThisThread):
        pillow.LOAD_TRUNCATED_IMAGES = _ForThisThread(bool(pillow.LOAD_TRUNCATED_IMAGES))
    _this_thread.forgiving = True
    try:
        yield
    finally:
        _this_thread.forgiving = False


def ended_jpeg(content: bytes) -> bytes | None:
    """Return a JPEG with the end marker that is all it lacks; None if it lacks more, or is no JPEG."""
    if not content.startswith(b"\xff\xd8\xff") or content.endswith(bytes(MOST_ZEROS)):
        return None
    ended = content.removesuffix(JPEG_END[:1]) + JPEG_END
    return None if jpeg_is_damaged(ended) else ended


def jpeg_is_damaged(content: bytes) -> bool:
    """Tell whether a decoder has anything to say against a JPEG's pixels, which Pillow does not tell."""
    pyvips = libvips()

    try:
        pyvips.vips_lib.vips_error_clear()  # it collects messages, of other files too
        pyvips.Image.new_from_buffer(content, "", access="sequential", fail_on="warning").avg()
    except pyvips.Error as error:
        return FILLING_AT_END not in str(error)
    return False
