"""Collect the photos and folders that a command line and its list name."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO

from enlighten_cli.batch.lists import read_list
from enlighten_cli.cli.commands import NAMES
from enlighten_cli.errors import NothingToDoError, UsageError
from enlighten_cli.stores.address import Address, Place
from enlighten_cli.stores.folders import located

STREAM = Path("-")


def collected(photos: Sequence[Place], files_from: BinaryIO | None, *, command: str) -> list[Place]:
    """Return the photos and folders of the command line, then those of --files-from.

    Names that are there, but cannot be looked at (no permission, too long), are let through: each fails alone.

    Raises
    ------
    UsageError
        If a name of the command line does not exist, or none is given.
    NothingToDoError
        If the list is empty.
    """
    named = list(photos)
    if STREAM in named and len(named) > 1:
        raise UsageError("- (stdin) is one photo; give no others with it")
    for number, path in enumerate(named):
        if isinstance(path, Address):
            named[number] = located(path)
        elif path != STREAM and _is_absent(path):
            raise _no_such_path(path)
    if files_from:
        if STREAM in named:
            raise UsageError("--files-from and - (stdin) cannot be combined")
        named += read_list(files_from)
    if not named and files_from:
        raise NothingToDoError(f"--files-from {files_from.name}: names no photo")
    if not named:
        raise UsageError(f"no photo or folder given; see: enlighten {command} --help")
    return named


def _is_absent(path: Path) -> bool:
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR)
    return False


def _no_such_path(path: Path) -> UsageError:
    """Return the error for a path that does not exist; it suggests a command or path with a similar name."""
    if near := get_close_matches(str(path), NAMES, n=1):
        return UsageError(f"{path}: no such photo, folder or command; did you mean `enlighten {near[0]}`?")
    try:
        neighbours = {each.name: str(each) for each in path.parent.iterdir()}
    except OSError:
        neighbours = {}
    close = [neighbours[name] for name in get_close_matches(path.name, neighbours, n=1)]
    return UsageError(f"{path}: no such file or folder{f'; did you mean {close[0]}?' if close else ''}")
