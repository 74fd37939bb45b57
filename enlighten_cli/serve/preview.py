"""Render a photo for the page: only the part in view, at the resolution of the screen.

Each model runs once on a photo. What it would make of the pixels in view is cached, so that a new strength needs only
arithmetic on them. This is the only module of `serve` that depends on the internals of `enhancement`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from PIL import Image

from enlighten_cli.enhancement.apply import applied
from enlighten_cli.enhancement.coding_error import coding_error
from enlighten_cli.enhancement.denoise import Denoising
from enlighten_cli.enhancement.enhance import Options
from enlighten_cli.enhancement.exposure import corrected
from enlighten_cli.enhancement.noise import measure_noise
from enlighten_cli.enhancement.plan import Plan, planned
from enlighten_cli.enhancement.thumbnail import THUMBNAIL_PIXELS, Box, cut, reduced, resized, thumbnail
from enlighten_cli.enhancement.tiles import HALO_PX, padded_index, padded_size
from enlighten_cli.enhancement.transparency import without_hidden
from enlighten_cli.models.denoiser import package_denoiser
from enlighten_cli.models.network import MULTIPLE_PX, Network
from enlighten_cli.photo import LUMA, Photo, Rgb, as_pixels, colour_of_photo, encode

K = TypeVar("K")
V = TypeVar("V")
Kind: TypeAlias = tuple[str, float, bool]  # the model, the denoising, and whether the network sees every pixel

QUALITY = 90  # of the JPEG that the page shows
MOST_VIEWS, MOST_MODELS = 4, 3  # cached for each photo
SMALL_PIXELS = 60_000  # views of at most this size, for the strip, are not cached
FULL_PIXELS = 4_000_000  # largest view for which full mode runs the network on every pixel


@dataclass(frozen=True)
class View:
    """A part of a photo, and its size on the screen.

    Parameters
    ----------
    left, top, width, height : int
        The part, in the photo's pixels.
    pixels : int
        Largest number of pixels in the rendered picture.
    """

    left: int
    top: int
    width: int
    height: int
    pixels: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height at full size."""
        return self.width, self.height

    def box(self, photo: Photo) -> Box:
        """Return its place in the photo, as parts of that one's width and height."""
        right, bottom = self.left + self.width, self.top + self.height
        return self.left / photo.width, self.top / photo.height, right / photo.width, bottom / photo.height


class _Shown:
    """The pixels of a view before enhancement, and as each model lifts them."""

    def __init__(self, before: Rgb) -> None:
        self.before = before
        self.lifted: OrderedDict[Kind, Rgb] = OrderedDict()

    @property
    def size_bytes(self) -> int:
        return self.before.nbytes * (1 + len(self.lifted))


class Preview:
    """A decoded photo with its plans, its views and what they become; thread-safe.

    Parameters
    ----------
    photo : Photo
    """

    def __init__(self, photo: Photo) -> None:
        self.photo = without_hidden(photo)
        self._colour = colour_of_photo(photo)
        self._lock = threading.RLock()
        self._thumbnails: dict[int, Rgb] = {}
        self._plans: OrderedDict[Kind, Plan] = OrderedDict()
        self._views: OrderedDict[View, _Shown] = OrderedDict()

    @property
    def size_bytes(self) -> int:
        """Memory of the photo and its caches."""
        with self._lock:
            thumbnails = sum(rgb.nbytes for rgb in self._thumbnails.values())
            plans = sum(plan.size_bytes for plan in self._plans.values())
            views = sum(shown.size_bytes for shown in self._views.values())
            return self.photo.pixels.nbytes + thumbnails + plans + views

    def whole(self, pixels: int) -> View:
        """Return the view of the whole photo."""
        return View(0, 0, self.photo.width, self.photo.height, pixels)

    def before(self, view: View) -> bytes:
        """Return a part of the photo as it is, as JPEG."""
        with self._lock:
            before = self._shown(view).before
        return _jpeg(before)

    def after(
        self, view: View, name: str, network: Network, options: Options, check: Callable[[], None] = lambda: None
    ) -> bytes:
        """Return a part of the photo enhanced, as JPEG; see `brightened` for the parameters."""
        return _jpeg(self.brightened(view, name, network, options, check))

    def brightened(
        self, view: View, name: str, network: Network, options: Options, check: Callable[[], None] = lambda: None
    ) -> Rgb:
        """Return a part of the photo enhanced: sRGB, not clamped.

        Parameters
        ----------
        view : View
        name : str
            Of the model.
        network : Network
        options : Options
        check : callable
            Called between the steps; it may raise an exception to stop the work.
        """
        with self._lock:
            shown = self._shown(view)
            check()
            is_full = self._shows_full(view, network, options)
            kind = (name, options.denoise, is_full)
            lifted = _recent(shown.lifted, kind, MOST_MODELS)
            if lifted is None:
                plan = self._plan(kind, network, check)
                if is_full:
                    lifted = self._seen_whole(view, shown.before, network, plan, options)
                else:
                    lifted = self._guided(view, shown.before, plan, options)
                if self.photo.shape[2] == 1:  # grey photos stay grey
                    lifted = np.repeat((lifted @ LUMA)[..., None], 3, axis=2).astype(np.float32)
                shown.lifted[kind] = lifted
            return applied(lifted, shown.before, options.strength)

    def _shows_full(self, view: View, network: Network, options: Options) -> bool:
        """Tell whether the network runs on every pixel of the view.

        In a strongly reduced view the difference would not be visible, and would take as long as the whole photo.
        """
        if options.is_fast(self.photo.height, self.photo.width, network.training_pixels):
            return False
        return view.width * view.height <= FULL_PIXELS

    def _shown(self, view: View) -> _Shown:
        shown = _recent(self._views, view, MOST_VIEWS)
        if shown is not None:
            return shown
        whole = view == self.whole(view.pixels)
        if whole and view.pixels <= SMALL_PIXELS:
            return _Shown(reduced(self._thumbnail(THUMBNAIL_PIXELS), view.pixels))
        part = self.photo.pixels[view.top : view.top + view.height, view.left : view.left + view.width]
        shown = _Shown(thumbnail(np.ascontiguousarray(part), self._colour.to_srgb, view.pixels))
        self._views[view] = shown
        return shown

    def _thumbnail(self, pixels: int) -> Rgb:
        if pixels not in self._thumbnails:
            self._thumbnails[pixels] = thumbnail(self.photo.pixels, self._colour.to_srgb, pixels)
        return self._thumbnails[pixels]

    def _plan(self, kind: Kind, network: Network, check: Callable[[], None]) -> Plan:
        plan = _recent(self._plans, kind, MOST_MODELS)
        if plan is None:
            _, denoise, is_full = kind
            plan = self._plans[kind] = planned(self.photo, network, denoise, check=check, sees_all=is_full)
        return plan

    def _guided(self, view: View, before: Rgb, plan: Plan, options: Options) -> Rgb:
        """Lift a view by the coefficients of the plan, as `fast` does."""
        assert plan.coefficients is not None
        seen = self._denoised(before, view, plan, options)
        return plan.coefficients.cut(view.box(self.photo), _size(before)).lifted(seen)

    def _denoised(self, rgb: Rgb, view: View, plan: Plan, options: Options) -> Rgb:
        """Remove the noise of a view: at full size as measured in the photo, else as measured in the reduced view."""
        if not options.denoise:
            return rgb
        if _size(rgb) == view.size:
            return self._denoised_part(rgb, view, plan.denoising)
        gain = cut(plan.exposure.gain(), view.box(self.photo), _size(rgb))
        error = coding_error(self.photo, view.width * view.height / rgb[..., 0].size)
        denoising = Denoising.planned(package_denoiser, rgb, measure_noise(rgb), gain, options.denoise, error)
        return denoising.coarse_to_fine(rgb) if denoising else rgb

    def _denoised_part(self, rgb: Rgb, view: View, denoising: Denoising | None) -> Rgb:
        if denoising is None:
            return rgb
        outer, around = self._around(view)
        clean = denoising.cut(outer.box(self.photo), _size(around)).whole(around)
        return _inner(clean, view, outer)

    def _seen_whole(self, view: View, before: Rgb, network: Network, plan: Plan, options: Options) -> Rgb:
        """Run the network on every pixel in view, with the exposure of the whole photo, as `full` does."""
        outer, rgb = self._around(view)
        box, (width, height) = outer.box(self.photo), outer.size
        rgb = self._denoised(rgb, outer, plan, options)
        result = network(rgb[np.ix_(padded_index(height), padded_index(width))])[:height, :width].clip(0, 1)
        whole = self.photo.height * self.photo.width
        if 0 < network.training_pixels < whole:
            coarse = reduced(result, max(1, round(network.training_pixels * height * width / whole)))
            correction = plan.exposure.cut(box, _size(coarse)).correction(coarse)
            result = corrected(result, resized(correction, outer.size, Image.Resampling.BILINEAR))
        result = rgb + cut(plan.confidence, box, outer.size) * (result - rgb)
        inner = _inner(np.asarray(result, np.float32), view, outer)
        return resized(np.ascontiguousarray(inner), _size(before), Image.Resampling.BILINEAR)

    def _around(self, view: View) -> tuple[View, Rgb]:
        """Return a view with what the networks need around it, at full size, and its pixels."""
        rows = _outer(view.top, view.height, self.photo.height)
        columns = _outer(view.left, view.width, self.photo.width)
        rgb = self._colour.to_srgb(self.photo.pixels[rows, columns]).clip(0, 1)
        height, width = rgb.shape[:2]
        return View(columns.start, rows.start, width, height, width * height), rgb


def _recent(kept: OrderedDict[K, V], key: K, most: int) -> V | None:
    """Return a cached value and mark it as the most recent; if it is missing, make room for it."""
    if key in kept:
        kept.move_to_end(key)
        return kept[key]
    while len(kept) >= most:
        kept.popitem(last=False)
    return None


def _outer(start: int, length: int, whole: int) -> slice:
    """Return the range of an axis that the network needs for a part of it: aligned to its grid, with a halo."""
    first = max(0, start // MULTIPLE_PX * MULTIPLE_PX - HALO_PX)
    return slice(first, min(whole, padded_size(start + length) + HALO_PX))


def _inner(rgb: Rgb, view: View, outer: View) -> Rgb:
    """Return what lies in view of the pixels of a larger one, at full size."""
    top, left = view.top - outer.top, view.left - outer.left
    return rgb[top : top + view.height, left : left + view.width]


def _size(rgb: Rgb) -> tuple[int, int]:
    """Return the width and height."""
    return rgb.shape[1], rgb.shape[0]


def _jpeg(rgb: Rgb) -> bytes:
    return encode(Photo(as_pixels(rgb), "JPEG"), quality=QUALITY)
