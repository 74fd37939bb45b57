"""The interface of a network, whatever library runs it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from enlighten_cli.photo import Rgb

RECEPTIVE_FIELD_PX = 137  # of EnlightenGAN's generator: how far, to each side, a pixel can influence the result
MULTIPLE_PX = 16  # of which its sides are multiples: it has four 2x2 poolings
EVERYWHERE = sys.maxsize  # receptive field of a method whose result depends on every pixel
# Memory of a run for each pixel of its input, for networks that do not say.
BYTES_PER_PIXEL = 1200


class Network(Protocol):
    """A brightening network.

    Attributes
    ----------
    training_pixels : int
        Size, in pixels, to which photos were reduced in training; 0 if it is unknown, or if they were
        not reduced.
    receptive_field_px : int
        Distance, to each side, at which a pixel can influence the result; `EVERYWHERE` if every pixel can.
    bytes_per_pixel : int
        Approximate memory of a run for each pixel of its input.
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
    """A network with a name.

    Attributes
    ----------
    name, provider : str
        Its name, and the library or execution provider that runs it.
    warning : str
        What the user should know about how it was opened, or empty.
    tiles_exactly : bool
        Whether tiles give exactly the pixels of the whole photo.
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
    """A function with the interface of a network.

    Parameters
    ----------
    function : callable
        (H, W, 3) to (H, W, 3), float32.
    training_pixels, receptive_field_px, bytes_per_pixel : int
        See `Network`.
    """

    function: Callable[[Rgb], Rgb]
    training_pixels: int = 0
    receptive_field_px: int = RECEPTIVE_FIELD_PX
    bytes_per_pixel: int = BYTES_PER_PIXEL

    def __call__(self, rgb: Rgb, /) -> Rgb:
        """Apply the function."""
        return self.function(rgb)
