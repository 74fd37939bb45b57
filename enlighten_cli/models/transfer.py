"""Transfer a file from an address: which addresses are allowed, and which failures are worth another try."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    import requests

OFFLINE_VARIABLE = "ENLIGHTEN_OFFLINE"
CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = (10.0, 30.0)  # to connect, and between two packets
REDIRECTS = 5
SIZE = re.compile(r"[0-9]{1,18}")  # of a file, as a server announces it
TRANSIENT = (408, 425, 429, 500, 502, 503, 504)


def offline() -> bool:
    """Tell whether ``ENLIGHTEN_OFFLINE`` forbids the network."""
    return os.environ.get(OFFLINE_VARIABLE, "").lower() not in ("", "0", "false", "no")


class TransientError(Exception):
    """A failure that another try may overcome."""


class RefusedError(Exception):
    """A failure that another try would repeat."""

    def __init__(self, what: str, got: str = "") -> None:
        super().__init__(what)
        self.got = got


def receive(
    address: str, partial: Path, size_bytes: int, *, exact_size: bool, tell: Callable[[str, int], None]
) -> bool:
    """Download a file, or the rest of a partial one.

    Parameters
    ----------
    address : str
        ``https:`` or ``file:``.
    partial : Path
        The file to write; it may exist from an earlier attempt.
    size_bytes : int
        The largest size that is received; with `exact_size`, the only one.
    exact_size : bool
    tell : callable
        Receives the host and the number of bytes received, those of earlier attempts included.

    Returns
    -------
    bool
        Whether the partial file was continued.

    Raises
    ------
    TransientError, RefusedError
    OSError
        If the file cannot be written.
    """
    parts = urlsplit(address)
    if parts.scheme == "file":
        from urllib.request import url2pathname  # on first use: it takes long to import

        try:
            with Path(url2pathname(parts.path)).open("rb") as source, _opened(partial, "wb") as file:
                _copy(iter(lambda: source.read(CHUNK_BYTES), b""), file, size_bytes, "this machine", tell)
        except FileNotFoundError as error:
            raise RefusedError("there is no such file") from error
        return False
    if offline():
        raise RefusedError(f"not fetched, because {OFFLINE_VARIABLE} forbids it")
    import requests

    have = partial.stat().st_size if partial.exists() else 0
    if have >= size_bytes:
        have = 0
    try:
        with _answer(address, have) as response:
            if response.status_code in TRANSIENT:
                raise TransientError(f"the server answered {response.status_code} {response.reason}")
            if response.status_code not in (200, 206):
                if response.status_code == 416:  # the server's file is shorter than the partial one
                    partial.unlink(missing_ok=True)
                    raise TransientError("the server's file is shorter than the partial download")
                raise RefusedError(f"the server answered {response.status_code} {response.reason}")
            resumed = response.status_code == 206 and response.headers.get("Content-Range", "").startswith(
                f"bytes {have}-"
            )
            if response.status_code == 206 and not resumed:
                partial.unlink(missing_ok=True)
                raise TransientError("the server sent a part of the file that was not requested")
            host = urlsplit(response.url).hostname or ""
            with _opened(partial, "ab" if resumed else "wb") as file:
                _copy(response.iter_content(CHUNK_BYTES), file, size_bytes, host, tell)
                size = file.tell()
            announced = response.headers.get("Content-Length", "")
            expected = int(announced) + (have if resumed else 0) if SIZE.fullmatch(announced) else 0
            if size < (size_bytes if exact_size else expected):
                raise TransientError(f"the connection ended after {size:,} bytes")
            return resumed
    except requests.exceptions.ProxyError as error:
        raise TransientError(f"the proxy refused ({_short(error)})") from error
    except requests.RequestException as error:
        raise TransientError(_short(error)) from error


def no_link(path: str, flags: int) -> int:
    """Open a file, as the opener of `open`; fail if it is a symbolic link."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _opened(path: Path, mode: str) -> IO[bytes]:
    return open(path, mode, buffering=0, opener=no_link)


def _answer(address: str, have: int) -> requests.Response:
    """Request a file from byte `have` on; follow redirects only to allowed addresses."""
    import requests

    # Without compression, ranges and sizes are those of the file itself.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    for _ in range(REDIRECTS + 1):
        _check_allowed(address)
        response = requests.get(address, headers=headers, stream=True, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        if not response.is_redirect:
            return response
        address = urljoin(address, response.headers["Location"])
        response.close()
    raise RefusedError(f"more than {REDIRECTS} redirects")


def _check_allowed(address: str) -> None:
    """Refuse anything but https, which nobody can read or change on the way; http only to this machine."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return
    raise RefusedError(f"not fetched, because {parts.scheme}://{host} is not https")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _copy(
    chunks: Iterator[bytes], file: IO[bytes], size_bytes: int, host: str, tell: Callable[[str, int], None]
) -> None:
    """Append chunks to a file; empty it and fail if it exceeds the allowed size."""
    for chunk in chunks:
        file.write(chunk)
        tell(host, file.tell())
        if file.tell() > size_bytes:
            got = f"more than {size_bytes:,} bytes"
            file.truncate(0)
            raise RefusedError("not kept, because it is larger than expected", got)


def _short(error: Exception) -> str:
    """Return the innermost cause of a failed connection."""
    while (inner := error.__context__ or getattr(error, "reason", None)) is not None and isinstance(inner, Exception):
        error = inner
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
