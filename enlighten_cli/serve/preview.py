"""Render a photo for the page: only the part in view, at the resolution of the screen.

Each model runs once on a photo. Its result is cached as a change, so that a new strength needs only arithmetic
on the pixels in view. This is the only module of `serve` that depends on the internals of `enhancement`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enlighten_cli.enhancement.coding_error import coding_error
from enlighten_cli.enhancement.denoise import Denoising
from enlighten_cli.enhancement.enhance import Options
from enlighten_cli.enhancement.fast import Light, fit_guided_filter
from enlighten_cli.enhancement.highlights import hold_highlights
from enlighten_cli.enhancement.judged_light import JudgedLight, enhanced_thumbnail, relit
from enlighten_cli.enhancement.noise import measure_noise
from enlighten_cli.enhancement.survey import surveyed
from enlighten_cli.enhancement.thumbnail import THUMBNAIL_PIXELS, thumbnail
from enlighten_cli.enhancement.tiles import HALO_PX, padded_index, padded_size
from enlighten_cli.models.denoiser import package_denoiser
from enlighten_cli.models.network import MULTIPLE_PX, Network
from enlighten_cli.photo import LUMA, Photo, Rgb, as_pixels, colour_of_photo, encode

K = TypeVar("K")
V = TypeVar("V")

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


@dataclass(frozen=True)
class _Fit:
    """What the network did to the thumbnail of the whole photo; `judged` only if full mode takes light from it."""

    light: Light
    known: NDArray[np.float32]
    gain: NDArray[np.float32]
    denoising: Denoising | None
    judged: JudgedLight | None

    @property
    def size_bytes(self) -> int:
        parts = [self.light.scale, self.light.detail, self.light.offset, self.known, self.gain]
        if self.judged:
            parts += [self.judged.seen, self.judged.made]
        if self.denoising:
            parts += [each for each in (self.denoising.planes, self.denoising.coarse) if each is not None]
        return sum(each.nbytes for each in parts)


class _Shown:
    """The pixels of a view before enhancement, and the change by each model."""

    def __init__(self, before: Rgb) -> None:
        self.before = before
        self.changes: OrderedDict[tuple[str, float, bool], Rgb] = OrderedDict()

    @property
    def size_bytes(self) -> int:
        return self.before.nbytes * (1 + len(self.changes))


class Preview:
    """A decoded photo with its cached views and changes; thread-safe.

    Parameters
    ----------
    photo : Photo
    """

    def __init__(self, photo: Photo) -> None:
        self.photo = photo
        self._colour = colour_of_photo(photo)
        self._lock = threading.RLock()
        self._reduced: dict[int, Rgb] = {}
        self._fits: OrderedDict[tuple[str, float], _Fit] = OrderedDict()
        self._views: OrderedDict[View, _Shown] = OrderedDict()

    @property
    def size_bytes(self) -> int:
        """Memory of the photo and its caches."""
        with self._lock:
            reduced = sum(rgb.nbytes for rgb in self._reduced.values())
            fits = sum(fit.size_bytes for fit in self._fits.values())
            views = sum(shown.size_bytes for shown in self._views.values())
            return self.photo.pixels.nbytes + reduced + fits + views

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
            change = _recent(shown.changes, kind, MOST_MODELS)
            if change is None:
                fit = self._fit(name, network, options.denoise, check)
                change = (self._full_change if is_full else self._change)(view, shown.before, network, fit, options)
                if self.photo.pixels.shape[2] == 1:  # grey photos stay grey
                    change = np.repeat((change @ LUMA)[..., None], 3, axis=2).astype(np.float32)
                shown.changes[kind] = change
            after = shown.before + np.float32(options.strength) * change
            hold_highlights(after, shown.before)
            return after

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
            return _Shown(_resampled(self._thumbnail(THUMBNAIL_PIXELS), view.pixels))
        part = self.photo.pixels[view.top : view.top + view.height, view.left : view.left + view.width]
        shown = _Shown(thumbnail(np.ascontiguousarray(part), self._colour.to_srgb, view.pixels))
        self._views[view] = shown
        return shown

    def _thumbnail(self, pixels: int) -> Rgb:
        if pixels not in self._reduced:
            self._reduced[pixels] = thumbnail(self.photo.pixels, self._colour.to_srgb, pixels)
        return self._reduced[pixels]

    def _fit(self, name: str, network: Network, denoise: float, check: Callable[[], None]) -> _Fit:
        """Run the network on thumbnails of the photo, as `fast` does."""
        fit = _recent(self._fits, (name, denoise), MOST_MODELS)
        if fit is not None:
            return fit
        survey = surveyed(self.photo, network, network.training_pixels or THUMBNAIL_PIXELS, denoise)
        check()
        made = enhanced_thumbnail(survey.rgb, network, survey.judged)
        check()
        light = fit_guided_filter(survey.rgb, survey.rgb + survey.known * (made - survey.rgb))
        judged = survey.judged if 0 < network.training_pixels < self.photo.height * self.photo.width else None
        fit = self._fits[name, denoise] = _Fit(light, survey.known, survey.judged.gain(), survey.denoising, judged)
        return fit

    def _change(self, view: View, before: Rgb, network: Network, fit: _Fit, options: Options) -> Rgb:
        """Apply the guided filter of the thumbnail to a view, as `fast` does."""
        parts = (fit.light.scale, fit.light.detail, fit.light.offset)
        scale, detail, offset = (self._cut(part, view, before) for part in parts)
        seen = self._denoised(before, view, fit, options)
        return np.asarray(scale * seen + detail * (seen @ LUMA)[..., None] + offset - before, np.float32)

    def _denoised(self, rgb: Rgb, view: View, fit: _Fit, options: Options) -> Rgb:
        """Remove the noise of a view: at full size as measured in the photo, else as measured in the reduced view."""
        if not options.denoise:
            return rgb
        if rgb.shape[:2] == (view.height, view.width):
            return self._denoised_part(rgb, view, fit.denoising)
        gain = self._cut(fit.gain, view, rgb)
        error = coding_error(self.photo, view.width * view.height / rgb[..., 0].size)
        planned = Denoising.planned(package_denoiser, rgb, measure_noise(rgb), gain, options.denoise, error)
        return planned.coarse_to_fine(rgb) if planned else rgb

    def _denoised_part(self, rgb: Rgb, view: View, denoising: Denoising | None) -> Rgb:
        if denoising is None:
            return rgb
        rows = _outer(view.top, view.height, self.photo.height)
        columns = _outer(view.left, view.width, self.photo.width)
        around = self._colour.to_srgb(self.photo.pixels[rows, columns]).clip(0, 1)
        height, width = around.shape[:2]
        outer = View(columns.start, rows.start, width, height, width * height)
        coarse = None if denoising.coarse is None else self._cut(denoising.coarse, outer, around)
        top, left = view.top - rows.start, view.left - columns.start
        clean = Denoising(denoising.network, self._cut(denoising.planes, outer, around), coarse).whole(around)
        return clean[top : top + view.height, left : left + view.width]

    def _full_change(self, view: View, before: Rgb, network: Network, fit: _Fit, options: Options) -> Rgb:
        """Run the network on every pixel in view, with the light judged on the whole photo, as `full` does."""
        rows = _outer(view.top, view.height, self.photo.height)
        columns = _outer(view.left, view.width, self.photo.width)
        rgb = self._colour.to_srgb(self.photo.pixels[rows, columns]).clip(0, 1)
        height, width = rgb.shape[:2]
        outer = View(columns.start, rows.start, width, height, width * height)
        rgb = self._denoised(rgb, outer, fit, options)
        made = network(rgb[np.ix_(padded_index(height), padded_index(width))])[:height, :width].clip(0, 1)
        if fit.judged:
            whole = self.photo.height * self.photo.width
            seen = _resampled(made, max(1, round(network.training_pixels * height * width / whole)))
            there = JudgedLight(self._cut(fit.judged.seen, outer, seen), self._cut(fit.judged.made, outer, seen))
            made = relit(made, _scaled(there.missing(seen), made))
        made = rgb + self._cut(fit.known, outer, rgb) * (made.clip(0, 1) - rgb)
        top, left = view.top - rows.start, view.left - columns.start
        made = made[top : top + view.height, left : left + view.width]
        return _scaled(made.astype(np.float32), before) - before

    def _cut(self, values: NDArray[np.float32], view: View, like: Rgb) -> Rgb:
        """Interpolate the part in view of a map over the whole photo, to the size of `like`."""
        down, across = values.shape[0] / self.photo.height, values.shape[1] / self.photo.width
        box = (
            view.left * across,
            view.top * down,
            min((view.left + view.width) * across, values.shape[1]),
            min((view.top + view.height) * down, values.shape[0]),
        )
        return _scaled(values, like, box)


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


def _resampled(values: Rgb, pixels: int) -> Rgb:
    """Reduce to at most `pixels`, by area averages."""
    height, width = values.shape[:2]
    factor = max(1.0, (height * width / pixels) ** 0.5)
    like = np.empty((max(1, round(height / factor)), max(1, round(width / factor)), 0), np.float32)
    return _scaled(values, like, how=Image.Resampling.BOX)


def _scaled(
    values: NDArray[np.float32],
    like: Rgb,
    box: tuple[float, float, float, float] | None = None,
    how: Image.Resampling = Image.Resampling.BILINEAR,
) -> Rgb:
    size = (like.shape[1], like.shape[0])
    if box is None and values.shape[1::-1] == size:
        return values
    planes = [Image.fromarray(values[..., channel]).resize(size, how, box=box) for channel in range(values.shape[2])]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def _jpeg(rgb: Rgb) -> bytes:
    return encode(Photo(as_pixels(rgb), "JPEG"), quality=QUALITY)
