"""Limits on what is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from enlighten_cli.errors import TooLargeError

LONGEST_PX = 500_000  # decoders need far more time and memory for a row or column of pixels than for a photo


@dataclass(frozen=True)
class Limits:
    """Limits on what is decoded.

    Parameters
    ----------
    max_mpixels : float
        Larger photos are refused before they are decoded.
    allow_truncated : bool
        Whether a file that ends too early is decoded as far as it goes.
    """

    max_mpixels: float = 250
    allow_truncated: bool = False

    def check(self, width: int, height: int) -> None:
        """Refuse a photo that is too large.

        Raises
        ------
        TooLargeError
            If it has more pixels, or a side that no photo has.
        """
        if max(width, height) > LONGEST_PX:
            raise TooLargeError(f"{width} x {height} pixels: a side is longer than {LONGEST_PX:,}")
        if width * height > self.max_mpixels * 1e6:
            raise TooLargeError(f"{width} x {height} pixels are more than --max-mpixels {self.max_mpixels:g}")
