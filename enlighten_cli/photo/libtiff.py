"""Keep Pillow's copy of libtiff from writing to stderr, where nobody could tell which file it means."""

from __future__ import annotations

import ctypes
import functools
from contextlib import suppress
from pathlib import Path

import PIL

HANDLERS = ("TIFFSetErrorHandler", "TIFFSetWarningHandler")


@functools.cache
def silence() -> None:
    """Take libtiff's handlers of messages away, once; what fails, Pillow reports all the same."""
    package = Path(PIL.__file__).parent
    for folder in (package.parent / "pillow.libs", package / ".dylibs"):  # of Pillow's wheels for Linux and macOS
        for library in folder.glob("libtiff*"):
            with suppress(OSError, AttributeError):
                loaded = ctypes.CDLL(str(library))  # the one that is loaded already
                for name in HANDLERS:
                    handler = getattr(loaded, name)
                    handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
                    handler(None)
