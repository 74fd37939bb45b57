"""Decode a large JPEG a band of rows at a time, as often as needed, instead of holding all of its pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enlighten_cli.errors import PhotoError

Span = tuple[int, int]

DECODED_ROWS = 64  # at a time: whole blocks of a JPEG, for libvips reads none twice


class DamagedError(PhotoError):
    """The file is damaged in some way; decoding it whole tells how, and what there is of it."""


@dataclass(frozen=True)
class Bands:
    """The pixels of a JPEG, decoded by libvips from the top.

    Parameters
    ----------
    content : bytes
        Of the file.
    shape : tuple of int
        Height, width and channels.
    """

    content: bytes
    shape: tuple[int, int, int]

    def __call__(self, spans: Iterable[Span]) -> Iterator[NDArray[np.uint8]]:
        """Decode the photo once, and yield these rows of it.

        Parameters
        ----------
        spans : iterable of tuple of int
            First row of each band, and the row after its last. They may overlap, but neither number may decrease.

        Raises
        ------
        DamagedError
            If the decoder has anything to say against the file.
        """
        import pyvips

        pyvips.cache_set_max(0)  # nothing is asked for twice
        try:
            image = pyvips.Image.new_from_buffer(self.content, "", access="sequential", fail_on="warning")
            image = image.copy()  # one thread decodes, others would only take memory
            image.set_type(pyvips.GValue.gint_type, "concurrency", 1)
            if (image.height, image.width, image.bands) != self.shape:
                raise DamagedError("libvips and Pillow see different photos")
            band, start, stop = np.empty((0, *self.shape[1:]), np.uint8), 0, 0
            for first, last in spans:
                parts = [band[first - start :]]
                if last > stop:
                    decoded = min(-(-last // DECODED_ROWS) * DECODED_ROWS, image.height)
                    rows = image.crop(0, stop, image.width, decoded - stop).numpy().reshape(-1, *self.shape[1:])
                    parts.append(rows[max(first - stop, 0) :])
                    stop = decoded
                band, start = np.concatenate(parts) if len(parts[0]) else parts[-1], first
                yield band[: last - first]
        except pyvips.Error as error:
            raise DamagedError(" ".join(str(error).split())[:200]) from error


def can_be_banded(image: Image.Image) -> bool:
    """Tell whether libvips decodes an opened file, upright and of 8 bits, to the same pixels as Pillow."""
    return image.format in ("JPEG", "MPO") and image.mode in ("RGB", "L")
