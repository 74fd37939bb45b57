"""Photos in stores are read, and results written, whole or not at all."""

from __future__ import annotations

import mimetypes
from dataclasses import replace as replaced
from typing import Any

from enlighten_cli.errors import AlreadyThereError, PhotoError, TooLargeError
from enlighten_cli.stores.address import S3, WEB, Address
from enlighten_cli.stores.faults import Fault, StoreError, tried
from enlighten_cli.stores.filesystem import filesystem
from enlighten_cli.stores.folders import exists, unwritable

# S3 takes results of two of these and more in parts, and shows them once all are there.
PART_BYTES = 50 * 2**20
PARTS_AT_ONCE = 4
READ_BYTES = 2**20


def read(address: Address, most_bytes: int) -> bytes:
    """Return the content of a photo.

    Parameters
    ----------
    address : Address
    most_bytes : int
        Larger ones are refused, before they are read where a size is known.

    Raises
    ------
    PhotoError
    """
    try:
        store = filesystem(address)
        if address.row is WEB:
            content = tried(lambda: _streamed(store, address, most_bytes), address)
        else:
            if address.size_bytes is None:
                address = replaced(address, size_bytes=tried(lambda: store.size(address.url), address))
            size = address.size_bytes or 0
            content = b"" if size > most_bytes else tried(lambda: store.cat_file(address.url), address)
            if size > most_bytes or len(content) > most_bytes:
                raise TooLargeError(f"{size:,} bytes: too large for a photo ({most_bytes:,} bytes at most)")
    except StoreError as error:
        raise PhotoError(str(error)) from None
    if len(content) > most_bytes:
        raise TooLargeError(f"more than {most_bytes:,} bytes: too large for a photo")
    return content


def _streamed(store: Any, address: Address, most_bytes: int) -> bytes:
    """Read from the web, where nobody need tell the truth about sizes."""
    pieces, size = [], 0
    with store.open(address.url, "rb", block_size=0) as file:
        while size <= most_bytes and (piece := file.read(READ_BYTES)):
            pieces.append(piece)
            size += len(piece)
    return b"".join(pieces)


def write(address: Address, content: bytes, *, replace: bool) -> None:
    """Write a result whole or not at all: until the store has all of it, there is nothing new under its name.

    Parameters
    ----------
    address : Address
    content : bytes
    replace : bool
        Whether one of that name is replaced.

    Raises
    ------
    AlreadyThereError
        If it exists and is not to be replaced, even if somebody wrote it meanwhile.
    OutputError
        If the next result could not be written either.
    PhotoError
        If only this name cannot be written.
    """
    try:
        address.key.encode()
    except UnicodeEncodeError:
        raise PhotoError("cannot be written: its name is not valid Unicode, which names in stores are") from None
    try:
        _put(filesystem(address), address, content, replace=replace)
    except StoreError as error:
        if error.fault is Fault.TAKEN:
            raise AlreadyThereError(f"{address}: is there already") from None
        raise unwritable(address, error) from None


def _put(store: Any, address: Address, content: bytes, *, replace: bool) -> None:
    options: dict[str, Any] = {}
    if address.row is S3:
        options |= {"chunksize": PART_BYTES, "max_concurrency": PARTS_AT_ONCE}
        if kind := mimetypes.guess_type(address.name)[0]:
            options["ContentType"] = kind

    def put(mode: str) -> None:
        store.pipe_file(address.url, content, mode=mode, **options)

    if replace:
        tried(lambda: put("overwrite"), address)
        return
    try:
        tried(lambda: put("create"), address)
    except StoreError as error:
        if error.fault is Fault.UNSUPPORTED:  # some stores have no condition; two runs could write one name there
            if exists(address):
                raise StoreError(Fault.TAKEN, Fault.TAKEN.value) from None
            tried(lambda: put("overwrite"), address)
        elif error.fault is not Fault.TAKEN or not _holds(store, address, content):
            raise
        # Otherwise a try of ours, or of a library below, arrived, and only its answer was lost.


def _holds(store: Any, address: Address, content: bytes) -> bool:
    return bool(
        tried(lambda: store.size(address.url) == len(content) and store.cat_file(address.url) == content, address)
    )
