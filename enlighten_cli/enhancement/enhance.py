"""One photo: from dark to bright."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from enlighten_cli.enhancement import full
from enlighten_cli.enhancement.fast import Brightened
from enlighten_cli.enhancement.plan import Plan, planned
from enlighten_cli.enhancement.tiles import HALO_PX
from enlighten_cli.enhancement.transparency import with_hidden, without_hidden
from enlighten_cli.errors import OutOfMemoryError, UsageError
from enlighten_cli.models.network import EVERYWHERE, MULTIPLE_PX, Network
from enlighten_cli.photo import Photo, Pixels
from enlighten_cli.resources import PART_OF_FREE_MEMORY, available_memory

MAX_STRENGTH, MAX_DENOISE = 1.5, 2.0
DENOISE_WORDS = {"auto": 1.0, "off": 0.0}  # for people
WHOLE = 0
# A network trained on reduced photos records their size, because it can judge light at that scale only. For one that
# does not: a photo of more pixels than this has noise and texture unlike those of its training photos, of a quarter of
# a megapixel; a thumbnail then gives the better result, and faster.
FAST_FROM_PIXELS = 2_000_000
LARGEST_TILE_PX, SMALLEST_TILE_PX = 2048, 64  # larger tiles are no faster, smaller ones are mostly halo


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
        0 leaves the photo as it is, 1 is the model's own result, 1.5 the most.
    mode : Mode
        Full: the network sees every pixel; if it was trained on reduced photos, it judges the light on a
        thumbnail. Fast: it sees thumbnails only, and a guided filter carries the result to every pixel.
        Auto: fast where the photo is larger than the model's training photos, or than 2 megapixels where
        the model does not record their size.
    tile_px : int or None
        Pixels that a tile gives in full mode, at least 16; 0 for the whole photo at once; None
        for the largest that memory allows.
    denoise : float
        Factor on the measured noise: 1 trusts the measurement, 0 removes nothing, 2 is the most. Noise that
        would not be visible is left in any case.
    memory_bytes : int or None
        Memory that the network may use; None is half of the free memory.
    """

    strength: float = 1.0
    mode: Mode = Mode.AUTO
    tile_px: int | None = None
    denoise: float = 1.0
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        """Refuse options that are invalid.

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
        """Tell whether a photo of this size is enhanced in fast mode, by a network trained at `training_pixels`."""
        if self.mode is Mode.AUTO:
            return self.tile_px is None and height * width >= (training_pixels or FAST_FROM_PIXELS)
        return self.mode is Mode.FAST


def largest_tile(memory_bytes: int, bytes_per_pixel: int) -> int:
    """Return the side, without the halo, of the largest square tile that fits with it, in pixels."""
    outer = int((memory_bytes / bytes_per_pixel) ** 0.5) // MULTIPLE_PX * MULTIPLE_PX
    return min(max(outer - 2 * HALO_PX, SMALLEST_TILE_PX), LARGEST_TILE_PX)


def plan_of(photo: Photo, network: Network, options: Options) -> Plan:
    """Plan what is to be done to a photo; the plan fits every strength.

    Parameters
    ----------
    photo : Photo
    network : Network
    options : Options
    """
    sees_all = not options.is_fast(photo.height, photo.width, network.training_pixels)
    return planned(photo, network, options.denoise, sees_all=sees_all)


def enhance(
    photo: Photo,
    network: Network,
    options: Options,
    tell: Callable[[int, int], None] = lambda done, total: None,
    *,
    by_bands: bool = False,
    plan: Plan | None = None,
) -> Photo:
    """Brighten a photo, and change nothing else. Pixels that cannot be seen count nowhere, and stay as they are.

    Parameters
    ----------
    photo : Photo
    network : Network
    options : Options
    tell : callable
        Receives the tiles or strips done and their total.
    by_bands : bool
        Whether the result may be computed band by band, when it is asked for, to save memory: where the network sees
        thumbnails alone, it is not in memory then.
    plan : Plan, optional
        By the same network and mode, of this photo or of others like it; by default, one is made.

    Returns
    -------
    Photo
        Of the same size, depth and colour space, with the same format and metadata. The network's
        change is added to the photo's own pixels, so 16-bit photos stay smooth and colours outside
        sRGB survive.

    Raises
    ------
    OutOfMemoryError
        If a tile of the requested size, or of the smallest, does not fit into memory.
    """
    (enhanced,) = at_strengths(photo, network, options, [options.strength], tell, plan)
    return enhanced if by_bands else enhanced.whole()


def at_strengths(
    photo: Photo,
    network: Network,
    options: Options,
    strengths: Sequence[float],
    tell: Callable[[int, int], None] = lambda done, total: None,
    plan: Plan | None = None,
) -> Iterator[Photo]:
    """Brighten a photo at several strengths, for which the network sees it once.

    Parameters
    ----------
    photo : Photo
    network : Network
    options : Options
        Their strength does not matter.
    strengths : sequence of float
    tell, plan
        As of `enhance`.

    Yields
    ------
    Photo
        Where the network sees thumbnails alone, made band by band.

    Raises
    ------
    OutOfMemoryError
        As `enhance`.
    """
    if not any(strengths):
        options = dataclasses.replace(options, denoise=0)  # nothing of the plan will be used
    if not options.is_fast(photo.height, photo.width, network.training_pixels):
        photo = photo.whole()  # before it is planned, so that it is decoded once
    if photo.gain_map:
        photo = dataclasses.replace(photo, gain_map=dataclasses.replace(photo.gain_map, before=photo.source))
    visible = without_hidden(photo)
    plan = plan or plan_of(visible, network, options)
    for enhanced in _applied(plan, visible, network, options, strengths, tell):
        yield enhanced if visible is photo else with_hidden(enhanced.whole(), photo)


def _applied(
    plan: Plan,
    photo: Photo,
    network: Network,
    options: Options,
    strengths: Sequence[float],
    tell: Callable[[int, int], None],
) -> Iterator[Photo]:
    """Yield the photo at each strength, in the mode for which the plan was made."""
    if plan.coefficients:
        for strength in strengths:
            denoising = plan.denoising if strength else None
            bands = Brightened(photo, plan.coefficients, denoising, strength, tell)
            yield dataclasses.replace(photo, content=bands, denoised=plan.denoised if strength else 0.0)
        return
    for strength, pixels in zip(
        strengths, _at_every_pixel(photo, network, options, strengths, tell, plan), strict=True
    ):
        yield dataclasses.replace(photo, content=pixels, denoised=plan.denoised if strength else 0.0)


def _at_every_pixel(
    photo: Photo,
    network: Network,
    options: Options,
    strengths: Sequence[float],
    tell: Callable[[int, int], None],
    plan: Plan,
) -> list[Pixels]:
    """Return the pixels at each strength in full mode, in tiles that memory allows."""
    kept = full.kept_bytes(photo, network, options.denoise, len(strengths))
    memory_bytes = max(0, _memory(options) - kept)

    def tiled(tile_px: int) -> list[Pixels]:
        return full.enhance(photo, network, plan, strengths, tile_px, tell)

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
        except (OutOfMemoryError, MemoryError):
            if tile_px <= SMALLEST_TILE_PX:
                raise
            tile_px = max(tile_px // 2, SMALLEST_TILE_PX)


def _memory(options: Options) -> int:
    return int(available_memory() * PART_OF_FREE_MEMORY) if options.memory_bytes is None else options.memory_bytes
