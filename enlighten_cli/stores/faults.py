"""Errors of stores: which ones are worth a retry, and what to tell the user."""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Callable, Iterator
from enum import Enum
from typing import TypeVar

from enlighten_cli.stores.address import Address

Result = TypeVar("Result")

TRIES = 6
FIRST_WAIT_SECONDS = 0.25  # doubled after each try
BUSY_STATUSES = (408, 425, 429, 500, 502, 503, 504)
BUSY_ERRNOS = (
    errno.EBUSY,
    errno.EIO,
    errno.EPIPE,
    errno.ECONNRESET,
    errno.ETIMEDOUT,
    getattr(errno, "EREMOTEIO", errno.EIO),  # what s3fs makes of an internal error of the store
)
# Of botocore, aiohttp, azure and google; by name, because they may not be installed.
BROKEN_CONNECTIONS = {
    "HTTPClientError",
    "ConnectionError",
    "IncompleteReadError",
    "ResponseStreamingError",
    "ClientConnectionError",
    "ClientPayloadError",
    "ServiceRequestError",
    "ServiceResponseError",
    "TransportError",
}
NO_CREDENTIALS = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "TokenRetrievalError",
    "ProfileNotFound",
    "DefaultCredentialsError",
    "RefreshError",
    "ClientAuthenticationError",
}


class Fault(Enum):
    """Kinds of errors, with their message."""

    ABSENT = "no such photo, folder or bucket"
    DENIED = "permission denied"
    NO_CREDENTIALS = "no valid credentials"
    TAKEN = "already exists"
    UNSUPPORTED = "the store does not support this"
    BUSY = "the store does not answer, or is busy"
    OTHER = ""


class StoreError(Exception):
    """A request to a store failed, and retrying does not help.

    It is raised without the error of the library as its cause, whose message may contain credentials.

    Parameters
    ----------
    fault : Fault
    words : str
        The reason, for the user.
    """

    def __init__(self, fault: Fault, words: str) -> None:
        super().__init__(words)
        self.fault = fault


def tried(action: Callable[[], Result], address: Address, *, sleep: Callable[[float], None] = time.sleep) -> Result:
    """Call a function that uses a store, and retry with growing waits while the store is busy.

    Parameters
    ----------
    action : callable
    address : Address
        What the function reads or writes.
    sleep : callable
        Called with the seconds to wait.

    Raises
    ------
    StoreError
    """
    for number in range(TRIES):
        try:
            return action()
        except Exception as error:  # each library has its own classes
            fault = fault_of(error)
            words = _words(error, fault, address)
        if fault is not Fault.BUSY:
            break
        if number < TRIES - 1:
            longest = FIRST_WAIT_SECONDS * 2**number
            sleep(longest * random.uniform(0.5, 1))  # so that many clients do not retry at the same moment
    raise StoreError(fault, words)


def fault_of(error: BaseException) -> Fault:
    """Classify an error of fsspec, or of a library that it uses."""
    # The first cause tells most: fsspec may say that a photo does not exist because a server is busy.
    for each in reversed([*_with_causes(error)]):
        names = {kind.__name__ for kind in type(each).__mro__}
        status = _status(each)
        if isinstance(each, FileExistsError) or status == 412:
            return Fault.TAKEN
        if isinstance(each, FileNotFoundError) or status in (404, 410):
            return Fault.ABSENT
        if names & NO_CREDENTIALS:
            return Fault.NO_CREDENTIALS
        if isinstance(each, PermissionError) or status in (401, 403):
            return Fault.DENIED
        code = each.errno if isinstance(each, OSError) else None
        if isinstance(each, NotImplementedError) or status == 501 or code == errno.ENOSYS:
            return Fault.UNSUPPORTED
        broken = isinstance(each, (ConnectionError, TimeoutError)) or names & BROKEN_CONNECTIONS
        if broken or status in BUSY_STATUSES or code in BUSY_ERRNOS:
            return Fault.BUSY
    return Fault.OTHER


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _status(error: BaseException) -> int | None:
    """Return the HTTP status of an error; each library stores it elsewhere."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore's
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return status if isinstance(status, int) else None
    for name in ("status", "status_code", "code"):
        if isinstance(status := getattr(error, name, None), int):
            return status
    return None


def _words(error: BaseException, fault: Fault, address: Address) -> str:
    """Return the message for the user: our own, or if there is none, the library's without secrets."""
    if fault is Fault.NO_CREDENTIALS:
        return f"{fault.value}; they come from {address.row.credentials or 'the address'}"
    if fault is not Fault.OTHER:
        return str(fault.value)
    said = " ".join(str(error).split())
    for secret in (address.query, address.user, address.user.removesuffix("@")):
        if secret:
            said = said.replace(secret, "...")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
