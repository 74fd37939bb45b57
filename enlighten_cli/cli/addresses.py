"""URLs on the command line, for photos and results in stores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from enlighten_cli.errors import OutputError, UsageError
from enlighten_cli.stores.address import Address, Place, is_address, parsed


class PhotoOrFolder(click.Path):
    """Accept a path or a URL; whether a path can be read is asked when its turn comes.

    Parameters
    ----------
    allow_dash : bool
        Whether `-` is stdin.
    """

    def __init__(self, *, allow_dash: bool = False) -> None:
        super().__init__(path_type=Path, readable=False, allow_dash=allow_dash)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a `Path` or an `Address`."""
        if not isinstance(value, str) or not is_address(value):
            return super().convert(value, param, ctx)
        return parsed(value)


def check_is_file(option: str, path: Path) -> None:
    """Refuse a URL for a file that is written on this machine.

    Raises
    ------
    UsageError
    """
    # `Path` merges two slashes into one.
    if is_address(str(path).replace(":/", "://", 1)):
        raise UsageError(f"{option} writes a file on this machine; give a path, not a URL")


def only_files(what: str, places: Iterable[Place]) -> list[Path]:
    """Return places as paths.

    Raises
    ------
    UsageError
        If one is in a store.
    """
    places = list(places)
    for place in places:
        if isinstance(place, Address):
            raise UsageError(f"{place}: {what} works with files on this machine; give paths, not URLs")
    return [place for place in places if isinstance(place, Path)]


def check_beside(inputs: Iterable[Place]) -> None:
    """Refuse to write results beside photos on the web.

    Raises
    ------
    UsageError
    """
    for path in inputs:
        if isinstance(path, Address) and not path.row.writable:
            raise UsageError(f"{path}: results cannot be written beside photos on the web; choose a folder with -o")


def output_place(output: str) -> Place:
    """Return the path or address of -o; an address is looked up in its store, to find out whether it is a folder.

    Raises
    ------
    UsageError
        If it is a web address.
    MissingDependencyError
        If the store needs a package that is not installed.
    OutputError
        If there is no such bucket.
    """
    if not is_address(output):
        return Path(output)
    address = parsed(output)
    if not address.row.writable:
        raise UsageError(f"-o {address}: results cannot be written to the web; choose another -o")
    from enlighten_cli.photo import SUFFIXES
    from enlighten_cli.stores.faults import Fault, StoreError
    from enlighten_cli.stores.filesystem import require_packages
    from enlighten_cli.stores.folders import check_container, look

    require_packages(address)
    try:
        check_container(address)
        if not address.folder and address.suffix.lower() not in SUFFIXES:
            found = look(address)
            address = replace(address, folder=found is not None and found.folder)
    except StoreError as error:
        # Writing may be allowed where listing is not; if it is denied too, the first result reports it.
        if error.fault is not Fault.DENIED:
            raise OutputError(f"{address}: cannot be written: {error}") from None
    return address
