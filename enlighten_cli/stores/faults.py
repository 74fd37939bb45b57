"""What went wrong in a store: whether another try can help, and what the user is told."""

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
FIRST_WAIT_SECONDS = 0.25  # doubled from try to try
BUSY_STATUSES = (408, 425, 429, 500, 502, 503, 504)
BUSY_ERRNOS = (
    errno.EBUSY,
    errno.EIO,
    errno.EPIPE,
    errno.ECONNRESET,
    errno.ETIMEDOUT,
    getattr(errno, "EREMOTEIO", errno.EIO),  # what s3fs calls an internal error of the store
)
# Of botocore, aiohttp, azure and google: named, because none of them may be imported for it.
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
    """Kinds of failure."""

    ABSENT = "there is no such photo, folder or bucket"
    DENIED = "permission denied"
    NO_CREDENTIALS = "no valid credentials"
    TAKEN = "is there already"
    UNSUPPORTED = "the store cannot do this"
    BUSY = "the store does not answer, or is busy"
    OTHER = ""


class StoreError(Exception):
    """A store failed, and further tries would not help.

    The error of the library is no cause of this one: its words may hold credentials.

    Parameters
    ----------
    fault : Fault
    words : str
        Why, in words for the user.
    """

    def __init__(self, fault: Fault, words: str) -> None:
        super().__init__(words)
        self.fault = fault


def tried(action: Callable[[], Result], address: Address, *, sleep: Callable[[float], None] = time.sleep) -> Result:
    """Return what an action on a store returns; try again, after longer and longer waits, while that can help.

    Parameters
    ----------
    action : callable
    address : Address
        What it reads or writes.
    sleep : callable
        Waits for seconds.

    Raises
    ------
    StoreError
    """
    for number in range(TRIES):
        try:
            return action()
        except Exception as error:  # every library has its own
            fault = fault_of(error)
            words = _words(error, fault, address)
        if fault is not Fault.BUSY:
            break
        if number < TRIES - 1:
            longest = FIRST_WAIT_SECONDS * 2**number
            sleep(longest * random.uniform(0.5, 1))  # so that many clients do not come back at once
    raise StoreError(fault, words)


def fault_of(error: BaseException) -> Fault:
    """Tell what kind of failure an error of fsspec, or of a library below it, is."""
    # The first cause tells most: what is no photo to fsspec may be a server that is busy.
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
    """Return the HTTP status that an error holds, wherever its library keeps it."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore's
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return status if isinstance(status, int) else None
    for name in ("status", "status_code", "code"):
        if isinstance(status := getattr(error, name, None), int):
            return status
    return None


def _words(error: BaseException, fault: Fault, address: Address) -> str:
    """Say what is wrong; the words of libraries are taken only where there are no own, without what may be secret."""
    if fault is Fault.NO_CREDENTIALS:
        return f"{fault.value}; they come from {address.row.credentials or 'the address'}"
    if fault is not Fault.OTHER:
        return str(fault.value)
    said = " ".join(str(error).split())
    for secret in (address.query, address.user, address.user.removesuffix("@")):
        if secret:
            said = said.replace(secret, "...")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
