"""Encode a `Photo` to the bytes of a file."""

from __future__ import annotations

import dataclasses
import io
import struct
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from enlighten_cli.atomic_write import Sink
from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import jpeg_strips, png_strips, tiff_strips
from enlighten_cli.photo.bands import Span
from enlighten_cli.photo.colour import as_integers
from enlighten_cli.photo.exif_patch import ExifBlock
from enlighten_cli.photo.float_tiff import BITS, FLOAT, SAMPLE_FORMAT, UNSIGNED
from enlighten_cli.photo.formats import FORMATS, RAW, RAW_RESULT, import_plugin
from enlighten_cli.photo.jpeg_strips import STRIP_ROWS
from enlighten_cli.photo.metadata import (
    EXIF_PREFIX,
    IPTC_PNG_KEYWORD,
    IPTC_TIFF_TAG,
    XMP_PNG_KEYWORD,
    XMP_TIFF_TAG,
    Metadata,
    drop_structure,
    iptc_as_text,
    photoshop_block,
)
from enlighten_cli.photo.photo import Photo, Pixels, as_eight_bits, empty_pixels, spans_of
from enlighten_cli.photo.png_strips import LEVEL, SIGNATURE, Deflated, chunks_of, deflated
from enlighten_cli.resources import mapped

PHOTOSHOP_APP13 = b"Photoshop 3.0\0"
MOST_BYTES_IN_A_JPEG_SEGMENT = 65533
STRIPS_FROM_PIXELS = 1_000_000  # smaller photos are encoded at once
TIFF_WIDTH = 256


def encode(photo: Photo, format: str | None = None, *, quality: int | None = None) -> bytes:
    """Encode a photo with its metadata.

    Parameters
    ----------
    photo : Photo
    format : str, optional
        A name in `formats.FORMATS`; the photo's own by default (TIFF for camera RAW).
        `formats.cannot_hold` lists what it cannot hold.
    quality : int, optional
        1 to 100, for lossy formats; by default a JPEG keeps its source's tables.

    Raises
    ------
    PhotoError
        If the format cannot hold the photo.
    """
    file = io.BytesIO()
    encode_to(file, photo, format, quality=quality)
    return file.getvalue()


def encode_to(file: Sink, photo: Photo, format: str | None = None, *, quality: int | None = None) -> None:
    """Encode a photo to an empty file, in which places can be sought; see `encode`."""
    name = format or (RAW_RESULT if photo.format == RAW else photo.format)
    if not FORMATS[name].writable:
        raise PhotoError(f"{name} files are not written")
    if photo.bits == 32 and not FORMATS[name].floats:
        photo = as_integers(photo.whole())
    if can_be_stripped(photo, name):
        _encode_strips(file, photo, name, quality)
        return
    photo = photo.whole(empty_pixels)
    with _encoding(name):
        content = _encoded(photo, name, quality)
    file.write(content)


def can_be_stripped(photo: Photo, name: str) -> bool:
    """Tell whether a photo is encoded strip by strip, so that its pixels need not be in memory at once."""
    is_jpeg = name == "JPEG" and not photo.coding.progressive and photo.height <= jpeg_strips.LONGEST_PX
    is_possible = is_jpeg or name in ("PNG", "TIFF")
    # Pillow's compressing writer cannot write EXIF's own directories. Compressed strips need no EXIF.
    is_worth_it = photo.height * photo.width >= STRIPS_FROM_PIXELS or (name == "TIFF" and bool(photo.metadata.exif))
    return is_possible and is_worth_it and photo.alpha is None


def _encode_strips(file: Sink, photo: Photo, name: str, quality: int | None) -> None:
    """Encode strips of a photo as files of their own, on all cores, and join them."""
    if name == "PNG":
        with _encoding(name):
            more = _chunks_of_metadata(photo)
        with closing(_png_strips(photo)) as png_strips_there:
            for part in png_strips.joined(png_strips_there, photo.height, more):
                file.write(part)
        return
    if name == "TIFF":
        row = np.zeros((1, *photo.pixels.shape[1:]), photo.pixels.dtype)
        with _encoding(name):
            head = _encoded(dataclasses.replace(photo, pixels=row, bands=None), name, quality)
        bytes_a_row = photo.width * photo.pixels.shape[2] * photo.pixels.itemsize
        with closing(_strips(photo, name, quality, strip_size=STRIP_ROWS * bytes_a_row)) as strips:
            tiff_strips.write_joined(file, head, strips, photo.height)
        return
    with closing(_strips(photo, name, quality, restart_marker_rows=1)) as strips:
        for part in jpeg_strips.joined(strips, photo.height):
            file.write(part)


def _strips(photo: Photo, name: str, quality: int | None, **options: Any) -> Generator[bytes]:
    """Encode strips; only a JPEG's first has metadata."""
    bare = dataclasses.replace(photo, metadata=Metadata())
    first = photo if name == "JPEG" else bare

    def work(item: tuple[Span, Pixels]) -> bytes:
        (start, _), pixels = item
        with _encoding(name):
            strip = dataclasses.replace(bare if start else first, pixels=pixels, bands=None)
            return _encoded(strip, name, quality, **options)

    spans = spans_of(photo.height, STRIP_ROWS)
    return mapped(work, zip(spans, photo.rows(spans), strict=True))


def _png_strips(photo: Photo) -> Generator[Deflated]:
    """Encode strips, each with the row above it, and compress them."""
    bare = dataclasses.replace(photo, metadata=Metadata())

    def work(item: tuple[Span, Pixels]) -> Deflated:
        (start, stop), pixels = item
        strip = dataclasses.replace(bare, pixels=pixels, bands=None)
        with _encoding("PNG"):
            if photo.bits > 8:
                png = _deep_png(strip, compression=0)
            else:
                png = _saved(_image(strip, "PNG"), "PNG", strip, None, compress_level=0)
            return deflated(png, is_first=start == 0, is_last=stop == photo.height)

    return mapped(work, _with_row_above(photo))


def _with_row_above(photo: Photo) -> Iterator[tuple[Span, Pixels]]:
    """Yield strips, each but the first with the last row of the strip before, which is not made a second time.

    It might come out a little different, and a decoder would add the difference to all rows below.
    """
    spans = spans_of(photo.height, STRIP_ROWS)
    above = photo.pixels[:0]
    for span, pixels in zip(spans, photo.rows(spans), strict=True):
        yield span, np.concatenate([above, pixels])
        above = pixels[-1:]


def _encoded(photo: Photo, name: str, quality: int | None, **more: Any) -> bytes:
    """Encode a photo that is in memory."""
    if photo.bits > 8 and name == "TIFF":
        return _deep_tiff(photo, **more)
    if photo.bits > 8 and name == "PNG":
        return _deep_png(photo, **more)
    return _saved(_image(photo, name), name, photo, quality, **more)


@contextmanager
def _encoding(name: str) -> Iterator[None]:
    try:
        yield
    except PhotoError:
        raise
    except Exception as error:  # encoders raise any kind of exception on odd metadata
        raise PhotoError(f"cannot be written as {name}: {' '.join(str(error).split())}") from error


def _image(photo: Photo, name: str) -> Image.Image:
    """Return 8-bit pixels as a Pillow image of a mode that the format knows."""
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
    return buffer.getvalue()


def _options(name: str, photo: Photo, quality: int | None) -> dict[str, Any]:
    """Return what Pillow has to be told, for it keeps nothing by itself."""
    metadata, coding, own = photo.metadata, photo.coding, FORMATS[name]
    options: dict[str, Any] = {}
    if name == "JPEG":
        if quality is None and coding.quantisation:
            options.update(qtables=list(coding.quantisation), subsampling=coding.subsampling)
        else:
            options.update(quality=quality or own.quality, subsampling=0)
        options.update(progressive=coding.progressive, extra=_photoshop_segment(metadata.iptc))
        if metadata.comment:
            options["comment"] = metadata.comment
    elif name == "WEBP" and coding.lossless and quality is None:
        options.update(lossless=True, exact=True)
    elif own.quality is not None:
        options["quality"] = quality or own.quality
    if name == "AVIF":
        options["subsampling"] = "4:4:4"
    if metadata.dpi and own.dpi:
        options["dpi"] = metadata.dpi
    if not own.metadata:
        return options
    if metadata.icc_profile and (photo.pixels.shape[2] == 3 or own.grey):
        # A profile of grey would be wrong beside three channels.
        options["icc_profile"] = metadata.icc_profile
    if name == "TIFF":
        options.update(tiffinfo=_tiff_directory(photo), compression=_tiff_compression(photo))
        return options
    if metadata.exif:
        # PNG, WebP and AVIF hold the bare structure; Pillow takes JPEG's prefix off for them.
        options["exif"] = EXIF_PREFIX + metadata.exif
    if name == "PNG":
        options["pnginfo"] = _texts(photo)
    elif metadata.xmp:
        options["xmp"] = metadata.xmp
    return options


def _tiff_compression(photo: Photo) -> str:
    """Return the compression in Pillow's words; see `can_be_stripped`."""
    return "raw" if photo.metadata.exif else photo.coding.tiff_compression


def _photoshop_segment(iptc: bytes | None) -> bytes:
    if not iptc:
        return b""
    content = PHOTOSHOP_APP13 + photoshop_block(iptc)
    if len(content) > MOST_BYTES_IN_A_JPEG_SEGMENT:
        raise ValueError("its IPTC records are longer than a JPEG segment")
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content


def _texts(photo: Photo) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    for keyword, value in photo.metadata.text:
        try:
            value.encode("latin-1")
            chunks.add_text(keyword, value)
        except UnicodeEncodeError:
            chunks.add_itxt(keyword, value)
    if photo.metadata.comment and "Comment" not in dict(photo.metadata.text):
        chunks.add_itxt("Comment", photo.metadata.comment.decode("utf-8", "replace"))
    if photo.metadata.xmp:
        chunks.add_itxt(XMP_PNG_KEYWORD, photo.metadata.xmp.decode("utf-8", "replace"))
    if photo.metadata.iptc:
        chunks.add_text(IPTC_PNG_KEYWORD, iptc_as_text(photo.metadata.iptc), zip=True)
    return chunks


def _tiff_directory(photo: Photo) -> Image.Exif:
    """Return the tags of a TIFF file: EXIF's own, XMP and IPTC."""
    tags = Image.Exif()
    if photo.metadata.exif:
        tags.load(photo.metadata.exif)
        drop_structure(tags)  # they would be taken for this file's
    if photo.metadata.xmp:
        tags[XMP_TIFF_TAG] = photo.metadata.xmp
    if photo.metadata.iptc:
        tags[IPTC_TIFF_TAG] = photo.metadata.iptc
    if photo.bits == 32:
        channels = 3 + 1 if photo.alpha is not None else photo.pixels.shape[2]
        tags[SAMPLE_FORMAT] = (UNSIGNED,) * channels  # a place for what is set when the file is written
    return tags


def _deep_png(photo: Photo, compression: int = LEVEL) -> bytes:
    """Let libvips write the 16-bit pixels and Pillow the chunks around them."""
    import pyvips

    pixels = photo.pixels if photo.alpha is None else np.dstack([photo.pixels, photo.alpha])
    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels))
    image = image.copy(interpretation="rgb16" if photo.pixels.shape[2] == 3 else "grey16")
    own = list(chunks_of(bytes(image.pngsave_buffer(keep="none", compression=compression, filter="all"))))
    pixels_only = b"".join(chunk for kind, chunk in own[1:] if kind in (b"IDAT", b"IEND"))
    return SIGNATURE + own[0][1] + _chunks_of_metadata(photo) + pixels_only


def _chunks_of_metadata(photo: Photo) -> bytes:
    one = Photo(np.zeros((1, 1, 3), np.uint8), "PNG", metadata=photo.metadata)
    around = _saved(_image(one, "PNG"), "PNG", one, None)
    return b"".join(chunk for kind, chunk in chunks_of(around) if kind not in (b"IHDR", b"IDAT", b"IEND"))


def _deep_tiff(photo: Photo, **more: Any) -> bytes:
    """Let Pillow write the bytes of deeper pixels as two or four times as many of 8 bits, then set that right.

    Compression without a predictor sees bytes only, so that nothing but a few numbers differ.
    """
    pixels: Pixels = photo.pixels
    if photo.alpha is not None:
        # Few programs read deep grey with opacity from a TIFF file; all read RGB with it.
        colours = pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)
        pixels = np.dstack([colours, photo.alpha])
    height, width, channels = pixels.shape
    little = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("<"))).view(np.uint8)
    parts = little.reshape(height, width * pixels.itemsize, channels)
    image = Image.fromarray(parts[..., 0] if channels == 1 else parts)
    content = _saved(image, "TIFF", photo, None, **more)
    block = ExifBlock(content)
    block.set(TIFF_WIDTH, [width])
    block.set(BITS, [photo.bits] * channels)
    if photo.bits == 32:
        block.set(SAMPLE_FORMAT, [FLOAT] * len(block.numbers(SAMPLE_FORMAT)))
    return bytes(block)
