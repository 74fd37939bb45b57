"""Lists of photos, for --files-from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from enlighten_cli.errors import UsageError
from enlighten_cli.stores.address import Place, place_of

MOST_BYTES_OF_A_PATH = 1 << 16


def read_list(file: BinaryIO) -> Iterator[Place]:
    """Yield the paths and addresses of a list: separated by NUL if there is one, else by newlines.

    Raises
    ------
    UsageError
        If a path is longer than any path can be, so that the file is not a list; or if a URL is not supported.
    """
    content = file.read()
    separator = b"\0" if b"\0" in content else b"\n"
    for line in content.split(separator):
        name = line if separator == b"\0" else line.removesuffix(b"\r")
        if len(name) > MOST_BYTES_OF_A_PATH:
            raise UsageError("--files-from: not a list of paths")
        if name:
            yield place_of(os.fsdecode(name))
