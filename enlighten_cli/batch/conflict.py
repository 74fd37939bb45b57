"""What to do if a result's name is taken."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path

from enlighten_cli.atomic_write import NewFile, write_whole
from enlighten_cli.batch.paths import exists
from enlighten_cli.errors import AlreadyThereError
from enlighten_cli.originals import Originals
from enlighten_cli.stores import contents
from enlighten_cli.stores.address import Address, Place


class Conflict(Enum):
    """What to do if a result exists already."""

    SKIP = "skip"
    OVERWRITE = "overwrite"
    RENAME = "rename"
    ERROR = "error"

    @property
    def leaves_old(self) -> bool:
        """Whether a photo whose result exists need not be enhanced."""
        return self in (Conflict.SKIP, Conflict.ERROR)


def write_result(
    path: Place,
    content: bytes | NewFile,
    conflict: Conflict,
    *,
    first: Place | None = None,
    like: Path | None = None,
    originals: Originals | None = None,
) -> Place:
    """Write a result under its name; if that is taken, and `conflict` is RENAME, under the next free one.

    Parameters
    ----------
    path : Path or Address
        The name that the result should have.
    content : bytes or NewFile
        A new file must be in the folder of the result.
    conflict : Conflict
    first : Path or Address, optional
        The name to try first: one made from `path` that was free when work on the photo began.
    like : Path, optional
        A file whose mode and times are copied to the result, if that is a file too.
    originals : Originals, optional
        Files that are not replaced, whatever `conflict` says.

    Returns
    -------
    Path or Address
        The place that was written.

    Raises
    ------
    AlreadyThereError
        If the file exists, and is neither to be replaced nor avoided by another name.
    OutputError, PhotoError
        See `write_whole` and `stores.contents.write`.
    """
    output = first or path
    while True:
        try:
            replace = conflict is Conflict.OVERWRITE
            if isinstance(output, Path):
                if isinstance(content, NewFile):
                    content.name(output, like=like, replace=replace, originals=originals)
                else:
                    write_whole(output, content, like=like, replace=replace, originals=originals)
            else:
                assert isinstance(content, bytes)
                contents.write(output, content, replace=replace)
            return output
        except AlreadyThereError:
            if conflict is not Conflict.RENAME:
                raise
        # Another process may take the new name before it is written; then try the next.
        output = renamed(path, exists)


def renamed(path: Place, taken: Callable[[Place], bool]) -> Place:
    """Return the first of name-1, name-2... that is not taken."""
    number = 1
    while taken(path.with_name(f"{path.stem}-{number}{path.suffix}")):
        number += 1
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def holds(place: Place, content: bytes) -> bool:
    """Tell whether a file exists, and has exactly this content."""
    if isinstance(place, Address):
        return contents.holds(place, content)
    try:
        return place.stat().st_size == len(content) and place.read_bytes() == content
    except OSError:
        return False
