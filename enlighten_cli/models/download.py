"""Files from elsewhere: they arrive whole and as expected, or not at all."""

from __future__ import annotations

import hashlib
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
    """A file elsewhere, known by its content.

    Parameters
    ----------
    name : str
        Of the file in the cache, and at a mirror.
    size_bytes : int
        Its size; where that is not known, no more than this.
    sha256 : str
        In hexadecimal; or empty, where `git_blob` is known instead.
    git_blob : str
        The id that git gives the content, or empty.
    url : str
        Where it is when no mirror is chosen; empty where it is nowhere yet.
    exact_size : bool
        Whether `size_bytes` is the size, not a limit.
    """

    name: str
    size_bytes: int
    sha256: str = ""
    git_blob: str = ""
    url: str = ""
    exact_size: bool = True

    @property
    def wanted(self) -> str:
        """The content in words, for messages."""
        kind = f"SHA-256 {self.sha256}" if self.sha256 else f"git blob {self.git_blob}"
        return f"{'' if self.exact_size else 'at most '}{self.size_bytes:,} bytes, {kind}"

    def matches(self, path: Path) -> bool:
        """Tell whether a file is this one."""
        size = path.stat().st_size
        if size > self.size_bytes or (self.exact_size and size != self.size_bytes):
            return False
        if self.sha256:
            return sha256_of(path) == self.sha256
        return git_blob_of(path) == self.git_blob and _remembered(path) in (None, sha256_of(path))


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_blob_of(path: Path) -> str:
    """Return the id that git gives a file's content: SHA-1 over ``blob <size>``, a zero byte and the content."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _remembered(path: Path) -> str | None:
    """Return the SHA-256 that a file had when it was known to be right by a weaker hash; or None."""
    try:
        with path.with_name(path.name + HASH_SUFFIX).open(encoding="ascii", errors="replace") as note:
            return note.read(MOST_NOTE_LETTERS).strip()
    except OSError:
        return None


def address_of(download: Download) -> str:
    """Return where a download comes from: ``ENLIGHTEN_WEIGHTS_URL`` if that is set, else its own address.

    Raises
    ------
    ModelError
        If it has none: then it is not published yet.
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
    """Return a download's path in the cache, fetching it where it is absent or damaged.

    The file gets its name only after its size and its hash were checked. Of several processes
    one fetches, the others wait. What was fetched before an interruption is not fetched again.

    Parameters
    ----------
    download : Download
    tell : callable
        Receives the host and the number of bytes here so far.

    Raises
    ------
    ModelError
        If it cannot be fetched, or is not what was expected.
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
        raise OutputError(*_screen(f"{download.name} cannot be kept: {reason}", download, address, path)) from error
    return path


def _fetch_with_patience(download: Download, address: str, path: Path, tell: Callable[[str, int], None]) -> None:
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    if partial.is_symlink():
        partial.unlink()  # nothing of ours
    for attempt in range(1, TRIES + 1):
        try:
            resumed = receive(address, partial, download.size_bytes, exact_size=download.exact_size, tell=tell)
            if not download.matches(partial):
                if resumed:
                    partial.unlink()
                    raise TransientError("what was here already was of another file")
                got = f"{partial.stat().st_size:,} bytes, SHA-256 {sha256_of(partial)}"
                partial.unlink()
                raise RefusedError("not kept, because it is another file", got)
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
    """Say all that helps, on one screen: lines."""
    lines = [what, f"  address  {address}", f"  wanted   {download.wanted}"]
    lines += [f"  got      {got}"] if got else []
    lines += [
        f"  path     {path}",
        f"  helps    {ADDRESS_VARIABLE}: another address (https: or file:); {CACHE_VARIABLE}: another folder;",
        f"           HTTPS_PROXY: a proxy; {OFFLINE_VARIABLE}=1: never try",
    ]
    return lines


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; where there are none, two may fetch at once, and the hash tells what came of it."""
    with open(path, "a", opener=no_link) as file:
        lock(file, wait=True)
        yield
