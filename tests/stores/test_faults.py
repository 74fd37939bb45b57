import errno

import pytest

from enlighten_cli.stores.address import parsed
from enlighten_cli.stores.faults import TRIES, Fault, StoreError, fault_of, tried

PHOTO = parsed("https://me:hidden@host/a.jpg?sig=private")


class ClientError(Exception):
    """As botocore's."""

    def __init__(self, status):
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}}


class ClientPayloadError(Exception):
    """As aiohttp's."""


class NoCredentialsError(Exception):
    """As botocore's."""


class StatusError(Exception):
    """As those of aiohttp, Google and Azure."""

    def __init__(self, status):
        self.status_code = status


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (FileNotFoundError(), Fault.ABSENT),
        (PermissionError(), Fault.DENIED),
        (FileExistsError(), Fault.TAKEN),
        (ConnectionResetError(), Fault.BUSY),
        (TimeoutError(), Fault.BUSY),
        (OSError(errno.EBUSY, "slow down"), Fault.BUSY),
        (OSError(errno.EINVAL, "what"), Fault.OTHER),
        (ClientError(503), Fault.BUSY),
        (ClientError(412), Fault.TAKEN),
        (ClientError(501), Fault.UNSUPPORTED),
        (StatusError(429), Fault.BUSY),
        (StatusError(403), Fault.DENIED),
        (ClientPayloadError(), Fault.BUSY),
        (NoCredentialsError(), Fault.NO_CREDENTIALS),
        (ValueError("x"), Fault.OTHER),
    ],
)
def test_errors_of_every_library_are_sorted(error, fault):
    assert fault_of(error) is fault


def test_a_busy_server_is_no_absent_photo():
    error = FileNotFoundError("https://...")
    error.__cause__ = StatusError(503)
    assert fault_of(error) is Fault.BUSY


def test_the_status_of_a_cause_counts():
    error = OSError(errno.EINVAL, "a condition")
    error.__cause__ = ClientError(412)
    assert fault_of(error) is Fault.TAKEN


def test_what_passes_is_tried_again_after_longer_and_longer_waits():
    waits, answers = [], [ClientError(503), ConnectionResetError(), OSError(errno.EBUSY, ""), None]

    def action():
        if (answer := answers.pop(0)) is not None:
            raise answer
        return "done"

    assert tried(action, PHOTO, sleep=waits.append) == "done"
    assert len(waits) == 3
    assert all(half <= wait <= 2 * half for wait, half in zip(waits, (0.125, 0.25, 0.5), strict=True))


def test_what_stays_is_told_in_the_end():
    waits = []

    def action():
        raise ClientError(503)

    with pytest.raises(StoreError, match="busy") as error:
        tried(action, PHOTO, sleep=waits.append)
    assert error.value.fault is Fault.BUSY
    assert len(waits) == TRIES - 1


def test_what_no_try_helps_is_told_at_once_and_without_secrets():
    def action():
        raise ValueError(f"cannot fetch {PHOTO.url}")

    with pytest.raises(StoreError, match="cannot fetch") as error:
        tried(action, PHOTO, sleep=lambda seconds: pytest.fail("waited"))
    assert "hidden" not in str(error.value)
    assert "private" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__context__ is None  # a traceback would show its words
