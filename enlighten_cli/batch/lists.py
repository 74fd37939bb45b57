"""Lists of photos, for --files-from."""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from enlighten_cli.errors import UsageError
from enlighten_cli.photo.formats import sniff
from enlighten_cli.stores.address import Place, place_of

MOST_BYTES_OF_A_PATH = 1 << 16


def read_list(file: BinaryIO) -> Iterator[Place]:
    """Yield the paths and addresses of a list: separated by NUL if there is one, else by newlines.

    Raises
    ------
    UsageError
        If the file is not a list: a photo, a device, UTF-16, or with a path longer than any path can be; or if a URL
        is not supported.
    """
    content = _content(file)
    separator = b"\0" if b"\0" in content else b"\n"
    for line in content.split(separator):
        name = line if separator == b"\0" else line.removesuffix(b"\r")
        if len(name) > MOST_BYTES_OF_A_PATH:
            raise UsageError("--files-from: not a list of paths")
        if name:
            yield place_of(os.fsdecode(name))


def _content(file: BinaryIO) -> bytes:
    """Read a list, without the mark that Windows programs put before UTF-8."""
    head = file.read(MOST_BYTES_OF_A_PATH)
    try:
        is_device = bool(head) and stat.S_ISCHR(os.fstat(file.fileno()).st_mode) and not file.isatty()
    except OSError:  # a stream of a test
        is_device = False
    if is_device:
        raise UsageError("--files-from: a device, not a list of paths")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and b"\0" in head[2:4]:
        raise UsageError("--files-from: UTF-16 text, as PowerShell writes it; save the list as UTF-8")
    if kind := sniff(head, ""):
        raise UsageError(f"--files-from: a {kind} file, not a list of paths; leave --files-from out")
    return (head + file.read()).removeprefix(codecs.BOM_UTF8)
