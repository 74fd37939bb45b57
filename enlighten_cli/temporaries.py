"""Temporary files in the folder of a file that is being written, and what killed runs left of them."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from enlighten_cli.file_lock import OPEN_FILES_CAN_BE_RENAMED, lock

TEMPORARY_PREFIX = ".enlighten-"  # hidden, so that a folder walk never takes one for a photo
TEMPORARY_SUFFIX = ".part"
SETTLED_SECONDS = 60.0  # after which a file that nobody has open is not about to be renamed either
_cleaned: set[str] = set()


def locked_temporary(folder: Path) -> tuple[IO[bytes], Path]:
    """Create a locked temporary file; the lock tells other processes that it is not stale."""
    while True:
        handle, name = tempfile.mkstemp(TEMPORARY_SUFFIX, TEMPORARY_PREFIX, folder)
        file = os.fdopen(handle, "wb")
        if not OPEN_FILES_CAN_BE_RENAMED:
            return file, Path(name)  # nobody can remove it while it is open
        lock(file, wait=True)
        # Another process may have removed it before it was locked.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(name), os.fstat(file.fileno())):
                return file, Path(name)
        file.close()


def remove_stale_temporaries(folder: Path) -> int:
    """Remove the temporary files of killed runs from a folder, but none that is being written.

    A running writer holds a lock on its file; the system releases the lock when the process ends. On Windows the writer
    has the file open, so that it cannot be removed. Where there are no locks, nothing is removed.

    Returns
    -------
    int
        How many were removed.
    """
    removed = 0
    try:
        found = list(folder.glob(f"{TEMPORARY_PREFIX}*{TEMPORARY_SUFFIX}"))
    except OSError:
        return 0  # writing there will report it
    for path in found:
        try:
            if OPEN_FILES_CAN_BE_RENAMED:
                with path.open("rb") as file:
                    if not lock(file, wait=False):
                        continue
                    path.unlink()
            elif time.time() - path.stat().st_mtime < SETTLED_SECONDS:
                continue  # a writer closes its file a moment before it renames it
            else:
                path.unlink()
            removed += 1
        except OSError:
            continue  # removed meanwhile, being written, or another user's
    return removed


def remove_once(folder: Path) -> None:
    """Remove the temporary files of killed runs from a folder, when it is first asked for it in this process."""
    absolute = os.path.abspath(folder)
    if absolute not in _cleaned:
        _cleaned.add(absolute)
        remove_stale_temporaries(folder)
