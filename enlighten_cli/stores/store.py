"""Stores, as fsspec knows them: look, list, read and write."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any

from enlighten_cli.errors import (
    AlreadyThereError,
    MissingDependencyError,
    OutputError,
    PhotoError,
    TooLargeError,
    UsageError,
    how_to_install,
)
from enlighten_cli.stores.address import S3, WEB, Address
from enlighten_cli.stores.faults import Fault, StoreError, tried

PAGE = 1000  # the most names that S3 tells at once
PARTS_AT_ONCE = 4  # of a result that S3 takes in parts
READ_BYTES = 2**20
# The next photo would meet the same.
HOPELESS = (Fault.ABSENT, Fault.DENIED, Fault.NO_CREDENTIALS, Fault.BUSY)


def require_packages(address: Address) -> None:
    """Refuse an address whose store needs a package that is not installed.

    Raises
    ------
    MissingDependencyError
        The message names it.
    """
    row = address.row
    needed = {"fsspec": "fsspec", row.module: row.package}
    for module in needed:
        try:
            import_module(module)
        except ImportError as error:
            raise MissingDependencyError(
                f"{address.scheme}:// needs {needed[module]}; {how_to_install('cloud', *needed.values())}"
            ) from error


@cache
def _filesystem(scheme: str, account: str) -> Any:
    """Open fsspec's file system of a kind of store.

    Parameters
    ----------
    scheme : str
    account : str
        ``container@account`` of Azure; empty elsewhere.
    """
    import fsspec

    options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
    if account:
        options |= fsspec.get_filesystem_class(scheme)._get_kwargs_from_urls(f"{scheme}://{account}/")
    is_s3 = scheme in ("s3", "s3a")
    if is_s3:
        # One GET reads a photo, without a request for its size before it; and only `tried` tries again.
        options |= {"max_concurrency": 1, "config_kwargs": {"retries": {"total_max_attempts": 1}}}
    filesystem = fsspec.filesystem(scheme, **options)
    if is_s3:
        filesystem.retries = 1
    return filesystem


def filesystem(address: Address) -> Any:
    """Return fsspec's file system of an address; all threads share it.

    Raises
    ------
    MissingDependencyError
        See `require_packages`.
    StoreError
        If it cannot be opened.
    """
    require_packages(address)
    account = address.container if "@" in address.container else ""
    return tried(lambda: _filesystem(address.scheme, account), address)


def located(address: Address) -> Address:
    """Return an input's address with what the store knows: whether it is a folder, and a photo's size.

    Raises
    ------
    MissingDependencyError
        See `require_packages`.
    UsageError
        If there is nothing of that name, or it cannot be seen.
    """
    try:
        found = look(address)
    except StoreError as error:
        raise UsageError(f"{address}: {error}") from None
    if found is None:
        raise UsageError(f"{address}: {Fault.ABSENT.value}")
    return found


def look(address: Address) -> Address | None:
    """Return an address with what the store knows of it; None if there is nothing, or no folder where it says one.

    Raises
    ------
    StoreError
        If the store, or the bucket, cannot be read.
    """
    store = filesystem(address)
    if address.row is S3 and address.folder:
        page, _ = names_of_page(address, most=1)
        is_bucket = address.key == address.container
        return address if page or is_bucket else None
    try:
        info = tried(lambda: store.info(address.url), address)
    except StoreError as error:
        if error.fault is Fault.ABSENT and address.key != address.container:
            return None
        raise
    is_folder = info["type"] == "directory"
    if address.folder and not is_folder:
        return None
    return replace(address, folder=is_folder, size_bytes=None if is_folder else info.get("size"))


def entries(folder: Address) -> Iterator[Address]:
    """Yield what is in a folder, in the order of the names within a page, page by page where the store has pages.

    Raises
    ------
    StoreError
    """
    if folder.row is not S3:
        page = _whole_folder(folder)
        yield from page
        return
    token = None
    while True:
        page, token = names_of_page(folder, token=token)
        yield from page
        if token is None:
            return


def names_of_page(
    folder: Address, *, token: str | None = None, after: str = "", most: int = PAGE
) -> tuple[list[Address], str | None]:
    """Return a page of a folder in S3, and the token of the next one.

    Parameters
    ----------
    folder : Address
    token : str, optional
        Of this page.
    after : str
        A name; the page begins behind it.
    most : int

    Raises
    ------
    StoreError
    """
    store = filesystem(folder)
    prefix = _prefix(folder)
    where = {"ContinuationToken": token} if token else {"StartAfter": prefix + after} if after else {}

    def page() -> dict[str, Any]:
        answer: dict[str, Any] = store.call_s3(
            "list_objects_v2", Bucket=folder.container, Prefix=prefix, Delimiter="/", MaxKeys=most, **where
        )
        return answer

    answer = tried(page, folder)
    found = []
    for each in answer.get("CommonPrefixes", ()):
        found.append(replace(folder.joinpath(each["Prefix"][len(prefix) : -1]), folder=True))
    for each in answer.get("Contents", ()):
        if name := each["Key"][len(prefix) :]:  # none: a mark that some programs leave for a folder
            found.append(replace(folder.joinpath(name), size_bytes=each["Size"]))
    found.sort(key=lambda each: each.key)
    return found, answer.get("NextContinuationToken") if answer.get("IsTruncated") else None


def _prefix(folder: Address) -> str:
    key = folder.key.partition("/")[2]
    return f"{key}/" if key else ""


def _whole_folder(folder: Address) -> list[Address]:
    store = filesystem(folder)
    found = []
    for info in tried(lambda: store.ls(folder.url, detail=True), folder):
        name = info["name"].rstrip("/").rpartition("/")[2]
        is_folder = info["type"] == "directory"
        if name and info["name"].strip("/") != store._strip_protocol(folder.url).strip("/"):
            found.append(replace(folder.joinpath(name), folder=is_folder, size_bytes=info.get("size")))
    return sorted(found, key=lambda each: each.key)


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
                address = replace(address, size_bytes=tried(lambda: store.size(address.url), address))
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


def exists(address: Address) -> bool:
    """Ask the store whether there is a photo of this name: one request. `Listed` answers for many.

    Raises
    ------
    OutputError
        If the bucket cannot be read.
    """
    try:
        found = look(address)
    except StoreError as error:
        raise unwritable(address, error) from None
    return found is not None and not found.folder


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
        options["max_concurrency"] = PARTS_AT_ONCE
        if kind := mimetypes.guess_type(address.name)[0]:
            options["ContentType"] = kind
    attempts = 0

    def put(mode: str) -> None:
        nonlocal attempts
        attempts += 1
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
        elif error.fault is not Fault.TAKEN or attempts == 1 or not _holds(store, address, content):
            raise
        # Otherwise an earlier try of ours arrived, and only its answer was lost.


def _holds(store: Any, address: Address, content: bytes) -> bool:
    return bool(tried(lambda: store.size(address.url) == len(content) and store.cat_file(address.url) == content, address))


def unwritable(address: Address, error: StoreError) -> OutputError | PhotoError:
    """Return the error to raise where a result cannot be written.

    Parameters
    ----------
    address : Address
    error : StoreError
    """
    if error.fault in HOPELESS:
        return OutputError(f"{address}: cannot be written: {error}")
    return PhotoError(f"cannot be written: {error}")
