"""Channels of TIFF files: 32-bit floats, as HDR tools write them, and others beside colours; Pillow knows few."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo.exif_patch import ExifBlock
from enlighten_cli.photo.photo import Pixels
from enlighten_cli.photo.source import content_of, open_image

BITS, PHOTOMETRIC, SAMPLES, EXTRA_SAMPLES, SAMPLE_FORMAT = 258, 262, 277, 338, 339
UNSIGNED, FLOAT = 1, 3
WHITE_IS_0, GREY, RGB, PALETTE, CMYK = 0, 1, 2, 3, 5
COLOURS = {WHITE_IS_0: 1, GREY: 1, RGB: 3, PALETTE: 1, CMYK: 4}  # other kinds of colours have three channels
CMYK_CHANNELS = 4
UNSPECIFIED, PREMULTIPLIED, OPACITY = 0, 1, 2  # of further channels
LABS = (8, 9, 10)
LAB_REFUSED = (
    "its colours are CIE Lab, which cannot be kept; convert it to RGB in the program that wrote it (16 bits a channel)"
)
DEPTH_REFUSED = "cannot be kept; save it with 8 or 16 bits a channel, or as 32-bit float, in RGB or grey"


class Channels(NamedTuple):
    """The channels of a file.

    Parameters
    ----------
    colours : int
        1 or 3, which come first.
    extras : tuple of int
        What each further one means: `UNSPECIFIED`, `PREMULTIPLIED` or `OPACITY`.
    depth : type or None
        Of the numbers, where Pillow does not decode them.
    """

    colours: int
    extras: tuple[int, ...] = ()
    depth: type[np.uint8 | np.uint16 | np.float32] | None = None

    @property
    def alpha(self) -> int | None:
        """Which of the further channels is opacity."""
        return next((number for number, extra in enumerate(self.extras) if extra in (PREMULTIPLIED, OPACITY)), None)

    def notes(self) -> list[str]:
        """Say what is left out."""
        count = len(self.extras) - (self.alpha is not None)
        if count == 0:
            return []
        return [f"its {count} further channels are left out" if count > 1 else "its further channel is left out"]


def opened_tiff(file: BinaryIO) -> tuple[Image.Image, Channels]:
    """Open the header of a TIFF file, and tell of its channels.

    Raises
    ------
    PhotoError
        If its channels are of a kind that is not read.
    UnidentifiedImageError
        If it is damaged.
    """
    try:
        image = open_image(file, "TIFF")
    except UnidentifiedImageError as error:
        try:
            content, channels = _of_eight_bits(content_of(file))
            return open_image(io.BytesIO(content), "TIFF"), channels
        except ValueError:
            raise error from None
    if image.mode == "LAB":
        raise PhotoError(LAB_REFUSED)
    tags = getattr(image, "tag_v2", {})
    if image.mode == "F":
        if tags.get(BITS) != (32,) or tags.get(SAMPLE_FORMAT) != (FLOAT,) or tags.get(PHOTOMETRIC) != GREY:
            raise PhotoError(f"grey of an unusual kind {DEPTH_REFUSED}")
        return image, Channels(1, (), np.float32)
    colours = COLOURS.get(tags.get(PHOTOMETRIC, GREY), 3)
    return image, Channels(colours, _extras(tags.get(SAMPLES, 1) - colours, tags.get(EXTRA_SAMPLES, ())))


def _extras(count: int, told: Iterable[int]) -> tuple[int, ...]:
    """Return what further channels mean; the first of which nothing is told is opacity, as programs take it."""
    found = tuple(told)[: max(0, count)] or (OPACITY,) * (count > 0)
    return found + (UNSPECIFIED,) * (count - len(found))


def _of_eight_bits(content: bytes) -> tuple[bytes, Channels]:
    """Return a file whose header tells of 8 bits and colours alone, for its size and metadata to be read.

    Raises
    ------
    ValueError
        If it is no classic TIFF file.
    PhotoError
        If its channels are of a kind that is not read.
    """
    block = ExifBlock(content)
    bits, formats, photometric = (block.numbers(tag) for tag in (BITS, SAMPLE_FORMAT, PHOTOMETRIC))
    told = photometric[0] if photometric else GREY
    if told in LABS:
        raise PhotoError(LAB_REFUSED)
    samples = (block.numbers(SAMPLES) or [1])[0]
    if told == CMYK and bits:
        more = " and further channels" if samples > CMYK_CHANNELS else ""
        raise PhotoError(f"CMYK of {max(bits)} bits{more} is not read; convert it to RGB in the program that wrote it")
    colours = COLOURS.get(told, 0)
    is_unsigned = set(formats) <= {UNSIGNED}
    if not bits or set(bits) <= {1, 2, 4, 8, 16}:
        if not is_unsigned:
            raise PhotoError(f"channels of {max(bits, default=0)} bits that are no unsigned integers {DEPTH_REFUSED}")
        if set(bits) not in ({8}, {16}) or not 0 < colours < samples or told not in (GREY, RGB):
            raise ValueError("not known to have an unusual depth")
        depth: type[np.uint8 | np.uint16 | np.float32] = np.uint8 if bits[0] == 8 else np.uint16
    elif set(bits) != {32} or set(formats) != {FLOAT} or told not in (GREY, RGB):
        raise PhotoError(f"channels of {max(bits)} bits {DEPTH_REFUSED}")
    else:
        depth = np.float32
    channels = Channels(colours, _extras(samples - colours, block.numbers(EXTRA_SAMPLES)), depth)
    block.set(BITS, [8] * len(bits))
    if formats:
        block.set(SAMPLE_FORMAT, [UNSIGNED] * len(formats))
    if samples > colours:
        block.set(SAMPLES, [colours])
        block.remove(EXTRA_SAMPLES)
    return bytes(block), channels


def check_finite(pixels: Pixels) -> None:
    """Refuse what is no light.

    Raises
    ------
    PhotoError
        If there is NaN or infinity.
    """
    bad = pixels.size - int(np.count_nonzero(np.isfinite(pixels)))
    if bad:
        raise PhotoError(f"{bad:,} of its numbers are NaN or infinity; repair it in the program that wrote it")
