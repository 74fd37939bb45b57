"""URLs on the command line, for photos and results in stores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from enlighten_cli.errors import OutputError, UsageError
from enlighten_cli.stores.address import Address, Place, is_address, parsed

if TYPE_CHECKING:
    from enlighten_cli.cli.arguments import EnhanceArguments

# Sheets and watched folders are on this machine, and stores keep neither permissions nor times of photos.
NOT_IN_STORES = ("preview", "watch", "preserve")
FILES = ("report", "preview")


class PhotoOrFolder(click.Path):
    """Accept a path or a URL."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a `Path` or an `Address`."""
        if not isinstance(value, str) or not is_address(value):
            return super().convert(value, param, ctx)
        return parsed(value)


def check_options(arguments: EnhanceArguments, inputs: Iterable[Place]) -> None:
    """Refuse options that do not work with photos or results in stores.

    Raises
    ------
    UsageError
    """
    for option in FILES:
        # `Path` merges two slashes into one.
        if (path := getattr(arguments, option)) and is_address(str(path).replace(":/", "://", 1)):
            raise UsageError(f"--{option} writes a file on this machine; give a path, not a URL")
    is_remote = is_address(arguments.output or "") or any(isinstance(path, Address) for path in inputs)
    for option in NOT_IN_STORES:
        if is_remote and getattr(arguments, option):
            raise UsageError(f"--{option} does not work with URLs; leave it out")


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
