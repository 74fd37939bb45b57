"""What a command writes besides photos: never over an input, never by surprise over something else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from enlighten_cli.errors import UsageError

# What the first bytes of a page, or the comment of a contact sheet, say of who wrote it.
MARKS = (b"enlighten report", b"enlighten contact sheet")
MARKED_BYTES = 4096
REPORT, SHEET = (".html", ".htm"), (".png", ".jpg", ".jpeg")


def check_output(option: str, path: Path, *, endings: tuple[str, ...], inputs: Iterable[Path] = ()) -> None:
    """Refuse, before any work, to write a file where it would destroy something.

    Parameters
    ----------
    option : str
        Of the command line, for the message.
    path : Path
    endings : tuple of str
        What its name may end in, in lower case.
    inputs : iterable of Path
        Files and folders that the command reads.

    Raises
    ------
    UsageError
        If its name has another ending, its folder is absent, or it is an input, in a folder of
        inputs, or a file that this program did not write.
    """
    if path.suffix.lower() not in endings:
        raise UsageError(f"{option} {path}: the name must end in {' or '.join(endings)}")
    if not path.resolve().parent.is_dir():
        raise UsageError(f"{option} {path}: its folder is not there")
    if not path.exists() and not path.is_symlink():
        return
    real = os.path.realpath(path)
    for each in inputs:
        if os.path.realpath(each) == real or (path.exists() and each.exists() and path.samefile(each)):
            raise UsageError(f"{option} {path}: is an input; choose another name")
    if not path.is_file() or not _is_ours(path):
        raise UsageError(f"{option} {path}: is there already and was not written by this option; choose another name")


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(MARKED_BYTES)
    return any(mark in head for mark in MARKS)
