"""The ways from a file to pixels, one function each; what decodes which file, `decode` decides."""

from __future__ import annotations

import dataclasses
import io
import struct
from typing import TypeAlias

import numpy as np
from PIL import Image

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo.float_tiff import DEPTH_REFUSED, OPACITY, PREMULTIPLIED, Channels
from enlighten_cli.photo.libvips import libvips
from enlighten_cli.photo.metadata import Metadata
from enlighten_cli.photo.photo import Pixels, is_float
from enlighten_cli.photo.png_strips import SIGNATURE, chunks_of
from enlighten_cli.photo.source import open_image
from enlighten_cli.photo.truncation import is_forgiving

TIFF_BITS_PER_SAMPLE, TIFF_COMPRESSION, TIFF_SAMPLE_FORMAT = 258, 259, 339
UNSIGNED = 1
PLAIN_MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I;16B", "I;16L")
BAND_ROWS = 256
OF_ANIMATIONS = (b"acTL", b"fcTL", b"fdAT")  # a PNG's chunks
NOT_READ = ("not configured", "not implemented", "not supported", "unsupported")  # libtiff's words

Planes: TypeAlias = tuple[Pixels, Pixels | None]  # colours, (H, W, C), and opacity, (H, W), where there is one


def is_deep(image: Image.Image, head: bytes, kind: str) -> bool:
    """Tell by the file's header whether channels have 16 bits: Pillow reduces RGB to 8 without a word."""
    if kind == "PNG":
        return head[24] == 16  # in IHDR, always the first chunk
    if kind != "TIFF":
        return False
    directory = getattr(image, "tag_v2", {})
    bits = set(directory.get(TIFF_BITS_PER_SAMPLE, (1,)))
    if max(bits) <= 8:
        return False
    if bits != {16} or set(directory.get(TIFF_SAMPLE_FORMAT, (UNSIGNED,))) != {UNSIGNED}:
        raise PhotoError(f"channels of {max(bits)} bits, or of numbers other than unsigned integers, {DEPTH_REFUSED}")
    return True


def deep_pixels(content: bytes, image: Image.Image, kind: str, channels: Channels | None) -> Planes:
    """Decode 16-bit channels."""
    if kind == "TIFF" and image.mode not in ("RGB", "RGBA", "RGBX", "L", "LA", "I;16", "I;16B", "I;16L"):
        raise PhotoError(f"16-bit {image.mode} is not read; convert it to RGB in the program that wrote it")
    return by_vips(content, np.uint16, compression_of(image), channels)


def by_vips(
    content: bytes,
    kind: type[np.uint8 | np.uint16 | np.float32],
    compression: str = "",
    channels: Channels | None = None,
) -> Planes:
    """Decode by libvips what Pillow does not; a last channel is opacity, unless `channels` say otherwise.

    Raises
    ------
    PhotoError
        If libvips lacks the compression, named for the message, or the channels are of another kind.
    OSError
        If the file is damaged.
    """
    pyvips = libvips()

    fail_on = "none" if is_forgiving() else "error"
    try:
        pyvips.vips_lib.vips_error_clear()  # it collects messages, of other files too
        deep = pyvips.Image.new_from_buffer(content, "", access="sequential", fail_on=fail_on)
        array = np.asarray(deep.numpy()).reshape(deep.height, deep.width, deep.bands)
    except pyvips.Error as error:
        said = " ".join(str(error).split())
        if compression and any(words in said.lower() for words in NOT_READ):
            raise PhotoError(
                f"its compression ({compression}) cannot be read at this depth; save it with LZW, Deflate or none"
            ) from error
        raise OSError(said[:200]) from error
    count = array.shape[2]
    if channels is None:
        channels = Channels(count - 1, (OPACITY,)) if count in (2, 4) else Channels(count)
    if array.dtype != kind or channels.colours not in (1, 3) or count != channels.colours + len(channels.extras):
        raise PhotoError(f"channels of an unusual kind {DEPTH_REFUSED}")
    colours = array[..., : channels.colours]
    if channels.alpha is None:
        return colours, None
    alpha = array[..., channels.colours + channels.alpha]
    # libvips divides colours that were multiplied by opacity; it takes that of grey floats for a part of 255.
    if channels.extras[channels.alpha] == PREMULTIPLIED and is_float(colours) and channels.colours == 1:
        colours = colours / np.float32(255)
    return colours, alpha


def compression_of(image: Image.Image) -> str:
    """Return the name of a TIFF file's compression, or its number; empty for other files."""
    from PIL import TiffImagePlugin

    code = getattr(image, "tag_v2", {}).get(TIFF_COMPRESSION)
    names: dict[int, str] = TiffImagePlugin.COMPRESSION_INFO
    return names.get(code, str(code)).removeprefix("tiff_") if isinstance(code, int) else ""


def plain_pixels(
    image: Image.Image, content: bytes | None, metadata: Metadata, notes: list[str]
) -> tuple[Planes, Metadata]:
    """Decode with Pillow, expand palettes and convert CMYK.

    The `content` of an animated PNG is given: the pixels of its still picture are taken from it.
    """
    if image.mode not in PLAIN_MODES:
        raise PhotoError(f"pixels of mode {image.mode} are not read; convert it to RGB in the program that wrote it")
    if content is not None:  # Pillow composes frames, in which palettes become black
        image = open_image(io.BytesIO(still(content)), "PNG")
    image.load()
    if image.mode == "La":
        image = image.convert("LA")
    if image.mode.startswith("I;16"):
        return (np.asarray(image).astype(np.uint16)[..., None], None), metadata
    if image.mode == "CMYK":
        image, profile = _without_cmyk(image, metadata.icc_profile)
        notes.append("CMYK is converted to RGB")
        metadata = dataclasses.replace(metadata, icc_profile=profile)
    alpha = None
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    grey = image.mode in ("1", "L", "LA")
    return (_array(image, "L" if grey else "RGB"), alpha), metadata


def still(png: bytes) -> bytes:
    """Return a PNG without its animation: with the picture that programs show which know none."""
    try:
        return SIGNATURE + b"".join(whole for kind, whole in chunks_of(png) if kind not in OF_ANIMATIONS)
    except struct.error:
        return png  # it ends within a chunk


def _array(image: Image.Image, mode: str) -> Pixels:
    """Convert an image to an array, (H, W, C) uint8, by bands: Pillow would copy all of it three times."""
    pixels = np.empty((image.height, image.width, len(mode)), np.uint8)
    for top in range(0, image.height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, image.height)
        band = np.asarray(image.crop((0, top, image.width, bottom)).convert(mode))
        pixels[top:bottom] = band.reshape(bottom - top, image.width, len(mode))
    return pixels


def _without_cmyk(image: Image.Image, icc_profile: bytes | None) -> tuple[Image.Image, bytes]:
    """Convert CMYK to sRGB, by its profile where it has one."""
    from PIL import ImageCms

    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    converted: Image.Image | None = None
    if icc_profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
            converted = ImageCms.profileToProfile(
                image,
                source,
                srgb,
                ImageCms.Intent.RELATIVE_COLORIMETRIC,  # as for other profiles of tables; see `LookupColour`
                "RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
        except (ImageCms.PyCMSError, OSError):
            converted = None  # a profile of something else
    return converted or image.convert("RGB"), srgb.tobytes()
