"""Errors of the API, all as JSON of the form ``{"error": {"status", "code", "message"}}``."""

from __future__ import annotations

import sys

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from enlighten_cli.enhancement.encoded import BrightAlreadyError
from enlighten_cli.errors import (
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


class Problem(Exception):  # noqa: N818  # HTTP's word for it (RFC 9457)
    """The error with which a request is refused.

    Parameters
    ----------
    status : int
        One of `CODES`.
    message : str
        What is wrong and what to do, in one line.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def problem_of(error: Exception) -> Problem:
    """Return the error for the client; the details of an unexpected one are withheld."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, EnlightenError):
        return Problem(next((status for kind, status in STATUSES if isinstance(error, kind)), 500), str(error))
    return Problem(500, "internal error; see the terminal in which `enlighten serve` runs")


def as_json(problem: Problem) -> Response:
    """Return the response that reports an error."""
    error = {"status": problem.status, "code": CODES[problem.status], "message": str(problem)}
    headers = {"retry-after": str(RETRY_SECONDS)} if problem.status in (429, 503) else {}
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse({"error": error}, problem.status, headers)


async def answer(request: Request, error: Exception) -> Response:
    """Return the response to an exception of a handler."""
    if isinstance(error, HTTPException):  # of the router
        status = error.status_code if error.status_code in CODES else 400
        return as_json(Problem(status, {404: "no such page", 405: "method not allowed"}.get(status, "refused")))
    problem = problem_of(error)
    if problem.status == 500:
        tell_of(error)
    return as_json(problem)


def tell_of(error: Exception) -> None:
    """Write to the terminal the details that are withheld from clients."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    sys.stderr.write(f"enlighten: internal error: {''.join(each for each in text if each.isprintable())}\n")
