"""The file systems of fsspec, one for each kind of store."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from enlighten_cli.errors import MissingDependencyError, how_to_install
from enlighten_cli.stores.address import Address
from enlighten_cli.stores.faults import tried


def require_packages(address: Address) -> None:
    """Refuse an address whose store needs a package that is not installed.

    Raises
    ------
    MissingDependencyError
        The message names the package.
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
        # A photo is read by one GET, without a request for its size; and only `tried` retries.
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
        If the file system cannot be opened.
    """
    require_packages(address)
    account = address.container if "@" in address.container else ""
    return tried(lambda: _filesystem(address.scheme, account), address)
