"""TIFF files of 32-bit floats, as raw developers and HDR tools write them; Pillow knows only grey ones."""

from __future__ import annotations

import io
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo.exif_patch import ExifBlock
from enlighten_cli.photo.photo import Pixels
from enlighten_cli.photo.source import content_of, open_image

BITS, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339
UNSIGNED, FLOAT = 1, 3
GREY, RGB = 1, 2
LABS = (8, 9, 10)
LAB_REFUSED = (
    "its colours are CIE Lab, which cannot be kept; convert it to RGB in the program that wrote it (16 bits a channel)"
)
DEPTH_REFUSED = "cannot be kept; save it with 8 or 16 bits a channel, or as 32-bit float, in RGB or grey"


def opened_tiff(file: BinaryIO) -> tuple[Image.Image, bool]:
    """Open the header of a TIFF file, and tell whether its channels are 32-bit floats.

    Raises
    ------
    PhotoError
        If its channels are of another kind that Pillow does not know.
    UnidentifiedImageError
        If it is damaged.
    """
    try:
        image = open_image(file, "TIFF")
    except UnidentifiedImageError as error:
        try:
            return open_image(io.BytesIO(_of_eight_bits(content_of(file))), "TIFF"), True
        except ValueError:
            raise error from None
    if image.mode == "LAB":
        raise PhotoError(LAB_REFUSED)
    if image.mode != "F":
        return image, False
    tags = getattr(image, "tag_v2", {})
    if tags.get(BITS) != (32,) or tags.get(SAMPLE_FORMAT) != (FLOAT,) or tags.get(PHOTOMETRIC) != GREY:
        raise PhotoError(f"grey of an unusual kind {DEPTH_REFUSED}")
    return image, True


def _of_eight_bits(content: bytes) -> bytes:
    """Return a file whose header tells of 8 bits instead of floats, for its size and metadata to be read.

    Raises
    ------
    ValueError
        If it is no classic TIFF file.
    """
    block = ExifBlock(content)
    bits, formats, photometric = (block.numbers(tag) for tag in (BITS, SAMPLE_FORMAT, PHOTOMETRIC))
    if photometric and photometric[0] in LABS:
        raise PhotoError(LAB_REFUSED)
    if not bits or set(bits) <= {1, 2, 4, 8, 16}:
        if set(formats) <= {UNSIGNED}:
            raise ValueError("not known to have an unusual depth")
        raise PhotoError(f"channels of {max(bits, default=0)} bits that are no unsigned integers {DEPTH_REFUSED}")
    if set(bits) != {32} or set(formats) != {FLOAT} or photometric not in ([RGB], [GREY]):
        raise PhotoError(f"channels of {max(bits)} bits {DEPTH_REFUSED}")
    block.set(BITS, [8] * len(bits))
    block.set(SAMPLE_FORMAT, [UNSIGNED] * len(formats))
    return bytes(block)


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
