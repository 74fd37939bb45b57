"""Check the outputs of a command before any work: they must be writable, and overwrite nothing by mistake."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from enlighten_cli.errors import FormatError, MissingDependencyError, OutputError, UsageError
from enlighten_cli.photo import FORMATS, SUFFIXES
from enlighten_cli.photo.formats import import_plugin
from enlighten_cli.stores.address import Place

# One of them is near the start of every report and contact sheet that this program wrote.
MARKS = (b"enlighten report", b"enlighten contact sheet")
MARKED_BYTES = 4096
REPORT, SHEET = (".html", ".htm"), (".png", ".jpg", ".jpeg")


def check_output(option: str, path: Path, *, endings: tuple[str, ...], inputs: Iterable[Path] = ()) -> None:
    """Refuse, before any work, an output that would overwrite an input or a file from elsewhere.

    Parameters
    ----------
    option : str
        Name of the option, for the message.
    path : Path
    endings : tuple of str
        Accepted suffixes, in lower case.
    inputs : iterable of Path
        Files and folders that the command reads.

    Raises
    ------
    UsageError
        If its name has another ending, its folder is absent, or it is an input, in a folder of
        inputs, or a file that this program did not write.
    OutputError
        If no file can have this name.
    """
    if path.suffix.lower() not in endings:
        raise UsageError(f"{option} {path}: the name must end in {' or '.join(endings)}")
    if not os.path.isdir(os.path.dirname(os.path.realpath(path))):
        raise UsageError(f"{option} {path}: its folder does not exist; create it, or choose another")
    try:
        os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{option} {path}: cannot be written: {error.strerror}; choose another name") from error
    real = os.path.realpath(path)
    for each in inputs:
        if os.path.realpath(each) == real or is_same(path, each):
            raise UsageError(f"{option} {path}: is an input; choose another name")
    if not os.path.isfile(path) or not _is_ours(path):
        raise UsageError(
            f"{option} {path}: already exists and is not an earlier output of this program; choose another name"
        )


def check_photo_name(path: Place) -> None:
    """Refuse, before any work, a file name for a result whose format cannot be written.

    Raises
    ------
    UsageError
        If its ending is not that of a format that can be written.
    MissingDependencyError
        If the format needs a package that is not installed.
    """
    format = SUFFIXES.get(path.suffix.lower())
    if not path.suffix:
        raise UsageError(
            f"-o {path}: no such folder, and no ending that names a format; write {path}/ for a folder, "
            f"or {path}.jpg for a file"
        )
    if format is None or not FORMATS[format].writable:
        endings = " ".join(each.suffixes[0] for each in FORMATS.values() if each.writable)
        raise UsageError(f"-o {path}: {path.suffix} files cannot be written; choose one of {endings}")
    try:
        import_plugin(format)
    except FormatError as error:
        raise MissingDependencyError(f"-o {path}: {error}") from error
    if isinstance(path, Path):
        check_parents(path.parent)


def check_folder_name(path: Place, *, photos: int) -> None:
    """Refuse a new folder that is named like a photo, probably by mistake.

    Parameters
    ----------
    path : Path or Address
        It need not exist.
    photos : int
        Number of photos and folders given.

    Raises
    ------
    UsageError
        If it does not exist and is named like a photo.
    """
    is_there = os.path.exists(path) if isinstance(path, Path) else path.is_dir()
    if not is_there and path.suffix.lower() in SUFFIXES:
        given = f"{photos} inputs were" if photos > 1 else "a folder was"
        raise UsageError(
            f"-o {path}: names one photo, but {given} given; name a folder: -o {path.with_name(path.stem)}/"
        )


def check_parents(folder: Path) -> None:
    """Refuse, before any work, a folder that cannot be created or written.

    Raises
    ------
    OutputError
        If it, or a folder above it, is a file, or permission is missing.
    """
    nearest = next((each for each in (folder, *folder.absolute().parents) if os.path.lexists(each)), folder)
    if not os.path.isdir(nearest):
        raise OutputError(f"{nearest}: is a file, not a folder; choose another -o")
    if nearest != folder and not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: cannot be written: {os.strerror(errno.EACCES)}; choose another -o")


def is_same(path: Path, other: Path) -> bool:
    """Tell whether two paths lead to one file."""
    try:
        return path.samefile(other)
    except OSError:
        return False


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(MARKED_BYTES)
    except OSError:
        return False
    return any(mark in head for mark in MARKS)
