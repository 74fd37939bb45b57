"""Contact sheets: photos side by side, one row per photo."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from enlighten_cli.photo import SUFFIXES, Metadata, Photo, Pixels, encode

GAP_PX = 4
CELL_PX = 400
LABEL_PX = 24
BACKGROUND = (64, 64, 64)
COMMENT = b"enlighten contact sheet"


def contact_sheet(rows: Sequence[Sequence[Pixels]], *, cell_px: int = CELL_PX) -> Pixels:
    """Lay photos out in rows, each reduced to fit a square cell.

    Parameters
    ----------
    rows : sequence of sequences of ndarray, shape (H, W, 3), uint8
        At least one photo.
    cell_px : int
        Side of a cell; smaller photos keep their size.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        The sheet, on grey.
    """
    cells = [[Image.fromarray(reduced(pixels, cell_px)) for pixels in row] for row in rows]
    heights = [max(cell.height for cell in row) for row in cells]
    width = max(sum(cell.width + GAP_PX for cell in row) for row in cells) - GAP_PX
    sheet = Image.new("RGB", (width, sum(heights) + GAP_PX * (len(rows) - 1)), BACKGROUND)
    top = 0
    for row, height in zip(cells, heights, strict=True):
        left = 0
        for cell in row:
            sheet.paste(cell, (left, top))
            left += cell.width + GAP_PX
        top += height + GAP_PX
    return np.asarray(sheet)


def labelled(pixels: Pixels, label: str) -> Pixels:
    """Put a line of text above a photo, (H, W, 3) uint8."""
    height, width = pixels.shape[:2]
    cell = Image.new("RGB", (width, height + LABEL_PX), BACKGROUND)
    cell.paste(Image.fromarray(pixels), (0, LABEL_PX))
    font = ImageFont.load_default(size=LABEL_PX * 0.6)
    ImageDraw.Draw(cell).text((GAP_PX, LABEL_PX / 2), label, fill="white", font=font, anchor="lm")
    return np.asarray(cell)


def marked_sheet(sheet: Pixels, suffix: str) -> bytes:
    """Encode a sheet, with a comment that allows a later run to replace it.

    Parameters
    ----------
    sheet : ndarray, shape (H, W, 3), uint8
    suffix : str
        Suffix of the file; it sets the format.
    """
    return encode(Photo(sheet, "PNG", metadata=Metadata(comments=(COMMENT,))), SUFFIXES[suffix.lower()])


def reduced(pixels: Pixels, side_px: int = CELL_PX) -> Pixels:
    """Reduce a photo, (H, W, 3) uint8, to fit a square; a smaller one keeps its size."""
    image = Image.fromarray(pixels)
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.asarray(image)
