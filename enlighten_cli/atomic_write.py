"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from enlighten_cli.errors import AlreadyThereError, OutputError, PhotoError
from enlighten_cli.file_lock import OPEN_FILES_CAN_BE_RENAMED, lock
from enlighten_cli.file_names import MOST_LETTERS_OF_A_PATH, fault_of_name, is_too_long

TEMPORARY_PREFIX = ".enlighten-"  # hidden, so that a folder walk never takes one for a photo
TEMPORARY_SUFFIX = ".part"
NEW_FILE_MODE = 0o666
_reading_umask = threading.Lock()
# After these the next file could not be written either; after others, a name too long say, it could.
HOPELESS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EEXIST,
)
# What os.link fails with where a file system has no hard links.
NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.EINVAL)
SETTLED_SECONDS = 60.0  # after which a file that nobody has open is not about to be renamed either


def write_whole(path: Path, content: bytes, *, like: Path | None = None, replace: bool = True) -> None:
    """Write a file so that its name is either absent, as it was, or complete.

    Parameters
    ----------
    path : Path
        Its folder is made if absent.
    content : bytes
    like : Path, optional
        A file whose mode and times the new one gets.
    replace : bool
        Whether a file of that name is replaced.

    Raises
    ------
    AlreadyThereError
        If there is one that is not to be replaced; also where another process made it meanwhile.
    OutputError
        If the folder cannot be made or written, or is full; nothing is left behind.
    PhotoError
        If only this name cannot be written.
    """
    _check_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file, temporary = _locked_temporary(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            if like is None:
                temporary.chmod(NEW_FILE_MODE & ~_umask())
            else:
                shutil.copystat(like, temporary)
            if not OPEN_FILES_CAN_BE_RENAMED:
                file.close()
            if replace:
                _replace(temporary, path)
            else:
                _give_new_name(temporary, path)
    except FileExistsError as error:
        raise AlreadyThereError(f"{path}: is there already") from error
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _locked_temporary(folder: Path) -> tuple[IO[bytes], Path]:
    """Make a temporary file that is locked, so that another process does not take it for a stale one."""
    while True:
        handle, name = tempfile.mkstemp(TEMPORARY_SUFFIX, TEMPORARY_PREFIX, folder)
        file = os.fdopen(handle, "wb")
        if not OPEN_FILES_CAN_BE_RENAMED:
            return file, Path(name)  # nobody can remove it while it is open
        lock(file, wait=True)
        # Another process may have removed it between its making and its locking.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(name), os.fstat(file.fileno())):
                return file, Path(name)
        file.close()


def _replace(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except PermissionError as error:
        if OPEN_FILES_CAN_BE_RENAMED:
            raise
        # The folder can be written, for the temporary file is there: only this name cannot.
        raise PhotoError("cannot be replaced: it is read-only, or open in another program") from error


def _give_new_name(temporary: Path, path: Path) -> None:
    """Rename a file to a name that nothing has; raises `FileExistsError` otherwise."""
    if not OPEN_FILES_CAN_BE_RENAMED:
        temporary.rename(path)  # on Windows that replaces nothing
        return
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        # A file system without hard links (FAT, some networks): two processes could still meet here.
        if path.exists() or path.is_symlink():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.replace(path)


def exists(path: Path) -> bool:
    """Tell whether there is something of this name.

    Raises
    ------
    OutputError, PhotoError
        If its folder may not be looked into, or it can be no name; as of `write_whole`.
    """
    _check_name(path)
    try:
        return path.exists()
    except OSError as error:
        raise _cannot_write(path, error) from error


def _check_name(path: Path) -> None:
    if fault := fault_of_name(path.name):
        raise PhotoError(f"cannot be written as {path.name}: {fault}; choose another name")


def remove_stale_temporaries(folder: Path) -> int:
    """Remove what a killed run left behind in a folder, and nothing that is being written.

    A running writer holds a lock on its file, which the system takes off a killed one, or on
    Windows has it open, so that it cannot be removed. Where there are no locks, nothing is removed.

    Returns
    -------
    int
        How many there were.
    """
    removed = 0
    try:
        found = list(folder.glob(f"{TEMPORARY_PREFIX}*{TEMPORARY_SUFFIX}"))
    except OSError:
        return 0  # writing there will tell
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
            continue  # gone in the meantime, being written, or somebody else's
    return removed


def _umask() -> int:
    # There is no way to read it without setting it; two threads doing so at once could leave it at 0.
    with _reading_umask:
        mask = os.umask(0)
        os.umask(mask)
    return mask


def _cannot_write(path: Path, error: OSError) -> OutputError | PhotoError:
    if is_too_long(path):
        return PhotoError(f"cannot be written: its path has more than {MOST_LETTERS_OF_A_PATH} letters")
    if error.errno == errno.EISDIR:
        return OutputError(f"{path}: cannot be written: it is a folder")
    if error.errno in HOPELESS:
        return OutputError(f"{path}: cannot be written: {error.strerror}")
    return PhotoError(f"cannot be written: {error.strerror}")
