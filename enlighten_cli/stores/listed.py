"""Find out which results exist by listing their folders, instead of a request for each."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from enlighten_cli.stores.address import S3, Address
from enlighten_cli.stores.faults import StoreError
from enlighten_cli.stores.folders import names_of_page, unwritable, whole_folder

WINDOWS = 8  # kept; the photos in work are only nearly in the order of their names


@dataclass(frozen=True)
class _Window:
    """The names in part of a folder: after `first`, up to and including `last` (None: to the end)."""

    folder: Address
    first: str
    last: str | None
    names: frozenset[str]

    def covers(self, folder: Address, name: str) -> bool:
        return folder == self.folder and self.first < name and (self.last is None or name <= self.last)


class Listed:
    """Tells which names are taken; in S3 one request answers a thousand names, if they are asked in order.

    It misses what is written meanwhile; `write` with ``replace=False`` notices it.
    """

    def __init__(self) -> None:
        self._windows: deque[_Window] = deque(maxlen=WINDOWS)
        self._lock = threading.Lock()

    def __contains__(self, address: Address) -> bool:
        """Tell whether a photo of this name existed when its folder was listed.

        Raises
        ------
        OutputError
            If its folder cannot be listed.
        """
        folder, name = address.parent, address.key.rpartition("/")[2]
        with self._lock:
            window = next((each for each in self._windows if each.covers(folder, name)), None)
            if window is None:
                try:
                    window = _window(folder, name)
                except StoreError as error:
                    raise unwritable(folder, error) from None
                self._windows.appendleft(window)
        return name in window.names


def _window(folder: Address, name: str) -> _Window:
    if folder.row is not S3:
        return _Window(folder, "", None, frozenset(each.name for each in whole_folder(folder) if not each.folder))
    before = _just_before(name)
    page, token = names_of_page(folder, after=before)
    names, last = list(page), _last(page, token)
    while last is not None and last < name:
        page, token = names_of_page(folder, token=token)
        names += page
        last = _last(page, token)
    return _Window(folder, before, last, frozenset(each.name for each in names if not each.folder))


def _last(page: list[Address], token: str | None) -> str | None:
    return page[-1].name if token is not None and page else None


def _just_before(name: str) -> str:
    """Return a name shortly before this one, to list from: S3 lists what comes after a name."""
    letter = chr(max(ord(name[-1]) - 1, 0))
    return name[:-1] + (letter if letter.isprintable() else "")
