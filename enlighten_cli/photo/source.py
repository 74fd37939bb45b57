"""Open a photo's file once: check its kind and size, then read it."""

from __future__ import annotations

import io
import os
import stat
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, BinaryIO

from PIL import Image

from enlighten_cli.errors import PhotoError, TooLargeError
from enlighten_cli.photo.formats import RAW, check_kind, import_plugin, sniff
from enlighten_cli.photo.jxl import jxl_size
from enlighten_cli.photo.limits import Limits
from enlighten_cli.photo.structure import check_structure
from enlighten_cli.photo.tiff_photo import find_photo
from enlighten_cli.stores.address import Address, Place

HEAD_BYTES = 64
BYTES_A_PIXEL = 8  # four channels of 16 bits: more than any format takes for a pixel
FileStatus = tuple[int, int, int, int]
"""Device, inode, size, and the time of the last writing: not of the last link or renaming, which change no content."""
CHANGED = "the file changes while it is read; try again when it is complete, or with --allow-truncated"
REREAD_AFTER_SECONDS = (0.1, 0.2)
CLOCK_STEP_SECONDS = 0.02  # two changes within it may bear one time
OTHER_BYTES = 128 * 2**20  # metadata, previews, the unused parts of a burst
_pillow_limit = threading.Lock()
# Opening a FIFO would wait for somebody to write into it.
OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class ChangedError(PhotoError):
    """The file was written while it was read, so that what was read may be of two versions."""


@dataclass
class Source:
    """An open file that seems to be a photo.

    Parameters
    ----------
    file : binary file
        At its beginning.
    kind : str
        A name in `FORMATS`, according to its first bytes.
    size_bytes : int
    pixels : int
        According to its header; 0 if the header cannot be read alone.
    status : tuple or None
        What would differ if it were written, as it was before reading; None if it cannot be written.
    may_change : bool
        Whether it is read all the same if it is written meanwhile.
    """

    file: BinaryIO
    kind: str
    size_bytes: int
    pixels: int
    status: FileStatus | None = None
    may_change: bool = False

    def read(self) -> bytes:
        """Return the content, of one version of the file.

        Raises
        ------
        ChangedError
            If it is written again and again, and may not be.
        PhotoError
        """
        for wait in (*REREAD_AFTER_SECONDS, None):
            try:
                content = self.file.read(self.size_bytes + 1)
            except OSError as error:
                raise PhotoError(error.strerror or str(error)) from error
            if not self.has_changed() and len(content) <= self.size_bytes:
                return content
            if wait is None:
                break
            time.sleep(wait)
            self._begin_anew()
        if not self.may_change:
            raise ChangedError(CHANGED)
        return content

    def has_changed(self, path: Path | None = None) -> bool:
        """Tell whether the file was written, or with `path`: that name given to another one, since reading began."""
        if self.status is None:
            return False
        try:
            status = os.fstat(self.file.fileno()) if path is None else os.stat(path)
        except OSError:
            return True
        return _compared(status) != self.status

    def _begin_anew(self) -> None:
        self.file.seek(0)
        status = os.fstat(self.file.fileno())
        if status.st_size > max(self.size_bytes, most_bytes(self.pixels)):
            raise ChangedError(CHANGED)
        self.size_bytes, self.status = status.st_size, _compared(status)


@contextmanager
def opened_source(path: Place, limits: Limits) -> Iterator[Source]:
    """Open a photo's file, and refuse before reading it what cannot be a photo.

    Raises
    ------
    PhotoError
        If it cannot be opened, is no regular file, no photo, or larger than a photo can be.
    """
    if isinstance(path, Address):
        from enlighten_cli.stores.contents import read

        content = read(path, most_bytes(limits.max_mpixels * 1e6))
        source = _source_of(io.BytesIO(content), path.suffix, len(content))
        _check_size(source, limits)
        yield source
        return
    try:
        file = os.fdopen(os.open(path, OPEN_FLAGS), "rb")
    except OSError as error:
        raise PhotoError(error.strerror or str(error)) from error
    with file:
        status = _settled(file)
        if not stat.S_ISREG(status.st_mode):
            raise PhotoError("not a regular file; a pipe is read from stdin: enlighten - -o OUT < PIPE")
        source = _source_of(file, path.suffix, status.st_size)
        source.status, source.may_change = _compared(status), limits.allow_truncated
        _check_size(source, limits)
        yield source


def _settled(file: BinaryIO) -> os.stat_result:
    """Return the status of a file, once a change after it would show in its times."""
    status = os.fstat(file.fileno())
    if stat.S_ISREG(status.st_mode) and 0 <= time.time() - status.st_mtime < CLOCK_STEP_SECONDS:
        time.sleep(CLOCK_STEP_SECONDS)
        status = os.fstat(file.fileno())
    return status


def _compared(status: os.stat_result) -> FileStatus:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def read_stream(stream: IO[bytes], limits: Limits) -> bytes:
    """Read a photo from a stream, but no more bytes than a photo can have.

    Raises
    ------
    PhotoError
        If there is more.
    """
    most = most_bytes(limits.max_mpixels * 1e6)
    content = stream.read(most + 1)
    if len(content) > most:
        raise TooLargeError(f"more than {most:,} bytes: too large for a photo of --max-mpixels {limits.max_mpixels:g}")
    return content


def most_bytes(pixels: float) -> int:
    """Return the most bytes that a file of so many pixels can have."""
    return int(pixels * BYTES_A_PIXEL) + OTHER_BYTES


def content_of(file: BinaryIO) -> bytes:
    """Return all of a file; of one that is in memory, without a copy."""
    if isinstance(file, io.BytesIO):
        return file.getvalue()
    file.seek(0)
    return file.read()


def _source_of(file: BinaryIO, suffix: str, size_bytes: int) -> Source:
    try:
        head = file.read(HEAD_BYTES)
    except OSError as error:
        raise PhotoError(error.strerror or str(error)) from error
    file.seek(0)
    kind = sniff(head, suffix)
    check_kind(head, kind)
    source = Source(file, kind, size_bytes, 0)
    if kind == RAW:
        return source
    import_plugin(kind)
    return replace(source, pixels=_pixels_in_header(file, kind))


def _pixels_in_header(file: BinaryIO, kind: str) -> int:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "JXL":
                width, height = jxl_size(file)
                return width * height
            if kind == "TIFF" and (photo := find_photo(file)):
                return photo.width * photo.height
            image = open_image(file, kind)
            return image.width * image.height
    except Exception:  # decoding will report what is wrong
        return 0
    finally:
        file.seek(0)


def open_image(file: IO[bytes], kind: str) -> Image.Image:
    """Read a header with the decoder of one format only, and without Pillow's limit of pixels."""
    check_structure(file, kind)
    with _pillow_limit:
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None  # a setting of the whole process, hence the lock
        try:
            return Image.open(file, formats=[kind])
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _check_size(source: Source, limits: Limits) -> None:
    most = most_bytes(source.pixels or limits.max_mpixels * 1e6)
    if source.size_bytes > most:
        raise TooLargeError(f"{source.size_bytes:,} bytes: too large a file for its pixels ({most:,} bytes at most)")
