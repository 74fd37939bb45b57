"""What the enhancement asks of a network, whatever runs it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from enlighten_cli.photo import Rgb

RECEPTIVE_FIELD_PX = 137  # of EnlightenGAN's generator, to each side
EVERYWHERE = sys.maxsize  # of what depends on every pixel of the photo
# What a run takes for each pixel of its input, where nothing is known of the network.
BYTES_PER_PIXEL = 1200


class Network(Protocol):
    """A brightening network.

    Attributes
    ----------
    training_pixels : int
        To how many pixels photos were reduced when it learned how bright they should be; 0 where
        it does not say, or learned from photos as they are.
    receptive_field_px : int
        How far away, to each side, a pixel can matter; `EVERYWHERE` of what must see all of a photo.
    bytes_per_pixel : int
        About how much memory a run takes for each pixel of its input.
    """

    @property
    def training_pixels(self) -> int: ...  # noqa: D102

    @property
    def receptive_field_px(self) -> int: ...  # noqa: D102

    @property
    def bytes_per_pixel(self) -> int: ...  # noqa: D102

    def __call__(self, rgb: Rgb, /) -> Rgb:
        """Brighten RGB: (H, W, 3) float32 in [0, 1], H and W multiples of 16, to the same, not clamped."""
        ...


class NamedNetwork(Network, Protocol):
    """A network that was asked for by its name.

    Attributes
    ----------
    name, provider : str
        What it is called, and what computes.
    warning : str
        What the user should know of how it was opened; or empty.
    tiles_exactly : bool
        Whether tiles give the pixels of the whole photo.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def provider(self) -> str: ...  # noqa: D102

    @property
    def warning(self) -> str: ...  # noqa: D102

    @property
    def tiles_exactly(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class FunctionNetwork:
    """A function as a network.

    Parameters
    ----------
    function : callable
        (H, W, 3) to (H, W, 3), float32.
    training_pixels, receptive_field_px, bytes_per_pixel : int
        As of `Network`.
    """

    function: Callable[[Rgb], Rgb]
    training_pixels: int = 0
    receptive_field_px: int = RECEPTIVE_FIELD_PX
    bytes_per_pixel: int = BYTES_PER_PIXEL

    def __call__(self, rgb: Rgb, /) -> Rgb:
        """Apply the function."""
        return self.function(rgb)
