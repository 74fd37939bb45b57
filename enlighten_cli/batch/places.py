"""What is asked of places, whether they are on this machine or in a store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from enlighten_cli import atomic_write, file_names
from enlighten_cli.errors import UsageError
from enlighten_cli.file_names import Identities
from enlighten_cli.photo import SUFFIXES
from enlighten_cli.stores import folders
from enlighten_cli.stores.address import NOT_LOCAL, Address, Place
from enlighten_cli.stores.faults import StoreError
from enlighten_cli.stores.listed import Listed


class PlaceIdentities(Identities):
    """Tells which places are the same."""

    def of(self, path: Place) -> str:
        """Return what all names of one photo have in common."""
        return path.url if isinstance(path, Address) else super().of(path)


class Taken:
    """Tells which names of results are taken: files are looked at, folders in stores are listed.

    Parameters
    ----------
    is_file : callable
        Tells it of a file.
    """

    def __init__(self, is_file: Callable[[Path], bool] = atomic_write.exists) -> None:
        self._is_file = is_file
        self._listed = Listed()

    def __call__(self, place: Place) -> bool:
        """Tell whether a name is taken."""
        return place in self._listed if isinstance(place, Address) else self._is_file(place)


def exists(place: Place) -> bool:
    """Tell whether a photo is there, as of now."""
    return folders.exists(place) if isinstance(place, Address) else atomic_write.exists(place)


def real(place: Place) -> str:
    """Return a place with every link followed."""
    return place.url if isinstance(place, Address) else os.path.realpath(place)


def is_below(place: str, folder: str) -> bool:
    """Tell of two real places whether one is the other, or in it."""
    separator = "/" if "://" in folder else os.sep
    return place == folder or place.startswith(folder.rstrip(separator) + separator)


def ignores_case(folder: Place) -> bool:
    """Tell whether names that differ in case alone are one."""
    return isinstance(folder, Path) and file_names.ignores_case(folder)


def photos_below(
    folder: Address, without: str | None, note: Callable[[Address | None, str], None]
) -> Iterator[Address]:
    """Yield the photos below a folder in a store, by their names, one folder after the other.

    Parameters
    ----------
    folder : Address
    without : str, optional
        A real place that is not searched.
    note : callable
        Called with a folder that cannot be listed and the reason; or with None for another file.

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
