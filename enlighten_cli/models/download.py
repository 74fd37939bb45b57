"""Files from elsewhere: they arrive whole and as expected, or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import ModelError, OutputError

if TYPE_CHECKING:
    import requests

CACHE_VARIABLE, OFFLINE_VARIABLE, ADDRESS_VARIABLE = "ENLIGHTEN_CACHE", "ENLIGHTEN_OFFLINE", "ENLIGHTEN_WEIGHTS_URL"
CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = (10.0, 30.0)  # to connect, and between two pieces
TRIES = 4
BACK_OFF_SECONDS = 1.0  # before the second try; doubled each time
REDIRECTS = 5
TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
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
        digest = self.sha256 or _remembered(path)
        return sha256_of(path) == digest if digest else git_blob_of(path) == self.git_blob


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


def _remembered(path: Path) -> str:
    """Return the SHA-256 that a file had when it was known to be right by a weaker hash; or nothing."""
    note = path.with_name(path.name + HASH_SUFFIX)
    return note.read_text(encoding="ascii").strip() if note.is_file() else ""


def cache_folder() -> Path:
    """Return where downloads are kept: ``ENLIGHTEN_CACHE``, or the platform's cache folder."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("enlighten-cli")


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


def offline() -> bool:
    """Tell whether ``ENLIGHTEN_OFFLINE`` forbids the network."""
    return os.environ.get(OFFLINE_VARIABLE, "").lower() not in ("", "0", "false", "no")


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
        raise OutputError(_screen(f"{download.name} cannot be kept: {reason}", download, address, path)) from error
    return path


def _fetch_with_patience(download: Download, address: str, path: Path, tell: Callable[[str, int], None]) -> None:
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    for attempt in range(1, TRIES + 1):
        try:
            resumed = _receive(download, address, partial, tell)
            if not download.matches(partial):
                if resumed:
                    partial.unlink()
                    raise _TransientError("what was here already was of another file")
                got = f"{partial.stat().st_size:,} bytes, SHA-256 {sha256_of(partial)}"
                partial.unlink()
                raise _RefusedError("not kept, because it is another file", got)
        except _TransientError as error:
            if attempt == TRIES:
                what = f"{download.name} cannot be fetched: {error} ({TRIES} tries)"
                raise ModelError(_screen(what, download, address, path)) from error
            time.sleep(BACK_OFF_SECONDS * 2 ** (attempt - 1))
        except _RefusedError as error:
            what = f"{download.name}: {error}"
            raise ModelError(_screen(what, download, address, path, got=error.got)) from error
        else:
            partial.replace(path)
            return


class _TransientError(Exception):
    """Another try may go better."""


class _RefusedError(Exception):
    """No other try would help."""

    def __init__(self, what: str, got: str = "") -> None:
        super().__init__(what)
        self.got = got


def _screen(what: str, download: Download, address: str, path: Path, *, got: str = "") -> str:
    """Say all that helps, on one screen."""
    lines = [what, f"  address  {address}", f"  wanted   {download.wanted}"]
    lines += [f"  got      {got}"] if got else []
    lines += [
        f"  path     {path}",
        f"  helps    {ADDRESS_VARIABLE}: another address (https: or file:); {CACHE_VARIABLE}: another folder;",
        f"           HTTPS_PROXY: a proxy; {OFFLINE_VARIABLE}=1: never try",
    ]
    return "\n".join(lines)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; the system lets go of it even when the process is killed."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _receive(download: Download, address: str, partial: Path, tell: Callable[[str, int], None]) -> bool:
    """Bring the partial file to its full size, and tell whether it went on from where it stood."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        try:
            with Path(url2pathname(parts.path)).open("rb") as source, partial.open("wb", buffering=0) as file:
                _copy(iter(lambda: source.read(CHUNK_BYTES), b""), file, download, "this machine", tell)
        except FileNotFoundError as error:
            raise _RefusedError("there is no such file") from error
        return False
    if offline():
        raise _RefusedError(f"not fetched, because {OFFLINE_VARIABLE} forbids it")
    import requests

    have = partial.stat().st_size if partial.exists() else 0
    if have >= download.size_bytes:
        have = 0
    try:
        with _answer(address, have) as response:
            if response.status_code in TRANSIENT:
                raise _TransientError(f"the server answered {response.status_code} {response.reason}")
            if response.status_code not in (200, 206):
                if response.status_code == 416:  # what is here is no beginning of what is there
                    partial.unlink(missing_ok=True)
                    raise _TransientError("the server has less than is here already")
                raise _RefusedError(f"the server answered {response.status_code} {response.reason}")
            resumed = response.status_code == 206 and response.headers.get("Content-Range", "").startswith(
                f"bytes {have}-"
            )
            if response.status_code == 206 and not resumed:
                partial.unlink(missing_ok=True)
                raise _TransientError("the server sent another part than was asked for")
            host = urlsplit(response.url).hostname or ""
            with partial.open("ab" if resumed else "wb", buffering=0) as file:
                _copy(response.iter_content(CHUNK_BYTES), file, download, host, tell)
                size = file.tell()
            announced = response.headers.get("Content-Length", "")
            expected = int(announced) + (have if resumed else 0) if announced.isdecimal() else 0
            if size < (download.size_bytes if download.exact_size else expected):
                raise _TransientError(f"the connection ended after {size:,} bytes")
            return resumed
    except requests.exceptions.ProxyError as error:
        raise _TransientError(f"the proxy refused ({_short(error)})") from error
    except requests.RequestException as error:
        raise _TransientError(_short(error)) from error


def _answer(address: str, have: int) -> requests.Response:
    """Ask for a file from byte `have` on, following redirects only where plain fetching would be allowed."""
    import requests

    # No compression: ranges and sizes are those of the file.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    for _ in range(REDIRECTS + 1):
        _check_allowed(address)
        response = requests.get(address, headers=headers, stream=True, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        if not response.is_redirect:
            return response
        address = urljoin(address, response.headers["Location"])
        response.close()
    raise _RefusedError(f"more than {REDIRECTS} redirects")


def _check_allowed(address: str) -> None:
    """Refuse what could be read or changed on the way: https only, but for this machine itself."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return
    raise _RefusedError(f"not fetched, because {parts.scheme}://{host} is not https")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _copy(
    chunks: Iterator[bytes], file: IO[bytes], download: Download, host: str, tell: Callable[[str, int], None]
) -> None:
    """Append chunks until there are no more, or more than there may be."""
    for chunk in chunks:
        file.write(chunk)
        tell(host, file.tell())
        if file.tell() > download.size_bytes:
            got = f"more than {download.size_bytes:,} bytes"
            file.truncate(0)
            raise _RefusedError("not kept, because it is larger than it may be", got)


def _short(error: Exception) -> str:
    """Return the innermost reason of a connection's failure."""
    while (inner := error.__context__ or getattr(error, "reason", None)) is not None and isinstance(inner, Exception):
        error = inner
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
