"""Convert a photo's own colours to the sRGB that the network sees, and carry the change back."""

from __future__ import annotations

import dataclasses
import io
import struct
from abc import ABC, abstractmethod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.photo.icc import CURVE_STEPS, grey_curve_of, matrix_of
from enlighten_cli.photo.photo import BAND_ROWS, LUMA, Photo, Pixels, Rgb, as_pixels, as_rgb, full_scale, is_float

Matrix: TypeAlias = NDArray[np.float32]

# sRGB's primaries to XYZ under D50, as IEC 61966-2-1 adapted by Bradford's method gives them.
SRGB_TO_XYZ = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
NEARLY_SRGB = 0.004  # a step of 8 bits


class Colour(ABC):
    """A colour space: what the integers of a photo mean."""

    @abstractmethod
    def to_srgb(self, pixels: Pixels) -> Rgb:
        """Return encoded sRGB, (H, W, 3); colours outside sRGB lie outside [0, 1]."""

    @abstractmethod
    def changed(self, pixels: Pixels, before: Rgb, after: Rgb) -> Pixels:
        """Apply the change from `before` to `after`, both encoded sRGB, to the photo's pixels.

        Without a change, exactly `pixels` are returned.
        """


class DirectColour(Colour):
    """Pixels that are sRGB, or are treated as sRGB."""

    def to_srgb(self, pixels: Pixels) -> Rgb:
        """Return the pixels, scaled; grey is repeated three times."""
        rgb = as_rgb(pixels)
        return np.repeat(rgb, 3, axis=2) if rgb.shape[2] == 1 else rgb

    def changed(self, pixels: Pixels, before: Rgb, after: Rgb) -> Pixels:
        """Add the change; to grey, its luma."""
        change = after - before
        if pixels.shape[2] == 1:
            change = (change @ LUMA)[..., None]
        return rounded(as_rgb(pixels) + change, pixels)


class LinearColour(Colour):
    """Floats without a profile: linear light of sRGB's primaries, as HDR tools and raw developers write it."""

    def to_srgb(self, pixels: Pixels) -> Rgb:
        """Encode; grey three times."""
        rgb = encoded_srgb(as_rgb(pixels))
        return np.repeat(rgb, 3, axis=2) if rgb.shape[2] == 1 else rgb

    def changed(self, pixels: Pixels, before: Rgb, after: Rgb) -> Pixels:
        """Add the change of light; to grey, its luma."""
        change = linear_srgb(after) - linear_srgb(before)
        if pixels.shape[2] == 1:
            change = (change @ LUMA)[..., None]
        return rounded(as_rgb(pixels) + change, pixels)


class MatrixColour(Colour):
    """The colour space of an ICC profile with three curves and a matrix, as cameras and phones use.

    Parameters
    ----------
    matrix : ndarray, shape (3, 3)
        Linear RGB to XYZ under D50.
    curves : ndarray, shape (3, 4096)
        Encoded to linear, for red, green and blue over [0, 1]; rising.
    """

    def __init__(self, matrix: NDArray[np.float64], curves: NDArray[np.float64]) -> None:
        self._to_srgb: Matrix = (np.linalg.inv(SRGB_TO_XYZ) @ matrix).astype(np.float32)
        self._from_srgb: Matrix = np.linalg.inv(np.linalg.inv(SRGB_TO_XYZ) @ matrix).astype(np.float32)
        self._curves = curves
        self._tables: dict[int, Rgb] = {}

    def is_nearly_srgb(self) -> bool:
        """Tell whether treating the pixels as sRGB changes them by less than an 8-bit step."""
        steps = np.linspace(0, 1, 9, dtype=np.float32)
        colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 1, 3)
        pixels = np.asarray(np.rint(colours * 65535), dtype=np.uint16)
        return bool(np.abs(self.to_srgb(pixels) - as_rgb(pixels)).max() <= NEARLY_SRGB)

    def to_srgb(self, pixels: Pixels) -> Rgb:
        """Decode by the curves, change the primaries, encode as sRGB."""
        if is_float(pixels):
            numbers = as_rgb(pixels)
            steps = np.linspace(0, 1, CURVE_STEPS)
            linear = np.stack([_extended(numbers[..., each], steps, self._curves[each]) for each in range(3)], axis=-1)
            return encoded_srgb(linear @ self._to_srgb.T)
        scale = full_scale(pixels)
        if scale not in self._tables:
            at = np.arange(scale + 1) / scale
            steps = np.linspace(0, 1, CURVE_STEPS)
            self._tables[scale] = np.stack([np.interp(at, steps, curve) for curve in self._curves]).astype(np.float32)
        table = self._tables[scale]
        linear = np.stack([table[channel][pixels[..., channel]] for channel in range(3)], axis=-1)
        return encoded_srgb(linear @ self._to_srgb.T)

    def changed(self, pixels: Pixels, before: Rgb, after: Rgb) -> Pixels:
        """Convert both ends of the change back to the profile's colour space, and add their difference."""
        clamped = not is_float(pixels)
        return rounded(as_rgb(pixels) + (self._from(after, clamped) - self._from(before, clamped)), pixels)

    def _from(self, srgb: Rgb, clamped: bool) -> Rgb:
        linear = linear_srgb(srgb) @ self._from_srgb.T
        steps = np.linspace(0, 1, CURVE_STEPS)
        if not clamped:
            return np.stack([_extended(linear[..., each], self._curves[each], steps) for each in range(3)], axis=-1)
        linear = linear.clip(0, 1)
        return np.stack(
            [np.interp(linear[..., channel], self._curves[channel], steps) for channel in range(3)], axis=-1
        ).astype(np.float32)


class GreyColour(Colour):
    """Grey with a curve of its own, by an ICC profile.

    Parameters
    ----------
    curve : ndarray, shape (4096,)
        Encoded to linear, over [0, 1]; rising.
    """

    def __init__(self, curve: NDArray[np.float64]) -> None:
        self._curve = curve
        self._steps = np.linspace(0, 1, CURVE_STEPS)

    def is_nearly_srgb(self) -> bool:
        """Tell whether treating the numbers as sRGB changes them by less than an 8-bit step."""
        return bool(np.abs(encoded_srgb(self._curve.astype(np.float32)) - self._steps).max() <= NEARLY_SRGB)

    def to_srgb(self, pixels: Pixels) -> Rgb:
        """Decode by the curve, encode as sRGB, three times."""
        return np.repeat(encoded_srgb(_extended(as_rgb(pixels), self._steps, self._curve)), 3, axis=2)

    def changed(self, pixels: Pixels, before: Rgb, after: Rgb) -> Pixels:
        """Convert the luma of both ends back, and add their difference."""
        one, other = (self._from((end @ LUMA)[..., None], is_float(pixels)) for end in (before, after))
        return rounded(as_rgb(pixels) + (other - one), pixels)

    def _from(self, srgb: Rgb, is_open: bool) -> Rgb:
        linear = linear_srgb(srgb if is_open else srgb.clip(0, 1))
        return _extended(linear, self._curve, self._steps)


class LookupColour(Colour):
    """The colour space of an ICC profile with tables: converted by LittleCMS, changed directly.

    Of the tables of several intents, those of relative colorimetry are taken, as for profiles of curves and a matrix:
    they say which colour a number is, and not how it should be made to look on another medium.
    """

    def __init__(self, icc_profile: bytes) -> None:
        from PIL import ImageCms

        self._transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(icc_profile)),
            ImageCms.createProfile("sRGB"),
            "RGB",
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )

    def to_srgb(self, pixels: Pixels) -> Rgb:
        """Convert by the profile's tables, in 8 bits: Pillow's LittleCMS does no more."""
        from PIL import Image, ImageCms

        if is_float(pixels):
            eight = as_pixels(as_rgb(pixels))
        else:
            eight = np.asarray(pixels if pixels.dtype == np.uint8 else pixels.astype(np.uint16) >> 8, np.uint8)
        image = Image.fromarray(np.ascontiguousarray(eight))
        converted = ImageCms.applyTransform(image, self._transform)
        assert converted is not None
        return as_rgb(np.asarray(converted))

    def changed(self, pixels: Pixels, before: Rgb, after: Rgb) -> Pixels:
        """Add the change in encoded sRGB."""
        return rounded(as_rgb(pixels) + (after - before), pixels)


def rounded(rgb: Rgb, like: Pixels) -> Pixels:
    """Clamp, and round to the nearest integer of the same depth; floats stay as they are."""
    if is_float(like):
        return rgb.astype(np.float32)
    numbers: Pixels = np.rint(rgb.clip(0, 1) * np.float32(full_scale(like))).astype(like.dtype)
    return numbers


def _extended(values: Rgb, places: NDArray[np.float64], curve: NDArray[np.float64]) -> Rgb:
    """Interpolate a curve over [0, 1], mirrored below zero, and beyond 1 continued as steeply as it ends."""
    size = np.abs(values)
    rise, run = curve[-1] - curve[-2], places[-1] - places[-2]
    slope = rise / run if rise > 0 and run > 0 else 1.0
    found = np.interp(size, places, curve) + np.maximum(size - places[-1], 0) * slope
    return np.asarray(np.copysign(found, values), np.float32)


def encoded_srgb(linear: Rgb) -> Rgb:
    """Encode linear light by sRGB's curve (IEC 61966-2-1), mirrored below zero."""
    size = np.abs(linear)
    curved = 1.055 * np.power(np.maximum(size, 0.0031308), np.float32(1 / 2.4)) - 0.055
    return np.copysign(np.where(size <= 0.0031308, 12.92 * size, curved), linear).astype(np.float32)


def linear_srgb(encoded: Rgb) -> Rgb:
    """Decode sRGB's curve, mirrored below zero."""
    size = np.abs(encoded)
    curved = np.power((np.maximum(size, 0.04045) + 0.055) / 1.055, np.float32(2.4))
    return np.copysign(np.where(size <= 0.04045, size / 12.92, curved), encoded).astype(np.float32)


def colour_of_photo(photo: Photo) -> Colour:
    """Return what a photo's numbers mean: by its profile; without one floats are linear light, all else is sRGB."""
    channels = photo.shape[2]
    if is_float(photo.source) and photo.metadata.icc_profile is None:
        return LinearColour()
    return colour_of(photo.metadata.icc_profile, channels)


def is_srgb(photo: Photo) -> bool:
    """Tell whether a photo's numbers are sRGB, or are treated as sRGB."""
    return photo.metadata.icc_profile is None or isinstance(colour_of_photo(photo), DirectColour)


def as_integers(photo: Photo) -> Photo:
    """Return a photo of floats as sRGB in 16 bits, for formats without floats: what is beyond white is cut off."""
    srgb = colour_of_photo(photo).to_srgb(photo.pixels)[..., : photo.shape[2]]
    alpha = None if photo.alpha is None else _sixteen_bits(as_rgb(photo.alpha))
    metadata = dataclasses.replace(photo.metadata, icc_profile=None)
    return dataclasses.replace(photo, content=_sixteen_bits(srgb), alpha=alpha, metadata=metadata)


def in_srgb(photo: Photo) -> Photo:
    """Return a photo of integers with sRGB's numbers of the same depth, and no profile."""
    colour, metadata = colour_of_photo(photo), dataclasses.replace(photo.metadata, icc_profile=None)
    if is_srgb(photo):
        return dataclasses.replace(photo, metadata=metadata)
    photo = photo.whole()
    pixels = np.empty_like(photo.pixels)
    for start in range(0, photo.height, BAND_ROWS):
        band = photo.pixels[start : start + BAND_ROWS]
        pixels[start : start + BAND_ROWS] = rounded(colour.to_srgb(band)[..., : band.shape[2]], band)
    return dataclasses.replace(photo, content=pixels, metadata=metadata)


def _sixteen_bits(rgb: Rgb) -> NDArray[np.uint16]:
    return np.asarray(np.rint(rgb.clip(0, 1) * np.float32(65535)), np.uint16)


def colour_of(icc_profile: bytes | None, channels: int) -> Colour:
    """Return the colour space of a profile; sRGB if there is none.

    A profile that cannot be read is treated as sRGB: only the change passes through it, so the error is small, and
    without a change there is none.
    """
    if icc_profile is None:
        return DirectColour()
    from PIL.ImageCms import PyCMSError

    colour: GreyColour | MatrixColour
    try:
        if channels == 1:
            colour = GreyColour(grey_curve_of(icc_profile))
        elif (found := matrix_of(icc_profile)) is not None:
            colour = MatrixColour(*found)
        else:
            return LookupColour(icc_profile)
    except (ValueError, struct.error, OSError, np.linalg.LinAlgError, ArithmeticError, PyCMSError):
        return DirectColour()
    return DirectColour() if colour.is_nearly_srgb() else colour


def as_srgb(photo: Photo) -> NDArray[np.uint8]:
    """Return a whole photo as the network sees it: 8-bit sRGB, (H, W, 3)."""
    return as_pixels(colour_of_photo(photo).to_srgb(photo.pixels))
