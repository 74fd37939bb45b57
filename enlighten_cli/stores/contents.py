"""Read photos from stores, and write results to them, whole or not at all."""

from __future__ import annotations

import mimetypes
from dataclasses import replace as replaced
from typing import Any

from enlighten_cli.errors import AlreadyThereError, PhotoError, TooLargeError
from enlighten_cli.stores.address import S3, WEB, Address
from enlighten_cli.stores.faults import Fault, StoreError, tried
from enlighten_cli.stores.filesystem import filesystem
from enlighten_cli.stores.folders import exists, unwritable

# Results of at least twice this size are uploaded to S3 in parts; they appear once all parts have arrived.
PART_BYTES = 50 * 2**20
PARTS_AT_ONCE = 4
READ_BYTES = 2**20


def read(address: Address, most_bytes: int) -> bytes:
    """Return the content of a photo.

    Parameters
    ----------
    address : Address
    most_bytes : int
        Larger photos are refused; before reading, if the store tells the size.

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
    """Read from the web, without relying on the size that the server states."""
    pieces, size = [], 0
    with store.open(address.url, "rb", block_size=0) as file:
        while size <= most_bytes and (piece := file.read(READ_BYTES)):
            pieces.append(piece)
            size += len(piece)
    return b"".join(pieces)


def write(address: Address, content: bytes, *, replace: bool) -> None:
    """Write a result whole or not at all: it appears under its name once the store has all of it.

    Parameters
    ----------
    address : Address
    content : bytes
    replace : bool
        Whether to replace an existing photo of that name.

    Raises
    ------
    AlreadyThereError
        If it exists and is not to be replaced, even if another process wrote it meanwhile.
    OutputError
        If no result could be written, for example because permission is missing.
    PhotoError
        If only this name cannot be written.
    """
    try:
        address.key.encode()
    except UnicodeEncodeError:
        raise PhotoError("cannot be written: its name is not valid Unicode, and names in stores must be") from None
    try:
        _put(filesystem(address), address, content, replace=replace)
    except StoreError as error:
        if error.fault is Fault.TAKEN:
            raise AlreadyThereError(f"{address}: already exists") from None
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
        if error.fault is Fault.UNSUPPORTED:  # no conditional writes: two runs could write the same name
            if exists(address):
                raise StoreError(Fault.TAKEN, Fault.TAKEN.value) from None
            tried(lambda: put("overwrite"), address)
        elif error.fault is not Fault.TAKEN or not _holds(store, address, content):
            raise
        # Otherwise an earlier try arrived, and only its answer was lost.


def holds(address: Address, content: bytes) -> bool:
    """Tell whether a photo exists, and has exactly this content."""
    try:
        return _holds(filesystem(address), address, content)
    except StoreError:
        return False


def _holds(store: Any, address: Address, content: bytes) -> bool:
    return bool(
        tried(lambda: store.size(address.url) == len(content) and store.cat_file(address.url) == content, address)
    )
