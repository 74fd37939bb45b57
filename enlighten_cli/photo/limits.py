"""Limits on what is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from enlighten_cli.errors import TooLargeError


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
            If it has more pixels.
        """
        if width * height > self.max_mpixels * 1e6:
            raise TooLargeError(f"{width} x {height} pixels are more than --max-mpixels {self.max_mpixels:g}")
