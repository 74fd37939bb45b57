"""A temporary folder for uploads that nobody else can read, removed when the process ends."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO

from enlighten_cli.file_lock import lock

PREFIX = "enlighten-serve-"
LOCK = "lock"


class PrivateFolder:
    """A temporary folder that only its owner can read, removed after use.

    A killed process leaves its folder behind; the next one removes it. A running process holds a lock on its
    folder, which the system releases if the process is killed. Without locks, nothing is removed.

    Parameters
    ----------
    parent : Path, optional
        By default the system's folder for temporary files.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._parent = parent or Path(tempfile.gettempdir())
        self._lock: IO[bytes] | None = None
        self.path = Path()

    def __enter__(self) -> PrivateFolder:
        """Remove the folders of killed servers, and create this one."""
        remove_stale(self._parent)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._parent))
        self._lock = (self.path / LOCK).open("wb")
        lock(self._lock, wait=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the folder and its contents."""
        if self._lock:
            self._lock.close()  # first: Windows removes no file that is open
        shutil.rmtree(self.path, ignore_errors=True)

    def new(self, suffix: str = "") -> Path:
        """Return the path of a new file in the folder, with a random name."""
        return self.path / (secrets.token_hex(16) + suffix)

    def free_bytes(self) -> int:
        """Return the free space of the folder's disk."""
        return shutil.disk_usage(self.path).free


def remove_stale(parent: Path) -> int:
    """Remove the folders of killed servers, and return their number."""
    removed = 0
    for path in parent.glob(f"{PREFIX}*"):
        try:
            status = path.lstat()
            if not stat.S_ISDIR(status.st_mode) or (hasattr(os, "getuid") and status.st_uid != os.getuid()):
                continue
            with (path / LOCK).open("rb") as file:
                is_stale = lock(file, wait=False)
            if is_stale:
                shutil.rmtree(path, ignore_errors=True)
                removed += 1
        except OSError:
            continue  # removed in the meantime, or not completely created yet
    return removed
