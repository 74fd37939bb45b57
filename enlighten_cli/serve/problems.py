"""Errors of the API, all as JSON of the form ``{"error": {"status", "code", "message"}}``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from enlighten_cli.enhancement.encoded import BrightAlreadyError
from enlighten_cli.errors import (
    TOO_LITTLE_MEMORY,
    EnlightenError,
    FormatError,
    OutOfMemoryError,
    OutputError,
    PhotoError,
    TooLargeError,
    UsageError,
)

RETRY_SECONDS = 2
CODES = {
    400: "bad_request",
    401: "token_needed",
    403: "refused",
    404: "not_found",
    405: "method_not_allowed",
    408: "body_too_slow",
    413: "too_large",
    415: "format_not_read",
    422: "cannot_be_done",
    429: "busy",
    500: "internal_error",
    503: "took_too_long",
    507: "no_space",
}
MEANINGS = {
    401: "The token is missing or wrong.",
    403: "The request comes from a page of another site, or its `Host` header is not a name of the server.",
    408: "The body arrived too slowly.",
    413: "The photo has more bytes or megapixels than the server accepts.",
    415: "The body is not a photo, or its format is not supported.",
    422: "The photo is damaged, or an option is invalid.",
    429: "The queue is full; try again after the seconds in `retry-after`.",
    503: "The photo took too long, or more memory than is available.",
    507: "The server has no disk space left.",
}
# The first matching row decides.
STATUSES: tuple[tuple[type[EnlightenError], int], ...] = (
    (TooLargeError, 413),
    (FormatError, 415),
    (OutOfMemoryError, 503),
    (PhotoError, 422),
    (BrightAlreadyError, 422),
    (UsageError, 422),
    (OutputError, 507),
)
MOST_MESSAGE_LETTERS = 500
SURROGATES = re.compile("[\ud800-\udfff]")  # Python's stand-ins for bytes that are not UTF-8


class ErrorFields(BaseModel):
    """What an error says."""

    status: int
    code: str
    message: str


class ErrorBody(BaseModel):
    """The body of every error."""

    error: ErrorFields


class Problem(HTTPException):
    """The error with which a request is refused (RFC 9457 calls it a problem).

    Parameters
    ----------
    status : int
        One of `CODES`.
    message : str
        What is wrong and what to do, in one line.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status

    def __str__(self) -> str:
        return self.detail


class Json(JSONResponse):
    """A response of JSON, in which names of files are as `as_text` makes them."""

    def render(self, content: Any) -> bytes:
        """Return the content as JSON."""
        return json_bytes(content)


def as_text(name: str) -> str:
    """Return the name of a file as Unicode: for each byte that is none, the replacement character."""
    return SURROGATES.sub("\N{REPLACEMENT CHARACTER}", name)


def json_bytes(content: Any) -> bytes:
    """Return JSON in one line of UTF-8."""
    return as_text(json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))).encode()


def problem_of(error: Exception) -> Problem:
    """Return the error for the client; the details of an unexpected one are withheld."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):  # of the router, or of a body that cannot be parsed
        words = {400: "the body is not valid JSON", 404: "no such page", 405: "method not allowed"}
        status = error.status_code if error.status_code in CODES else 400
        return Problem(422 if status == 400 else status, words.get(status, "refused"))
    if isinstance(error, RequestValidationError | ValidationError):
        return Problem(422, _words_of(error.errors()))
    if isinstance(error, EnlightenError):
        return Problem(next((status for kind, status in STATUSES if isinstance(error, kind)), 500), str(error))
    if isinstance(error, MemoryError):
        return Problem(503, TOO_LITTLE_MEMORY)
    return Problem(500, "internal error; see the terminal in which `enlighten serve` runs")


def as_json(problem: Problem) -> Response:
    """Return the response that reports an error."""
    error = ErrorFields(status=problem.status, code=CODES[problem.status], message=" ".join(str(problem).split()))
    headers = {"retry-after": str(RETRY_SECONDS)} if problem.status in (429, 503) else {}
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Json(ErrorBody(error=error).model_dump(), problem.status, headers)


async def answer(request: Request, error: Exception) -> Response:
    """Return the response to an exception of a handler."""
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)  # which nobody reads
    problem = problem_of(error)
    if problem.status == 500:
        tell_of(error)
    return as_json(problem)


def handle_errors(app: FastAPI) -> None:
    """Make an application answer every exception in the form of this module."""
    kinds = (HTTPException, RequestValidationError, ValidationError, EnlightenError, ClientDisconnect, Exception)
    for kind in kinds:
        app.add_exception_handler(kind, answer)


def tell_of(error: Exception) -> None:
    """Write to the terminal the details that are withheld from clients."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    sys.stderr.write(f"enlighten: internal error: {''.join(each for each in text if each.isprintable())}\n")


def _words_of(errors: Sequence[Any]) -> str:
    """Say what is wrong with the first invalid option."""
    first = errors[0]
    place = ".".join(str(part)[:40] for part in first["loc"] if part not in ("query", "body", "path"))
    if first["type"] == "extra_forbidden":
        return f"unknown option {place!r}; /v1/openapi.json lists the options"
    return f"{place}: {first['msg']}".removeprefix(": ")[:MOST_MESSAGE_LETTERS]
