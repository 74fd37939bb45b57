"""Receive a request's body into a file, with limits on its size and its time."""

from __future__ import annotations

import errno
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

import anyio
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from enlighten_cli.serve.private_folder import PrivateFolder
from enlighten_cli.serve.problems import Problem
from enlighten_cli.serve.settings import Settings

SLOWEST = 20_000  # bytes a second; slower bodies are refused
KEPT_FREE = 200_000_000  # bytes of the disk that uploads leave free
MOST_JSON_BYTES = 4_000_000
MOST_FIELD_BYTES = 1_000
FILE_FIELDS = ("photo", "file")
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


def safe_name(given: str) -> str:
    """Return a safe file name, without a path, whatever name a client gives its photo."""
    name = UNSAFE.sub("_", PurePosixPath(given.replace("\\", "/")).name).strip(" .")
    stem, ending = PurePosixPath(name).stem, PurePosixPath(name).suffix
    if not ENDING.fullmatch(ending):
        stem, ending = name, ""
    stem = stem.strip(" .")[:MOST_NAME_LETTERS].encode()[: 2 * MOST_NAME_LETTERS].decode(errors="ignore") or "photo"
    return f"_{stem}{ending}" if stem.lower() in RESERVED or stem.startswith("~") else stem + ending


async def receive_photo(request: Request, folder: PrivateFolder, settings: Settings) -> Upload:
    """Receive a photo: as the body itself, or as the field ``photo`` or ``file`` of a form.

    Raises
    ------
    Problem
        If it is too large (413), too slow (408), of another type (415), or the form is invalid (422).
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > settings.max_bytes:
        raise too_large(settings)
    if declared.isdecimal() and int(declared) > folder.free_bytes() - KEPT_FREE:
        raise Problem(507, "the disk of the server's temporary files is full")
    kind, options = parse_options_header(request.headers.get("content-type"))
    kind_name = kind.decode("latin-1").lower()
    if kind_name == "multipart/form-data":
        sink: _Sink = _FormSink(folder, options.get(b"boundary", b""))
    elif kind_name in BYTES or kind_name.startswith("image/"):
        sink = _Sink(folder, safe_name(request.query_params.get("name", "photo")))
    else:
        raise Problem(415, "send a photo's bytes, or a form (multipart/form-data) with a field `photo`")
    try:
        async for chunk in chunks(request, settings.max_bytes, settings):
            sink.write(chunk)
        return sink.finish()
    except OSError as error:
        sink.discard()
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Problem(507, "the disk of the server's temporary files is full") from error
        raise
    except BaseException:
        sink.discard()
        raise


async def receive_json(request: Request, settings: Settings) -> dict[str, Any]:
    """Receive a JSON object.

    Raises
    ------
    Problem
        If it is not a JSON object (415, 422), too large (413) or too slow (408).
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Problem(415, "send JSON (application/json)")
    content = bytearray()
    async for chunk in chunks(request, MOST_JSON_BYTES, settings):
        content += chunk
    try:
        value = json.loads(content)
    except ValueError as error:
        raise Problem(422, "the body is not valid JSON") from error
    if not isinstance(value, dict):
        raise Problem(422, "the body must be a JSON object")
    return value


async def chunks(request: Request, most: int, settings: Settings) -> AsyncIterator[bytes]:
    """Yield the parts of a body as they arrive.

    A client has `body_seconds`, and a second more for each `SLOWEST` bytes received.

    Raises
    ------
    Problem
        If the body is larger than `most` bytes (413), or too slow (408).
    """
    began, count = time.monotonic(), 0
    stream = request.stream()
    while True:
        left = began + settings.body_seconds + count / SLOWEST - time.monotonic()
        chunk = None
        with anyio.move_on_after(max(0.0, left)):
            chunk = await anext(stream, b"")
            if not chunk:
                return
        if chunk is None:
            raise Problem(408, "the body arrived too slowly; send it again")
        count += len(chunk)
        if count > most:
            raise too_large(settings)
        yield chunk


def too_large(settings: Settings) -> Problem:
    """Return the error for a body that is too large."""
    return Problem(413, f"the body is larger than {settings.max_bytes // 1_000_000:,} MB (--max-mb)")


class _Sink:
    """Writes the bytes of a photo to its file."""

    def __init__(self, folder: PrivateFolder, name: str = "") -> None:
        self._folder, self._file = folder, None
        self._upload: Upload | None = None
        if name:
            self._open(name)

    _file: IO[bytes] | None

    def _open(self, name: str) -> None:
        path = self._folder.new(PurePosixPath(name).suffix)
        self._upload = Upload(path, name)
        self._file = path.open("xb")

    def write(self, chunk: bytes) -> None:
        if self._file:
            self._file.write(chunk)

    def finish(self) -> Upload:
        if self._file is None or self._upload is None:
            raise Problem(422, "the form has no photo; send it as a file in the field `photo`")
        self._file.close()
        return self._upload

    def discard(self) -> None:
        if self._file and self._upload:
            self._file.close()
            self._upload.path.unlink(missing_ok=True)


class _FormSink(_Sink):
    """Writes the photo of a form to its file, and collects the other fields."""

    def __init__(self, folder: PrivateFolder, boundary: bytes) -> None:
        super().__init__(folder)
        self._fields: dict[str, str] = {}
        self._headers: dict[bytes, bytes] = {}
        self._header, self._value, self._content = b"", b"", b""
        self._field = ""
        self._is_photo, self._ended = False, False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_part_data": self._part_data,
                    "on_part_end": self._end_part,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_end": self._end,
                },
            )
        except Exception as error:
            raise Problem(422, "the form's boundary is missing or invalid") from error

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise Problem(422, "the form is damaged") from error

    def finish(self) -> Upload:
        if not self._ended:
            raise Problem(422, "the form is incomplete: it ends before its last boundary")
        upload = super().finish()
        upload.fields = self._fields
        return upload

    def _begin_part(self) -> None:
        self._headers, self._content, self._is_photo = {}, b"", False

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        if self._field in FILE_FIELDS:
            if self._upload:
                raise Problem(422, "the form has several photos; send one in each request")
            self._is_photo = True
            self._open(safe_name(options.get(b"filename", b"photo").decode("utf-8", "replace")))

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_photo:
            super().write(data[start:end])
        else:
            self._content += data[start:end]
            if len(self._content) > MOST_FIELD_BYTES:
                raise Problem(413, f"the field {self._field[:40]!r} is too long")

    def _end_part(self) -> None:
        if not self._is_photo:
            if len(self._fields) > 32:
                raise Problem(422, "the form has too many fields")
            self._fields[self._field] = self._content.decode("utf-8", "replace")

    def _end(self) -> None:
        self._ended = True
