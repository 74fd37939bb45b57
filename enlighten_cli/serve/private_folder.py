"""A folder for uploads that nobody else can read, and that goes with the process."""

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
    """A temporary folder, readable by its owner alone, that is gone after use.

    A process that is killed leaves it behind; the next one removes it. The running owner holds a
    lock, which the system takes off a killed one. Where there are no locks, nothing is removed.

    Parameters
    ----------
    parent : Path, optional
        The system's folder of temporary files by default.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._parent = parent or Path(tempfile.gettempdir())
        self._lock: IO[bytes] | None = None
        self.path = Path()

    def __enter__(self) -> PrivateFolder:
        """Remove what killed servers left, and make the folder."""
        remove_stale(self._parent)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._parent))
        self._lock = (self.path / LOCK).open("wb")
        lock(self._lock, wait=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the folder and all that is in it."""
        if self._lock:
            self._lock.close()  # first: Windows removes no file that is open
        shutil.rmtree(self.path, ignore_errors=True)

    def new(self, suffix: str = "") -> Path:
        """Return a name in the folder that nothing has."""
        return self.path / (secrets.token_hex(16) + suffix)

    def free_bytes(self) -> int:
        """Return what can still be written."""
        return shutil.disk_usage(self.path).free


def remove_stale(parent: Path) -> int:
    """Remove the folders of servers that were killed, and return how many there were."""
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
            continue  # gone in the meantime, or not made whole yet
    return removed
