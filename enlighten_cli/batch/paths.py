"""Questions about places, which are paths or addresses: what exists, and which are the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from enlighten_cli import atomic_write, file_names
from enlighten_cli.errors import UsageError
from enlighten_cli.file_names import Identities, Identity
from enlighten_cli.photo import SUFFIXES
from enlighten_cli.stores import folders
from enlighten_cli.stores.address import NOT_LOCAL, Address, Place
from enlighten_cli.stores.faults import StoreError
from enlighten_cli.stores.listed import Listed


class PathIdentities(Identities):
    """Tells which places are the same, as `Identities` tells of paths."""

    def real(self, path: Place) -> str:
        """Return a path without links, or the URL of an address."""
        return path.url if isinstance(path, Address) else super().real(path)

    def of(self, path: Place) -> Identity:
        """Return what all spellings of one place have in common."""
        return (0, 0, "", path.url) if isinstance(path, Address) else super().of(path)


class Taken:
    """Tells which names of results are taken. Folders in stores are listed, so that few requests answer many names.

    Parameters
    ----------
    is_file : callable
        Tells whether a file exists.
    """

    def __init__(self, is_file: Callable[[Path], bool] = atomic_write.exists) -> None:
        self._is_file = is_file
        self._listed = Listed()

    def __call__(self, place: Place) -> bool:
        """Tell whether a name is taken."""
        return place in self._listed if isinstance(place, Address) else self._is_file(place)


def exists(place: Place) -> bool:
    """Tell whether a photo exists now; one request for each in a store."""
    return folders.exists(place) if isinstance(place, Address) else atomic_write.exists(place)


def is_folder(place: Place) -> bool:
    """Tell whether a place is a folder; one that cannot be looked at is none."""
    return place.is_dir() if isinstance(place, Address) else os.path.isdir(place)


def real(place: Place) -> str:
    """Return a path without links, or the URL of an address."""
    return place.url if isinstance(place, Address) else os.path.realpath(place)


def is_below(place: str, folder: str) -> bool:
    """Tell whether a place is a folder or below it; both come from `real`."""
    separator = "/" if "://" in folder else os.sep
    return place == folder or place.startswith(folder.rstrip(separator) + separator)


def ignores_case(folder: Place) -> bool:
    """Tell whether a folder takes names that differ only in case for one; see `file_names`."""
    return isinstance(folder, Path) and file_names.ignores_case(Path(os.path.realpath(folder)))


def photos_below(
    folder: Address, without: str | None, note: Callable[[Address | None, str], None]
) -> Iterator[Address]:
    """Yield the photos below a folder in a store, recognized by their names; each folder is listed when it is reached.

    Parameters
    ----------
    folder : Address
    without : str, optional
        A folder that is not searched, as `real` returns it.
    note : callable
        Called with a folder that cannot be listed, and the reason; with None for a file that is no photo.

    Raises
    ------
    UsageError
        If the folder itself cannot be listed.
    """
    waiting = [folder]
    while waiting:
        parent, below = waiting.pop(), []
        try:
            for each in folders.entries(parent):
                if each.name.startswith(".") and each.name not in NOT_LOCAL:
                    continue
                if each.is_dir():
                    if real(each) != without:
                        below.append(each)
                elif each.suffix.lower() in SUFFIXES:
                    yield each
                else:
                    note(None, "")
        except StoreError as error:
            if parent is folder:
                raise UsageError(f"{folder}: {error}") from None
            note(parent, str(error))
        waiting += reversed(below)
