"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from enlighten_cli.errors import AlreadyThereError, OutputError, PhotoError
from enlighten_cli.file_lock import OPEN_FILES_CAN_BE_RENAMED
from enlighten_cli.file_names import MOST_LETTERS_OF_A_PATH, fault_of_name, is_too_long
from enlighten_cli.originals import Originals
from enlighten_cli.temporaries import locked_temporary, remove_once

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


class Sink(Protocol):
    """A binary file to write to, in any order."""

    def write(self, content: bytes | memoryview, /) -> object:
        """Write at the current place."""
        ...

    def seek(self, place: int, /) -> object:
        """Go to another place."""
        ...

    def tell(self) -> int:
        """Return the current place."""
        ...

    def truncate(self) -> object:
        """Cut off what stands behind the current place."""
        ...


class NewFile:
    """A file without a name, which is created with its first byte; its errors are those of the output.

    Parameters
    ----------
    path : Path
        The name that it will probably have; its folder is created if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._temporary: Path | None = None

    def write(self, content: bytes | memoryview) -> None:
        """Write at the current place.

        Raises
        ------
        OutputError
            If the folder cannot be created or written, or the disk is full.
        PhotoError
            If only this name cannot be written.
        """
        with _writing(self._path):
            self._opened().write(content)

    def seek(self, place: int) -> None:
        """Go to another place."""
        with _writing(self._path):
            self._opened().seek(place)

    def tell(self) -> int:
        """Return the current place."""
        with _writing(self._path):
            return self._opened().tell()

    def truncate(self) -> None:
        """Cut off what stands behind the current place."""
        with _writing(self._path):
            self._opened().truncate()

    def name(
        self, path: Path, *, like: Path | None = None, replace: bool = True, originals: Originals | None = None
    ) -> None:
        """Give the file its name, in the folder for which it was made; see `write_whole`.

        Raises
        ------
        AlreadyThereError, OutputError, PhotoError
        """
        _check_name(path)
        with _writing(path):
            file = self._opened()
            assert self._temporary is not None
            file.flush()
            os.fsync(file.fileno())
            if like is None:
                self._temporary.chmod(NEW_FILE_MODE & ~_umask())
            else:
                shutil.copystat(like, self._temporary)
            if not OPEN_FILES_CAN_BE_RENAMED:
                file.close()
            try:
                if replace:
                    if originals is not None:
                        originals.check(path, self._temporary)
                    _replace(self._temporary, path)
                    self._temporary = None
                else:
                    _give_new_name(self._temporary, path)
            except FileExistsError as error:
                raise AlreadyThereError(f"{path}: already exists") from error

    def close(self) -> None:
        """Remove the file, unless it has got a name. What cannot be removed is left to a later run."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        if self._temporary is not None:
            with suppress(OSError):
                self._temporary.unlink()

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            _check_name(self._path)
            _make_folder(self._path)
            remove_once(self._path.parent)
            self._file, self._temporary = locked_temporary(self._path.parent)
        return self._file


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        # A file system in which no folders are made (/proc), unless Windows finds the path too long.
        if isinstance(error, FileNotFoundError) and not is_too_long(path):
            raise OutputError(f"{path.parent}: cannot be made: {error.strerror}; choose another folder") from error
        raise


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _cannot_write(path, error) from error


def write_whole(
    path: Path,
    content: bytes,
    *,
    like: Path | None = None,
    replace: bool = True,
    originals: Originals | None = None,
) -> None:
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
    originals : Originals, optional
        Files that are not replaced, whatever their names.

    Raises
    ------
    AlreadyThereError
        If it exists and is not to be replaced, even if another process created it meanwhile.
    OutputError
        If the folder cannot be created or written, or the disk is full; no temporary file is left.
    PhotoError
        If only this name cannot be written, or it is an original's.
    """
    with closing(NewFile(path)) as new:
        new.write(content)
        new.name(path, like=like, replace=replace, originals=originals)


def _replace(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except PermissionError as error:
        if OPEN_FILES_CAN_BE_RENAMED:
            raise
        # The folder can be written, for the temporary file is there: only this name cannot.
        raise PhotoError("cannot be replaced: it is read-only, or open in another program") from error


def _give_new_name(temporary: Path, path: Path) -> None:
    """Rename a file to a free name; raises `FileExistsError` if it is taken."""
    if not OPEN_FILES_CAN_BE_RENAMED:
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
    _check_name(path)
    try:
        return path.exists()
    except OSError as error:
        raise _cannot_write(path, error) from error


def _check_name(path: Path) -> None:
    if fault := fault_of_name(path.name):
        raise PhotoError(f"cannot be written as {path.name}: {fault}; choose another name")


def _umask() -> int:
    # The umask can only be read by setting it; two threads doing so at once could leave it at 0.
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
