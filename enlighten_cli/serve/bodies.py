"""Receive a request's body, with limits on its size and its time."""

from __future__ import annotations

import errno
import re
import shutil
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import anyio
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enlighten_cli.serve.private_folder import PrivateFolder
from enlighten_cli.serve.problems import Problem
from enlighten_cli.serve.settings import Settings

SLOWEST = 20_000  # bytes a second; slower bodies are refused
KEPT_FREE = 200_000_000  # bytes of the disk that uploads leave free
MOST_JSON_BYTES = 4_000_000
MOST_FIELDS, MOST_FIELD_BYTES = 32, 1_000
MOST_END_BYTES = 200  # of a form: its last boundary, and white space
FILE_FIELDS = ("photo", "file")
FORM = "multipart/form-data"
# Browsers and curl send these types for bytes whose type they do not know.
BYTES = ("application/octet-stream", "application/x-www-form-urlencoded", "")
ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}")
UNSAFE = re.compile(r"[^\w .,()+@#=~-]")
MOST_NAME_LETTERS = 120
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}


@dataclass
class Upload:
    """A photo that a client sent.

    Parameters
    ----------
    path : Path
        In the private folder, under a random name.
    name : str
        The photo's name, made safe.
    fields : dict
        The other fields of a form.
    """

    path: Path
    name: str
    fields: dict[str, str] = field(default_factory=dict)


class LimitedBodies:
    """Gives up on bodies that are too large or too slow.

    A client has `body_seconds`, and a second more for each `SLOWEST` bytes received. FastAPI's own limit answers in
    plain text, and knows no time.

    Parameters
    ----------
    app : ASGI application
        Receiving raises `Problem` in it: 413 or 408.
    settings : Settings
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        headers = Headers(scope=scope)
        most = MOST_JSON_BYTES if _kind_of(headers) == "application/json" else self._settings.max_bytes
        declared = headers.get("content-length", "")
        began, count, is_whole = time.monotonic(), 0, False

        async def limited() -> Message:
            nonlocal count, is_whole
            if is_whole:  # what comes now is the client's leaving
                return await receive()
            if declared.isdecimal() and int(declared) > most:
                raise _too_large(most)
            left = began + self._settings.body_seconds + count / SLOWEST - time.monotonic()
            with anyio.move_on_after(max(0.0, left)):
                message = await receive()
                is_whole = not message.get("more_body", False)
                count += len(message.get("body", b""))
                if count > most:
                    raise _too_large(most)
                return message
            raise Problem(408, "the body arrived too slowly; send it again")

        await self._app(scope, limited, send)


def safe_name(given: str) -> str:
    """Return a safe file name, without a path, whatever name a client gives its photo."""
    name = UNSAFE.sub("_", PurePosixPath(given.replace("\\", "/")).name).strip(" .")
    stem, ending = PurePosixPath(name).stem, PurePosixPath(name).suffix
    if not ENDING.fullmatch(ending):
        stem, ending = name, ""
    stem = stem.strip(" .")[:MOST_NAME_LETTERS].encode()[: 2 * MOST_NAME_LETTERS].decode(errors="ignore") or "photo"
    return f"_{stem}{ending}" if stem.lower() in RESERVED or stem.startswith("~") else stem + ending


async def receive_photo(request: Request, folder: PrivateFolder) -> Upload:
    """Receive a photo: as the body itself, or as the field ``photo`` or ``file`` of a form.

    Raises
    ------
    Problem
        If it is of another type (415), the form is invalid (422), or the disk is full (507); see `LimitedBodies`.
    """
    declared, kind = request.headers.get("content-length", ""), _kind_of(request.headers)
    if declared.isdecimal() and int(declared) > folder.free_bytes() - KEPT_FREE:
        raise Problem(507, "the disk of the server's temporary files is full")
    upload = Upload(Path(), "")
    try:
        if kind == FORM:
            return await _from_form(request, folder, upload)
        if kind in BYTES or kind.startswith("image/"):
            return await _from_bytes(request, folder, upload)
    except BaseException as error:
        if upload.name:
            upload.path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Problem(507, "the disk of the server's temporary files is full") from error
        raise
    raise Problem(415, f"send a photo's bytes, or a form ({FORM}) with a field `photo`")


async def _from_bytes(request: Request, folder: PrivateFolder, upload: Upload) -> Upload:
    _place(upload, folder, request.query_params.get("name", "photo"))
    with upload.path.open("xb") as file:
        async for chunk in request.stream():
            file.write(chunk)
    return upload


async def _from_form(request: Request, folder: PrivateFolder, upload: Upload) -> Upload:
    parser = MultiPartParser(
        request.headers, _whole_form(request), max_files=1, max_fields=MOST_FIELDS, max_part_size=MOST_FIELD_BYTES
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Problem(422, f"the form is invalid: {error.message}") from error
    try:
        photo = next((form[name] for name in FILE_FIELDS if name in form), None)
        if not isinstance(photo, UploadFile):
            raise Problem(422, "the form has no photo; send it as a file in the field `photo`")
        _place(upload, folder, photo.filename or "photo")
        with upload.path.open("xb") as file:
            await anyio.to_thread.run_sync(shutil.copyfileobj, photo.file, file, 1 << 20)
        upload.fields = {name: value for name, value in form.items() if isinstance(value, str)}
    finally:
        await form.close()
    return upload


async def _whole_form(request: Request) -> AsyncGenerator[bytes, None]:
    """Yield the parts of a form; Starlette's parser does not notice that the end is missing."""
    _, options = parse_options_header(request.headers["content-type"])
    end = options.get(b"boundary", b"") + b"--"
    tail = b""
    async for chunk in request.stream():
        tail = (tail + chunk)[-MOST_END_BYTES:]
        yield chunk
    if not tail.rstrip().endswith(end):
        raise Problem(422, "the form is incomplete: it ends before its last boundary")


def _place(upload: Upload, folder: PrivateFolder, name: str) -> None:
    upload.name = safe_name(name)
    upload.path = folder.new(PurePosixPath(upload.name).suffix)


def _kind_of(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _too_large(most: int) -> Problem:
    return Problem(413, f"the body is larger than {most // 1_000_000:,} MB (--max-mb)")
