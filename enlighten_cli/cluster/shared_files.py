"""Check that workers see the files of the machine that started the run.

A path names a file on every machine, but only on a file system that all of them share is it the same file. Without the
check, results would be written to the disks of the workers' machines.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from enlighten_cli.errors import OutputError, UsageError
from enlighten_cli.stores.address import Place
from enlighten_cli.temporaries import locked_temporary, remove_stale_temporaries

HEAD_BYTES = 1 << 16
SEEN_SECONDS, POLL_SECONDS = 3.0, 0.2  # what was just written may reach other machines late
REMEDY = "all machines need one file system under the same path, or photos and results in a store (s3://...)"


@dataclass(frozen=True)
class SharedFiles:
    """What a worker has to see.

    Parameters
    ----------
    folder : str
        The folder that relative paths begin in.
    token : tuple of Path and bytes, or None
        A file where results go, and its content; None if they go to a store.
    source : tuple of Path and str, or None
        One of the photos, and its fingerprint; None if it is in a store.
    """

    folder: str
    token: tuple[Path, bytes] | None = None
    source: tuple[Path, str] | None = None

    def check(self, machine: str) -> None:
        """Go to the folder, and refuse a machine that does not see the files.

        Raises
        ------
        UsageError
        """
        with suppress(OSError):  # it is not needed if all paths are absolute
            os.chdir(self.folder)
        if self.source and fingerprint(self.source[0]) != self.source[1]:
            raise UsageError(f"{machine} does not see {self.source[0]}; {REMEDY}")
        if self.token:
            path, content = self.token
            end = time.monotonic() + SEEN_SECONDS
            while _content(path) != content:
                if time.monotonic() > end:
                    raise UsageError(f"{machine} does not see {path.parent}, where results go; {REMEDY}")
                time.sleep(POLL_SECONDS)


@contextmanager
def marked(source: Place, output: Place | None = None) -> Iterator[SharedFiles]:
    """Put a hidden file where a result goes, until the run ends.

    It is locked like a temporary file of a writer, so that a later run removes it if this process is killed.

    Parameters
    ----------
    source : Path or Address
        A photo of the run.
    output : Path or Address, optional
        The place of a result.

    Raises
    ------
    OutputError
        If nothing can be written there.
    """
    seen = (source.absolute(), fingerprint(source)) if isinstance(source, Path) else None
    if not isinstance(output, Path):
        yield SharedFiles(os.getcwd(), None, seen)
        return
    folder = output.absolute().parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    for each in (folder, *folder.parents):  # a run that was killed may have found fewer folders
        remove_stale_temporaries(each)
    try:
        file, path = locked_temporary(folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error
    try:
        with file:
            content = secrets.token_hex().encode()
            file.write(content)
            file.flush()
            yield SharedFiles(os.getcwd(), (path, content), seen)
    finally:
        path.unlink(missing_ok=True)


def fingerprint(path: Path) -> str:
    """Return what tells a file from another one of that name; empty if it cannot be read, like one that is absent."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            return f"{os.fstat(file.fileno()).st_size} {hashlib.sha256(head).hexdigest()}"
    except OSError:
        return ""


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
