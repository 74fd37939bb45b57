"""Look up addresses in stores, and list folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from enlighten_cli.errors import OutputError, PhotoError, UsageError
from enlighten_cli.stores.address import S3, Address
from enlighten_cli.stores.faults import Fault, StoreError, tried
from enlighten_cli.stores.filesystem import filesystem

PAGE = 1000  # the most names that S3 returns at once
# After these errors the next photo would fail too.
HOPELESS = (Fault.ABSENT, Fault.DENIED, Fault.NO_CREDENTIALS, Fault.BUSY)


def located(address: Address) -> Address:
    """Look up an input: return its address, with whether it is a folder, and the size of a photo.

    Raises
    ------
    MissingDependencyError
        See `require_packages`.
    UsageError
        If it does not exist, or cannot be read.
    """
    try:
        found = look(address)
    except StoreError as error:
        raise UsageError(f"{address}: {error}") from None
    if found is None:
        raise UsageError(f"{address}: {Fault.ABSENT.value}")
    return found


def look(address: Address) -> Address | None:
    """Look up an address: return it with whether it is a folder, and the size of a photo; None if it does not exist.

    Raises
    ------
    StoreError
        If the store, or the bucket, cannot be read.
    """
    store = filesystem(address)
    if address.row is S3 and address.folder:
        page, _ = names_of_page(address, most=1)
        return address if page or address == address.bucket else None
    try:
        info = tried(lambda: store.info(address.url), address)
    except StoreError as error:
        if error.fault is Fault.ABSENT and address != address.bucket:
            return None
        raise
    is_folder = info["type"] == "directory"
    if address.folder and not is_folder:
        return None
    return replace(address, folder=is_folder, size_bytes=None if is_folder else info.get("size"))


def exists(address: Address) -> bool:
    """Tell whether a photo of this name exists, by one request; `Listed` needs fewer for many photos.

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


def check_container(address: Address) -> None:
    """Check that the bucket of an address exists.

    Raises
    ------
    StoreError
        If it does not exist, or cannot be read.
    """
    if address.row is S3:
        names_of_page(address.bucket, most=1)
    elif address.scheme != "memory":  # which has no buckets
        store = filesystem(address)
        tried(lambda: store.info(address.bucket.url), address)


def entries(folder: Address) -> Iterator[Address]:
    """Yield the photos and folders in a folder, sorted by name within each page of the store's answer.

    Raises
    ------
    StoreError
    """
    if folder.row is not S3:
        yield from whole_folder(folder)
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
        Token of this page.
    after : str
        The page begins after this name.
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
    folders = [folder.joinpath(each["Prefix"][len(prefix) : -1]) for each in answer.get("CommonPrefixes", ())]
    photos = [(each["Key"][len(prefix) :], each["Size"]) for each in answer.get("Contents", ())]
    found = [replace(each, folder=True) for each in folders]
    # Some programs mark a folder by an object without a name.
    found += [replace(folder.joinpath(name), size_bytes=size) for name, size in photos if name]
    found.sort(key=lambda each: each.key)
    return found, answer.get("NextContinuationToken") if answer.get("IsTruncated") else None


def _prefix(folder: Address) -> str:
    key = folder.key.partition("/")[2]
    return f"{key}/" if key else ""


def whole_folder(folder: Address) -> list[Address]:
    """Return the photos and folders in a folder, by one request; empty if it does not exist.

    Raises
    ------
    StoreError
    """
    store = filesystem(folder)
    try:
        infos = tried(lambda: store.ls(folder.url, detail=True), folder)
    except StoreError as error:
        if error.fault is Fault.ABSENT:
            return []
        raise
    found = []
    for info in infos:
        name = info["name"].rstrip("/").rpartition("/")[2]
        is_folder = info["type"] == "directory"
        if name and info["name"].strip("/") != store._strip_protocol(folder.url).strip("/"):
            found.append(replace(folder.joinpath(name), folder=is_folder, size_bytes=info.get("size")))
    return sorted(found, key=lambda each: each.key)


def unwritable(address: Address, error: StoreError) -> OutputError | PhotoError:
    """Return the error to raise if a result cannot be written.

    Parameters
    ----------
    address : Address
    error : StoreError
    """
    if error.fault in HOPELESS:
        return OutputError(f"{address}: cannot be written: {error}")
    return PhotoError(f"cannot be written: {error}")
