"""One photo: from dark to bright."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from enlighten_cli.enhancement import fast, full
from enlighten_cli.enhancement.tiles import HALO_PX, MULTIPLE_PX
from enlighten_cli.errors import OutOfMemoryError, UsageError
from enlighten_cli.models.network import EVERYWHERE, Network
from enlighten_cli.photo import Photo
from enlighten_cli.resources import available_memory

MAX_STRENGTH, MAX_DENOISE = 1.5, 2.0
DENOISE_WORDS = {"auto": 1.0, "off": 0.0}  # for people
WHOLE = 0
# A network that learned from whole photos, reduced, says from how many pixels it judges light, which it cannot at
# another scale. For one that does not say: in a photo of more pixels than this it meets noise and textures unlike
# those that it learned from, of a quarter of a megapixel; the thumbnail is the better picture, and faster.
FAST_FROM_PIXELS = 2_000_000
LARGEST_TILE_PX, SMALLEST_TILE_PX = 2048, 64  # larger tiles gain nothing, smaller ones are all halo
PART_OF_FREE_MEMORY = 0.5


class Mode(Enum):
    """How the network sees a photo."""

    AUTO = "auto"
    FULL = "full"
    FAST = "fast"


@dataclass(frozen=True)
class Options:
    """How a photo is enhanced.

    Parameters
    ----------
    strength : float
        0 leaves the photo as it is, 1 is what the model says, up to 1.5 goes beyond.
    mode : Mode
        Full: the network sees every pixel; light is judged from the photo reduced, if that is how it
        learned. Fast: it sees the photo reduced only, and its light is carried to every pixel. Auto:
        fast where the photo is larger than what the model is to see, or than 2 megapixels where the
        model does not say.
    tile_px : int or None
        Pixels that a tile gives in full mode, at least 16; 0 for the whole photo at once; None
        for the largest that memory allows.
    denoise : float
        How strong the photo's noise is taken to be, over what was measured: 1 by default, 0 leaves it,
        2 at most. Noise that would not be seen is left in any case.
    memory_bytes : int or None
        What the network may take; None is half of what is free.
    """

    strength: float = 1.0
    mode: Mode = Mode.AUTO
    tile_px: int | None = None
    denoise: float = 1.0
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises
        ------
        UsageError
            If an option is out of its range, or two contradict each other.
        """
        if not 0 <= self.strength <= MAX_STRENGTH:
            raise UsageError(f"strength is {self.strength}; it must be from 0 to {MAX_STRENGTH}")
        if not 0 <= self.denoise <= MAX_DENOISE:
            raise UsageError(f"denoise is {self.denoise}; it must be from 0 to {MAX_DENOISE}")
        if self.tile_px is not None and self.tile_px != WHOLE and self.tile_px < MULTIPLE_PX:
            raise UsageError(f"tile is {self.tile_px}; it must be 0 (the whole photo) or at least {MULTIPLE_PX} px")
        if self.tile_px is not None and self.mode is Mode.FAST:
            raise UsageError("tiles belong to full mode; fast mode needs none")

    def is_fast(self, height: int, width: int, training_pixels: int = 0) -> bool:
        """Tell whether a photo of this size is enhanced in fast mode, by a network that learned from so many pixels."""
        if self.mode is Mode.AUTO:
            return self.tile_px is None and height * width >= (training_pixels or FAST_FROM_PIXELS)
        return self.mode is Mode.FAST


def largest_tile(memory_bytes: int, bytes_per_pixel: int) -> int:
    """Return the payload of the largest square tile that fits, halo included, in pixels."""
    outer = int((memory_bytes / bytes_per_pixel) ** 0.5) // MULTIPLE_PX * MULTIPLE_PX
    return min(max(outer - 2 * HALO_PX, SMALLEST_TILE_PX), LARGEST_TILE_PX)


def enhance(
    photo: Photo,
    network: Network,
    options: Options,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Photo:
    """Brighten a photo; everything but its light stays.

    Parameters
    ----------
    photo : Photo
    network : Network
    options : Options
    tell : callable
        Receives the tiles or strips done and their total.

    Returns
    -------
    Photo
        Of the same size, depth and colour space, with the same format and metadata. Only the
        change that the network makes is added, so that 16-bit photos stay smooth and colours
        outside sRGB survive.

    Raises
    ------
    OutOfMemoryError
        If a tile of the size that was asked for, or of the smallest, does not fit.
    """
    if options.is_fast(photo.height, photo.width, network.training_pixels):
        pixels, denoised = fast.enhance(photo, network, options.strength, tell, options.denoise)
        return dataclasses.replace(photo, pixels=pixels, denoised=denoised)

    memory_bytes = max(0, _memory(options) - full.kept_bytes(photo, network, options.denoise))

    def tiled(tile_px: int) -> Photo:
        pixels, denoised = full.enhance(photo, network, options.strength, tile_px, tell, options.denoise)
        return dataclasses.replace(photo, pixels=pixels, denoised=denoised)

    if network.receptive_field_px == EVERYWHERE:
        needed = photo.height * photo.width * network.bytes_per_pixel
        if needed > memory_bytes:
            raise OutOfMemoryError(
                f"a photo that is seen all at once takes about {needed // 10**6} MB; --mode fast takes less"
            )
        return tiled(WHOLE)
    if options.tile_px is not None:
        try:
            return tiled(options.tile_px)
        except OutOfMemoryError as error:
            fits = largest_tile(memory_bytes, network.bytes_per_pixel)
            raise OutOfMemoryError(f"{error}; --tile {fits} would fit") from error
    tile_px = largest_tile(memory_bytes, network.bytes_per_pixel)
    while True:
        try:
            return tiled(tile_px)
        except OutOfMemoryError:
            if tile_px <= SMALLEST_TILE_PX:
                raise
            tile_px = max(tile_px // 2, SMALLEST_TILE_PX)


def _memory(options: Options) -> int:
    return int(available_memory() * PART_OF_FREE_MEMORY) if options.memory_bytes is None else options.memory_bytes
