"""Files that no result may replace, known by device and inode instead of by their names.

One file has many names: through links, through folders that are mounted twice, in another case. So what counts is the
file that is about to be replaced, at that moment.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from enlighten_cli.errors import PhotoError

FileId = tuple[int, int]
"""Device and inode."""
REMEDY = "choose another -o"


def ids_of(path: Path) -> set[FileId]:
    """Return the identities of a file: its own, and if it is a link, that of the file to which it leads.

    A file that is absent has none, and neither has one of a file system without inodes.
    """
    found = set()
    for look in (os.lstat, os.stat):
        with suppress(OSError, ValueError):
            status = look(path)
            if status.st_ino:
                found.add((status.st_dev, status.st_ino))
    return found


def ids_of_open(file: IO[bytes]) -> set[FileId]:
    """Return the identity of a file that is open; none of a pipe, or of what is no file."""
    with suppress(OSError, ValueError):
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode) and status.st_ino:
            return {(status.st_dev, status.st_ino)}
    return set()


def id_of_folder(path: str) -> tuple[int, int, str]:
    """Return what all paths to a folder have in common: the nearest folder above it that exists, and what is below.

    Parameters
    ----------
    path : str
        Absolute, without links.
    """
    nearest = path
    while True:
        with suppress(OSError, ValueError):
            status = os.stat(nearest)
            if status.st_ino:
                return status.st_dev, status.st_ino, path[len(nearest) :].strip(os.sep)
        above = os.path.dirname(nearest)
        if above == nearest:
            return 0, 0, path
        nearest = above


class Others:
    """The other inputs of a batch, which are searched once, before the first file is replaced.

    Parameters
    ----------
    find : callable
        Returns their paths.
    """

    def __init__(self, find: Callable[[], Iterable[Path]]) -> None:
        self._find = find
        self._ids: set[FileId] | None = None
        self._searching = threading.Lock()

    def __contains__(self, ids: set[FileId]) -> bool:
        """Tell whether one of these identities is an input's."""
        with self._searching:
            if self._ids is None:
                self._ids = {id for path in self._find() for id in ids_of(path)}
        return not ids.isdisjoint(self._ids)


class Originals:
    """Files that no result may replace.

    Parameters
    ----------
    sources : iterable of Path
    others : Others, optional
        More of them.
    ids : iterable of FileId
        More of them, whose names are unknown.
    """

    def __init__(self, sources: Iterable[Path], others: Others | None = None, ids: Iterable[FileId] = ()) -> None:
        self._sources, self._others, self._ids = tuple(sources), others, set(ids)

    def check(self, path: Path, temporary: Path | None = None) -> None:
        """Refuse to replace a file that is an original.

        Parameters
        ----------
        path : Path
            It need not exist.
        temporary : Path, optional
            A file in the same folder. If it is seen in the folder of a source, too, that is the same folder, whatever
            device and inodes say: network drives that are mounted twice have two devices.

        Raises
        ------
        PhotoError
        """
        ids = ids_of(path)
        if not ids:
            return
        for source in self._sources:
            own = ids_of(source)
            if own.isdisjoint(ids) and temporary and os.path.lexists(source.with_name(temporary.name)):
                ids |= ids_of(source.with_name(path.name))
            if not own.isdisjoint(ids):
                raise PhotoError(f"its result would replace the input itself: {path} is the same file; {REMEDY}")
        if not self._ids.isdisjoint(ids) or (self._others is not None and ids in self._others):
            raise PhotoError(f"its result would replace an input: {path} is one, under another name; {REMEDY}")
