"""Encode a photo whose pixels are in memory."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from enlighten_cli.photo.exif_patch import ORIENTATION, ExifBlock
from enlighten_cli.photo.float_tiff import BITS, FLOAT, SAMPLE_FORMAT, UNSIGNED
from enlighten_cli.photo.formats import FORMATS, import_plugin
from enlighten_cli.photo.jpeg_metadata import fitting_exif, segments_for, with_aspect
from enlighten_cli.photo.jpeg_segments import EXIF_PREFIX
from enlighten_cli.photo.libvips import libvips
from enlighten_cli.photo.metadata import (
    IPTC_TIFF_TAG,
    RESOURCES_TIFF_TAG,
    STRUCTURAL_TAGS,
    XMP_TIFF_TAG,
)
from enlighten_cli.photo.photo import Photo, Pixels, as_eight_bits
from enlighten_cli.photo.photoshop import photoshop_block
from enlighten_cli.photo.png_strips import LEVEL, SIGNATURE, chunk, chunks_of
from enlighten_cli.photo.png_texts import IPTC_KEYWORD, XMP_KEYWORD, as_profile
from enlighten_cli.photo.promises import without_video
from enlighten_cli.photo.tiff_head import order_of, with_exif

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

TIFF_WIDTH, TIFF_X_RESOLUTION, TIFF_Y_RESOLUTION, TIFF_RESOLUTION_UNIT = 256, 282, 283, 296
NO_UNIT = 1  # of a TIFF file's resolution
PNG_HEADER_BYTES = len(SIGNATURE) + 25


def encoded(photo: Photo, name: str, quality: int | None, **more: Any) -> bytes:
    """Encode a photo.

    Parameters
    ----------
    photo : Photo
        Without `bands`.
    name : str
        A writable format's, in `formats.FORMATS`.
    quality : int or None
        See `encode.encode`.
    **more
        Further options of Pillow's, or others instead of those that follow from the photo.
    """
    if name == "TIFF":
        order = more.pop("order", order_of(photo.metadata.exif))
        deep = photo.bits > 8
        return _with_metadata(
            _deep_tiff(photo, order, **more) if deep else _saved(_image(photo, name), name, photo, quality, **more),
            photo,
        )
    if photo.bits > 8 and name == "PNG":
        return _deep_png(photo, **more)
    return _saved(_image(photo, name), name, photo, quality, **more)


def _image(photo: Photo, name: str) -> Image.Image:
    """Return 8-bit pixels as a Pillow image of a mode that the format knows."""
    if name == "JXL" and is_deep_grey(photo):
        return Image.fromarray(np.asarray(photo.pixels[..., 0], np.uint16))
    pixels = as_eight_bits(photo.pixels)
    if name == "JPEG" and photo.alpha is None and (padded := _padded(pixels)) is not None:
        return Image.frombuffer("RGBX", padded.shape[1::-1], padded, "raw", "RGBX", 0, 1)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    if photo.alpha is None:
        return image if FORMATS[name].grey else image.convert("RGB")
    alpha = Image.fromarray(as_eight_bits(photo.alpha))
    if not FORMATS[name].alpha:
        white = Image.new(image.mode, image.size, "white")
        white.paste(image, mask=alpha)
        return white
    if not FORMATS[name].grey:
        image = image.convert("RGB")
    image.putalpha(alpha)
    return image


def is_deep_grey(photo: Photo) -> bool:
    """Tell whether a photo is of the one kind of 16 bits that JPEG XL's plug-in writes."""
    return photo.bits == 16 and photo.shape[2] == 1 and photo.alpha is None


def _padded(pixels: Pixels) -> Pixels | None:
    """Return the memory of pixels from `empty_pixels`, with its unused fourth channel."""
    base = pixels.base
    if not isinstance(base, np.ndarray) or base.dtype != np.uint8 or base.shape != (*pixels.shape[:2], 4):
        return None
    return base if pixels.shape[2] == 3 and pixels.ctypes.data == base.ctypes.data else None


def _saved(image: Image.Image, name: str, photo: Photo, quality: int | None, **more: Any) -> bytes:
    import_plugin(name)
    buffer = io.BytesIO()
    image.save(buffer, format=name, **{**_options(name, photo, quality), **more})
    content, aspect = buffer.getvalue(), photo.metadata.aspect
    if aspect and name == "JPEG":
        return with_aspect(content, aspect)
    if aspect and name == "PNG":
        shape = chunk(b"pHYs", struct.pack(">LLB", *aspect, 0))
        return content[:PNG_HEADER_BYTES] + shape + content[PNG_HEADER_BYTES:]
    return content


def _options(name: str, photo: Photo, quality: int | None) -> dict[str, Any]:
    """Return what Pillow has to be told, for it keeps nothing by itself."""
    metadata, coding, own = photo.metadata, photo.coding, FORMATS[name]
    options: dict[str, Any] = {}
    if name == "JPEG":
        if quality is None and coding.quantisation:
            options.update(qtables=list(coding.quantisation), subsampling=coding.subsampling)
        else:
            options.update(quality=quality or own.quality, subsampling=0)
        options.update(progressive=coding.progressive, extra=segments_for(metadata))
    elif name in ("WEBP", "JXL") and coding.lossless and quality is None:
        options.update(lossless=True, exact=True)  # the latter for WebP's hidden colours
    elif own.quality is not None:
        options["quality"] = quality or own.quality
    if name == "AVIF":
        options["subsampling"] = "4:4:4"
    if metadata.dpi and own.dpi:
        options["dpi"] = metadata.dpi
    if not own.metadata:
        return options
    if metadata.icc_profile:
        options["icc_profile"] = metadata.icc_profile
    if name == "TIFF":
        options.update(tiffinfo=_tiff_directory(photo), compression=coding.tiff_compression)
        return options
    exif = fitting_exif(metadata.exif)[0] if name == "JPEG" else metadata.exif
    if exif:
        # PNG, WebP and AVIF hold the bare structure; Pillow takes JPEG's prefix off for them.
        options["exif"] = EXIF_PREFIX + exif
    if name == "PNG":
        options["pnginfo"] = _texts(photo)
    elif name != "JPEG" and (xmp := without_video(metadata.xmp)):
        options["xmp"] = xmp
    return options


def _texts(photo: Photo) -> PngInfo:
    from PIL.PngImagePlugin import PngInfo  # slow to import

    chunks = PngInfo()
    for keyword, value in photo.metadata.text:
        try:
            value.encode("latin-1")
            chunks.add_text(keyword, value)
        except UnicodeEncodeError:
            chunks.add_itxt(keyword, value)
    for comment in () if "Comment" in dict(photo.metadata.text) else photo.metadata.comments:
        chunks.add_itxt("Comment", comment.decode("utf-8", "replace"))
    if xmp := without_video(photo.metadata.xmp):
        chunks.add_itxt(XMP_KEYWORD, xmp.decode("utf-8", "replace"))
    resources = photo.metadata.resources or b""
    if photo.metadata.iptc:
        resources = photoshop_block(photo.metadata.iptc) + resources
    if resources:
        chunks.add_text(IPTC_KEYWORD, as_profile(resources), zip=True)
    if photo.metadata.significant_bits:
        chunks.add(b"sBIT", photo.metadata.significant_bits)
    return chunks


def _tiff_directory(photo: Photo) -> Image.Exif:
    """Return the tags of a TIFF file that Pillow does not write by itself."""
    tags = Image.Exif()
    if photo.metadata.aspect:
        tags[TIFF_RESOLUTION_UNIT] = NO_UNIT
        tags[TIFF_X_RESOLUTION], tags[TIFF_Y_RESOLUTION] = photo.metadata.aspect
    if photo.bits == 32:
        channels = 3 + 1 if photo.alpha is not None else photo.shape[2]
        tags[SAMPLE_FORMAT] = (UNSIGNED,) * channels  # a place for what is set when the file is written
    return tags


def _with_metadata(tiff: bytes, photo: Photo) -> bytes:
    """Return a TIFF file with EXIF, XMP, IPTC and Photoshop's resources."""
    metadata, structural = photo.metadata, STRUCTURAL_TAGS - {ORIENTATION}
    more = {
        XMP_TIFF_TAG: without_video(metadata.xmp),
        IPTC_TIFF_TAG: metadata.iptc,
        RESOURCES_TIFF_TAG: metadata.resources,
    }
    return with_exif(tiff, metadata.exif, {tag: value for tag, value in more.items() if value}, structural)


def _deep_png(photo: Photo, compress_level: int = LEVEL) -> bytes:
    """Let libvips write the 16-bit pixels and Pillow the chunks around them."""
    pyvips = libvips()

    pixels = photo.pixels if photo.alpha is None else np.dstack([photo.pixels, photo.alpha])
    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels))
    image = image.copy(interpretation="rgb16" if photo.shape[2] == 3 else "grey16")
    own = list(chunks_of(bytes(image.pngsave_buffer(keep="none", compression=compress_level, filter="all"))))
    pixels_only = b"".join(chunk for kind, chunk in own[1:] if kind in (b"IDAT", b"IEND"))
    return SIGNATURE + own[0][1] + chunks_of_metadata(photo) + pixels_only


def chunks_of_metadata(photo: Photo) -> bytes:
    """Return the chunks of a PNG that hold a photo's metadata."""
    one = Photo(np.zeros((1, 1, 3), np.uint8), "PNG", metadata=photo.metadata)
    around = _saved(_image(one, "PNG"), "PNG", one, None)
    return b"".join(chunk for kind, chunk in chunks_of(around) if kind not in (b"IHDR", b"IDAT", b"IEND"))


def _deep_tiff(photo: Photo, order: str, **more: Any) -> bytes:
    """Let Pillow write the bytes of deeper pixels as two or four times as many of 8 bits, then set that right.

    Compression without a predictor sees bytes only, so that nothing but a few numbers differ. The pixels' numbers have
    this byte order, those of the directory another.
    """
    pixels: Pixels = photo.pixels
    if photo.alpha is not None:
        # Few programs read deep grey with opacity from a TIFF file; all read RGB with it.
        colours = pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)
        pixels = np.dstack([colours, photo.alpha])
    height, width, channels = pixels.shape
    ordered = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("<" if order == "<" else ">")))
    parts = ordered.view(np.uint8).reshape(height, width * pixels.itemsize, channels)
    image = Image.fromarray(parts[..., 0] if channels == 1 else parts)
    content = _saved(image, "TIFF", photo, None, **more)
    block = ExifBlock(content)
    block.set(TIFF_WIDTH, [width])
    block.set(BITS, [photo.bits] * channels)
    if photo.bits == 32:
        block.set(SAMPLE_FORMAT, [FLOAT] * len(block.numbers(SAMPLE_FORMAT)))
    return bytes(block)
