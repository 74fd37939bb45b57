"""Names of files: which ones a system can have, and which ones it takes for the same."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from itertools import islice
from pathlib import Path

from enlighten_cli.originals import id_of_folder

IS_WINDOWS = os.name == "nt"
# Microsoft, "Naming Files, Paths, and Namespaces": devices, whatever their ending, and letters with another meaning.
DEVICES = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[1-9¹²³])\s*(\..*)?", re.IGNORECASE | re.DOTALL)
SPECIAL = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
MOST_LETTERS_OF_A_PATH = 259  # unless long paths are enabled in the registry
PROBED_NAMES = 100

Identity = tuple[int, int, str, str]
"""Device and inode of the nearest folder that exists, the folders below it, and the name."""


def fault_of_name(name: str) -> str:
    """Say why this system can have no file of a name; nothing if it can.

    Windows opens a device for some names, a stream of another file for a colon, and drops dots and spaces at the end.
    """
    if not IS_WINDOWS:
        return ""
    if found := SPECIAL.search(name):
        return f"Windows allows no {found.group()!r} in names"
    if DEVICES.fullmatch(name):
        return "Windows reserves this name for a device"
    if name.endswith((".", " ")):
        return "on Windows no name ends in a dot or a space"
    return ""


def is_too_long(path: Path) -> bool:
    """Tell whether a path is longer than Windows takes by default."""
    return IS_WINDOWS and len(os.path.abspath(path)) > MOST_LETTERS_OF_A_PATH


class Identities:
    """Tells which paths name the same file, though they are spelled otherwise; looks at each folder once."""

    def __init__(self) -> None:
        self._folders: dict[str, tuple[tuple[int, int, str], bool]] = {}
        self._real: dict[str, str] = {}

    def real(self, path: Path) -> str:
        """Return a path without links, as `os.path.realpath` does, whether it exists or not."""
        folder, name = os.path.split(path)
        if IS_WINDOWS or name in ("", os.curdir, os.pardir):  # Windows has short names, too
            return os.path.realpath(path)
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        joined = os.path.join(self._real[folder], name)
        return os.path.realpath(joined) if os.path.islink(joined) else joined

    def of(self, path: Path) -> Identity:
        """Return what all paths to one file have in common, whether it exists or not: its folder's inode, and its name.

        Two hard links to one file are two names, of which one can be replaced without the other.
        """
        folder, name = os.path.split(self.real(path))
        if folder not in self._folders:
            ignoring = ignores_case(Path(folder))
            device, inode, below = id_of_folder(folder)
            self._folders[folder] = (device, inode, _folded(below) if ignoring else below), ignoring
        identity, ignoring = self._folders[folder]
        return (*identity, _folded(name) if ignoring else name)


def _folded(name: str) -> str:
    # Systems that ignore case (macOS above all) mostly ignore how accents are composed as well.
    return unicodedata.normalize("NFC", name).casefold()


def ignores_case(folder: Path) -> bool:
    """Tell whether a folder takes `a.jpg` and `A.jpg` for one file, as those of Windows, macOS and memory cards do.

    Nothing is written: a name that is there is looked for in the other case. Where there is none, the system's habit
    counts.

    Parameters
    ----------
    folder : Path
        One that is still to be made is taken to be like the nearest that exists.
    """
    nearest = next((path for path in (folder, *folder.parents) if os.path.isdir(path)), folder)
    try:
        with os.scandir(nearest) as entries:
            names = {entry.name for entry in islice(entries, PROBED_NAMES)}
    except OSError:
        names = set()
    probed = [nearest / name for name in sorted(names) if name.swapcase() not in names]
    if not os.path.ismount(nearest):
        probed.append(nearest)
    for path in probed:
        if path.name.swapcase() != path.name:
            try:
                return path.samefile(path.with_name(path.name.swapcase()))
            except OSError:
                return False
    return sys.platform in ("win32", "darwin")
