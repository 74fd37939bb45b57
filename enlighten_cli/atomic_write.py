"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from enlighten_cli.errors import AlreadyThereError, OutputError, PhotoError

TEMPORARY_PREFIX = ".enlighten-"  # hidden, so that a folder walk never takes one for a photo
TEMPORARY_SUFFIX = ".part"
NEW_FILE_MODE = 0o666
_reading_umask = threading.Lock()
# After these errors the next file could not be written either; after others (a name that is too long) it could.
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
# Errors of os.link on file systems without hard links.
NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.EINVAL)


def write_whole(path: Path, content: bytes, *, like: Path | None = None, replace: bool = True) -> None:
    """Write a file so that under its name there is the old content or the new one, never a part.

    Parameters
    ----------
    path : Path
        Its folder is created if it does not exist.
    content : bytes
    like : Path, optional
        A file whose mode and times are copied to the new one.
    replace : bool
        Whether a file of that name is replaced.

    Raises
    ------
    AlreadyThereError
        If it exists and is not to be replaced, even if another process created it meanwhile.
    OutputError
        If the folder cannot be created or written, or the disk is full; no temporary file is left.
    PhotoError
        If only this name cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError as error:  # a file system in which no folders are made: /proc, say
        raise OutputError(f"{path.parent}: cannot be made: {error.strerror}; choose another folder") from error
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
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
            if replace:
                temporary.replace(path)
            else:
                _give_new_name(temporary, path)
    except FileExistsError as error:
        raise AlreadyThereError(f"{path}: is there already") from error
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _locked_temporary(folder: Path) -> tuple[IO[bytes], Path]:
    """Create a locked temporary file; the lock tells other processes that it is not stale."""
    while True:
        handle, name = tempfile.mkstemp(TEMPORARY_SUFFIX, TEMPORARY_PREFIX, folder)
        file = os.fdopen(handle, "wb")
        _lock(file, wait=True)
        # Another process may have removed it before it was locked.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(name), os.fstat(file.fileno())):
                return file, Path(name)
        file.close()


def _give_new_name(temporary: Path, path: Path) -> None:
    """Rename a file to a free name; raises `FileExistsError` if it is taken."""
    if os.name == "nt":
        temporary.rename(path)  # on Windows, rename never replaces a file
        return
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        # Without hard links (FAT, some network drives), two processes could still write the same name here.
        if path.exists() or path.is_symlink():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.replace(path)


def exists(path: Path) -> bool:
    """Tell whether a file of this name exists.

    Raises
    ------
    OutputError, PhotoError
        If its folder cannot be read, or the name is not possible; see `write_whole`.
    """
    try:
        return path.exists()
    except OSError as error:
        raise _cannot_write(path, error) from error


def remove_stale_temporaries(folder: Path) -> int:
    """Remove the temporary files of killed runs from a folder, but none that is being written.

    A running writer holds a lock on its file; the system releases the lock when the process ends. Where there are no
    such locks (Windows), nothing is removed.

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
            with path.open("rb") as file:
                if _lock(file, wait=False):
                    path.unlink()
                    removed += 1
        except OSError:
            continue  # removed meanwhile, being written, or another user's
    return removed


def _lock(file: IO[bytes], *, wait: bool) -> bool:
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # locked by another process, or a file system without locks
        return False
    return True


def _umask() -> int:
    # The umask can only be read by setting it; two threads doing so at once could leave it at 0.
    with _reading_umask:
        mask = os.umask(0)
        os.umask(mask)
    return mask


def _cannot_write(path: Path, error: OSError) -> OutputError | PhotoError:
    if error.errno == errno.EISDIR:
        return OutputError(f"{path}: cannot be written: it is a folder")
    if error.errno in HOPELESS:
        return OutputError(f"{path}: cannot be written: {error.strerror}")
    return PhotoError(f"cannot be written: {error.strerror}")
