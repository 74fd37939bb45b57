"""Downloads: a file is kept only if its size and hash are as expected."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import ModelError, OutputError
from enlighten_cli.file_lock import lock
from enlighten_cli.models.folders import CACHE_VARIABLE, cache_folder
from enlighten_cli.models.transfer import CHUNK_BYTES, OFFLINE_VARIABLE, RefusedError, TransientError, no_link, receive

ADDRESS_VARIABLE = "ENLIGHTEN_WEIGHTS_URL"
TRIES = 4
BACK_OFF_SECONDS = 1.0  # before the second try; doubled each time
MOST_NOTE_LETTERS = 100
PARTIAL_SUFFIX, LOCK_SUFFIX, HASH_SUFFIX = ".part", ".lock", ".sha256"


@dataclass(frozen=True)
class Download:
    """A file to download, identified by its size and hash.

    Parameters
    ----------
    name : str
        Of the file, in the cache and on a mirror.
    size_bytes : int
        Its size, or an upper limit if the size is not known.
    sha256 : str
        In hexadecimal; empty if `git_blob` is known instead.
    git_blob : str
        Git's object id of the content, or empty.
    url : str
        Address, unless a mirror is set; empty if the file is not published yet.
    exact_size : bool
        Whether `size_bytes` is the exact size, not a limit.
    """

    name: str
    size_bytes: int
    sha256: str = ""
    git_blob: str = ""
    url: str = ""
    exact_size: bool = True

    @property
    def wanted(self) -> str:
        """The expected size and hash, for messages."""
        kind = f"SHA-256 {self.sha256}" if self.sha256 else f"git blob {self.git_blob}"
        return f"{'' if self.exact_size else 'at most '}{self.size_bytes:,} bytes, {kind}"

    def matches(self, path: Path) -> bool:
        """Tell whether a file has the expected size and hash."""
        size = path.stat().st_size
        if size > self.size_bytes or (self.exact_size and size != self.size_bytes):
            return False
        if self.sha256:
            return sha256_of(path) == self.sha256
        return git_blob_of(path) == self.git_blob and _remembered(path) in (None, sha256_of(path))


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    import hashlib  # slow to import

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_blob_of(path: Path) -> str:
    """Return git's object id of a file's content: SHA-1 over ``blob <size>``, a zero byte and the content."""
    import hashlib

    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _remembered(path: Path) -> str | None:
    """Return the SHA-256 recorded when the file was verified by the weaker SHA-1 of git; None if there is no record."""
    try:
        with path.with_name(path.name + HASH_SUFFIX).open(encoding="ascii", errors="replace") as note:
            return note.read(MOST_NOTE_LETTERS).strip()
    except OSError:
        return None


def address_of(download: Download) -> str:
    """Return the address of a download: on the mirror ``ENLIGHTEN_WEIGHTS_URL`` if that is set, else its own.

    Raises
    ------
    ModelError
        If it has no address because it is not published yet.
    """
    if base := os.environ.get(ADDRESS_VARIABLE):
        return f"{base.rstrip('/')}/{download.name}"
    if not download.url:
        raise ModelError(
            f"{download.name} is not published yet, so it cannot be fetched; if you have the file, put it into a"
            f" folder and set {ADDRESS_VARIABLE} to that folder's address (file:///...), or use it by its path"
        )
    return download.url


def fetch(download: Download, tell: Callable[[str, int], None] = lambda host, size_bytes: None) -> Path:
    """Return a file's path in the cache; download it first if it is missing or damaged.

    The file gets its name only after its size and hash were checked. If several processes need it, one
    downloads it and the others wait. An interrupted download is resumed.

    Parameters
    ----------
    download : Download
    tell : callable
        Receives the host and the number of bytes received, those of earlier attempts included.

    Raises
    ------
    ModelError
        If it cannot be downloaded, or its size or hash is wrong.
    OutputError
        If the cache cannot be written.
    """
    folder = cache_folder()
    path = folder / download.name
    if path.is_file() and download.matches(path):
        return path
    address = address_of(download)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(path.with_name(path.name + LOCK_SUFFIX)):
            if path.is_file() and download.matches(path):  # another process was first
                return path
            _fetch_with_patience(download, address, path, tell)
            if not download.sha256:
                write_whole(path.with_name(path.name + HASH_SUFFIX), f"{sha256_of(path)}\n".encode())
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(*_screen(f"{download.name} cannot be saved: {reason}", download, address, path)) from error
    return path


def _fetch_with_patience(download: Download, address: str, path: Path, tell: Callable[[str, int], None]) -> None:
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    if partial.is_symlink():
        partial.unlink()  # this program creates no links
    for attempt in range(1, TRIES + 1):
        try:
            resumed = receive(address, partial, download.size_bytes, exact_size=download.exact_size, tell=tell)
            if not download.matches(partial):
                if resumed:
                    partial.unlink()
                    raise TransientError("the partial download belonged to another file")
                got = f"{partial.stat().st_size:,} bytes, SHA-256 {sha256_of(partial)}"
                partial.unlink()
                raise RefusedError("not kept, because its size or hash is wrong", got)
        except TransientError as error:
            if attempt == TRIES:
                what = f"{download.name} cannot be fetched: {error} ({TRIES} tries)"
                raise ModelError(*_screen(what, download, address, path)) from error
            time.sleep(BACK_OFF_SECONDS * 2 ** (attempt - 1))
        except RefusedError as error:
            what = f"{download.name}: {error}"
            raise ModelError(*_screen(what, download, address, path, got=error.got)) from error
        else:
            partial.replace(path)
            return


def _screen(what: str, download: Download, address: str, path: Path, *, got: str = "") -> list[str]:
    """Return the lines of a message with cause, address, path and remedies."""
    lines = [what, f"  address  {address}", f"  wanted   {download.wanted}"]
    lines += [f"  got      {got}"] if got else []
    lines += [
        f"  path     {path}",
        f"  to try   {ADDRESS_VARIABLE}: another address (https: or file:); {CACHE_VARIABLE}: another folder;",
        f"           HTTPS_PROXY: a proxy; {OFFLINE_VARIABLE}=1: no downloads",
    ]
    return lines


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; the system releases it even if the process is killed.

    Without locks, two processes may download at once; the hash decides whether the result is right.
    """
    with open(path, "a", opener=no_link) as file:
        lock(file, wait=True)
        yield
