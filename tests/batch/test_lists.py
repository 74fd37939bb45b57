"""Lists of photos, as other programs write them."""

import io
from pathlib import Path

import pytest

from enlighten_cli.batch.lists import read_list
from enlighten_cli.errors import UsageError

NAMES = [Path("a.jpg"), Path("N\u00e4chte/b.jpg")]


@pytest.mark.parametrize(
    "content",
    [
        "a.jpg\nN\u00e4chte/b.jpg\n".encode(),
        "a.jpg\r\nN\u00e4chte/b.jpg\r\n".encode(),
        "a.jpg\0N\u00e4chte/b.jpg\0".encode(),
        "\ufeffa.jpg\nN\u00e4chte/b.jpg".encode(),
        "\ufeffa.jpg\0N\u00e4chte/b.jpg".encode(),
    ],
)
def test_lists_of_other_programs(content):
    assert list(read_list(io.BytesIO(content))) == NAMES


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_said(encoding):
    with pytest.raises(UsageError, match="save the list as UTF-8"):
        list(read_list(io.BytesIO("\ufeffa.jpg\n".encode(encoding))))


def test_what_is_no_list():
    with pytest.raises(UsageError, match="not a list of paths"):
        list(read_list(io.BytesIO(b"x" * 100_000)))
    assert list(read_list(io.BytesIO(b""))) == []


@pytest.mark.posix
def test_a_device_without_an_end_is_no_list():
    with open("/dev/zero", "rb") as file, pytest.raises(UsageError, match="a device, not a list"):
        list(read_list(file))
    with open("/dev/null", "rb") as file:
        assert list(read_list(file)) == []


@pytest.mark.parametrize("head", [b"\x89PNG\r\n\x1a\n\0\0", b"\xff\xd8\xff\xe0\0\x10JFIF"])
def test_a_photo_is_no_list(head):
    with pytest.raises(UsageError, match="leave --files-from out"):
        list(read_list(io.BytesIO(head + bytes(100))))
