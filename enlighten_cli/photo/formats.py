"""Bytes to `Photo` and back, by Pillow."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo.photo import Photo, Pixels

FORMATS = ("JPEG", "PNG", "BMP", "WEBP")  # all that is ever decoded
SUFFIXES = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
    ".png": "PNG",
    ".bmp": "BMP",
    ".webp": "WEBP",
}
EIGHT_BIT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
XMP_KEYWORD = "XML:com.adobe.xmp"  # of the PNG chunk
JPEG_QUALITY = 95


def decode(source: Path | bytes) -> Photo:
    """Decode a photo and turn it upright.

    Parameters
    ----------
    source : Path or bytes
        A file, or its content. What it is, is told by the content, never by the name.

    Raises
    ------
    PhotoError
        If it is no photo, damaged, too large, or deeper than 8 bits a channel.
    """
    try:
        content = source if isinstance(source, bytes) else source.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata; the pixels decide
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                _refuse_unsuitable(image, content)
                image.load()
                return _photo(image)
    except UnidentifiedImageError as error:
        raise PhotoError("not a photo in a format known here") from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise PhotoError(_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _refuse_unsuitable(image: Image.Image, content: bytes) -> None:
    # In PNG's first chunk, IHDR; Pillow would halve 16 bits silently.
    if image.format == "PNG" and content[24] > 8:
        raise PhotoError(f"{content[24]}-bit channels cannot be kept yet; 8 bits can")
    if image.mode not in EIGHT_BIT_MODES:
        raise PhotoError(f"pixels of mode {image.mode} cannot be kept yet")


def _photo(image: Image.Image) -> Photo:
    name = "JPEG" if image.format == "MPO" else str(image.format)
    icc_profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    exif = upright.getexif()
    xmp = upright.info.get("xmp")
    alpha = None
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        alpha = np.asarray(upright.convert("RGBA").getchannel("A"))
    grey = upright.mode in ("1", "L", "LA")
    return Photo(
        pixels=np.asarray(upright.convert("RGB")),
        format=name,
        alpha=alpha,
        grey=grey,
        # A profile describes the channels of the file; expanded or converted ones are sRGB.
        icc_profile=icc_profile if image.mode in ("RGB", "RGBA", "L", "LA") else None,
        exif=exif.tobytes() if len(exif) else None,
        xmp=xmp if isinstance(xmp, bytes) else None,
    )


def encode(photo: Photo, format: str | None = None) -> bytes:
    """Encode a photo.

    Parameters
    ----------
    photo : Photo
    format : str, optional
        Pillow's name of a format; the photo's own by default.

    Raises
    ------
    PhotoError
        If the format cannot hold the photo.
    """
    format = format or photo.format
    image = _image(photo.pixels, photo.grey)
    if photo.alpha is not None and format not in ("JPEG", "BMP"):
        image.putalpha(Image.fromarray(photo.alpha))
    options: dict[str, Any] = {}
    if format == "JPEG":
        options.update(quality=JPEG_QUALITY, subsampling=0)
    elif format == "WEBP":
        options.update(quality=JPEG_QUALITY)
    elif format == "PNG" and photo.xmp is not None:
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt(XMP_KEYWORD, photo.xmp.decode("utf-8", "replace"))
        options.update(pnginfo=chunks)
    for name in ("exif", "icc_profile", "xmp"):
        if getattr(photo, name) is not None and not (format == "PNG" and name == "xmp"):
            options[name] = getattr(photo, name)
    buffer = io.BytesIO()
    try:
        image.save(buffer, format=format, **options)
    except (OSError, ValueError, KeyError) as error:
        raise PhotoError(f"cannot be written as {format}: {_reason(error)}") from error
    return buffer.getvalue()


def _image(pixels: Pixels, grey: bool) -> Image.Image:
    image = Image.fromarray(pixels)
    return image.convert("L") if grey else image
