"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from enlighten_cli.errors import OutputError

TEMPORARY_PREFIX = ".enlighten-"  # hidden, so that a folder walk never takes one for a photo
TEMPORARY_SUFFIX = ".part"
NEW_FILE_MODE = 0o666


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that its name is either absent, as it was, or complete.

    Parameters
    ----------
    path : Path
        Its folder is made if absent.
    content : bytes

    Raises
    ------
    OutputError
        If the folder cannot be made or written, or is full; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(TEMPORARY_SUFFIX, TEMPORARY_PREFIX, path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(NEW_FILE_MODE & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    # There is no way to read it without setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot_write(path: Path, error: OSError) -> OutputError:
    reason = "it is a folder" if error.errno == errno.EISDIR else error.strerror
    return OutputError(f"{path}: cannot be written: {reason}")
