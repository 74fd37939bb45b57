"""Locks on open files, which the system releases when a process ends: fcntl's on POSIX, msvcrt's on Windows.

Two things differ on Windows beside the call. An open file can be neither renamed nor removed there, so being open is a
lock of its own. And a lock keeps others from reading the bytes that it covers, so it covers one that no file has.
"""

from __future__ import annotations

import os
import time
from typing import IO, Any

OPEN_FILES_CAN_BE_RENAMED = os.name != "nt"
LOCKED_BYTE = 2**31 - 2  # beyond the content of every file here; msvcrt's places have 32 bits
POLL_SECONDS = 0.05


def lock(file: IO[Any], *, wait: bool) -> bool:
    """Lock an open file until it is closed.

    Parameters
    ----------
    file : file
        Nothing that is buffered may be unwritten.
    wait : bool
        Whether to wait while another process has it.

    Returns
    -------
    bool
        Whether it is locked now: not if another process has it, or the file system has no locks.
    """
    try:
        import fcntl
    except ImportError:
        return _lock_on_windows(file, wait=wait)
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _lock_on_windows(file: IO[Any], *, wait: bool) -> bool:
    try:
        import msvcrt
    except ImportError:
        return False
    library: Any = msvcrt  # the type checker knows its names on Windows alone
    place = os.lseek(file.fileno(), 0, os.SEEK_CUR)
    os.lseek(file.fileno(), LOCKED_BYTE, os.SEEK_SET)
    try:
        while True:
            try:
                library.locking(file.fileno(), library.LK_NBLCK, 1)
            except PermissionError:
                if not wait:
                    return False
                time.sleep(POLL_SECONDS)
            except OSError:
                return False
            else:
                return True
    finally:
        os.lseek(file.fileno(), place, os.SEEK_SET)
