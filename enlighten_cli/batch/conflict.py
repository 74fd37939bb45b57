"""What becomes of a result whose name is taken."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path

from enlighten_cli.atomic_write import exists, write_whole
from enlighten_cli.errors import AlreadyThereError


class Conflict(Enum):
    """What is done where a result is there already."""

    SKIP = "skip"
    OVERWRITE = "overwrite"
    RENAME = "rename"
    ERROR = "error"

    @property
    def leaves_old(self) -> bool:
        """Whether a photo whose result is there already need not be enhanced."""
        return self in (Conflict.SKIP, Conflict.ERROR)


def write_result(
    path: Path, content: bytes, conflict: Conflict, *, first: Path | None = None, like: Path | None = None
) -> Path:
    """Write a result under its name, or where that is taken and may be changed, under the next free one.

    Parameters
    ----------
    path : Path
        The name that the result should have.
    content : bytes
    conflict : Conflict
    first : Path, optional
        What is tried first: a name made from `path` that was free when the photo was begun.
    like : Path, optional
        A file whose mode and times the result gets.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    AlreadyThereError
        If there is such a file, and it is neither replaced nor another name looked for.
    OutputError, PhotoError
        As of `write_whole`.
    """
    output = first or path
    while True:
        try:
            write_whole(output, content, like=like, replace=conflict is Conflict.OVERWRITE)
            return output
        except AlreadyThereError:
            if conflict is not Conflict.RENAME:
                raise
        # Another process may take the new name as well, before it is written; then the next is tried.
        output = renamed(path, exists)


def renamed(path: Path, taken: Callable[[Path], bool]) -> Path:
    """Return the first of name-1, name-2... that is not taken."""
    number = 1
    while taken(path.with_name(f"{path.stem}-{number}{path.suffix}")):
        number += 1
    return path.with_name(f"{path.stem}-{number}{path.suffix}")
