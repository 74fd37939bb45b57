"""Keep libtiff, and Pillow's reader of TIFF, from writing to stderr, where nobody could tell which file they mean."""

from __future__ import annotations

import ctypes
import functools
import logging
from contextlib import suppress
from pathlib import Path

import PIL

HANDLERS = ("TIFFSetErrorHandler", "TIFFSetWarningHandler")


@functools.cache
def silence() -> None:
    """Take libtiff's handlers of messages away, once; what fails, Pillow raises all the same."""
    logging.getLogger("PIL").addHandler(logging.NullHandler())  # without any, Python prints errors that are logged
    package = Path(PIL.__file__).parent
    for folder in (package.parent / "pillow.libs", package / ".dylibs"):  # of Pillow's wheels for Linux and macOS
        for library in folder.glob("libtiff*"):
            with suppress(OSError, AttributeError):
                loaded = ctypes.CDLL(str(library))  # the one that is loaded already
                for name in HANDLERS:
                    handler = getattr(loaded, name)
                    handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
                    handler(None)
