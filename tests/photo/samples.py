"""Small files of every kind, made by other means than the code under test."""

import io
import struct

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"'
    b' xmlns:dc="http://purl.org/dc/elements/1.1/" tiff:Orientation="6" exif:GPSLatitude="52,3N"'
    b' dc:creator="somebody"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
IPTC = b"\x1c\x02\x50\x00\x08somebody"
MAKER_NOTE = b"maker\0\1\2\3note"

# Primaries as D50-adapted colorants, and the gamma, of well-known spaces.
SPACES = {
    "Display P3": (((0.51512, 0.29198, 0.15710), (0.24120, 0.69225, 0.06657), (-0.00105, 0.04189, 0.78407)), None),
    "Adobe RGB": (((0.60974, 0.20528, 0.14919), (0.31111, 0.62567, 0.06322), (0.01947, 0.06087, 0.74457)), 2.19922),
    "ProPhoto": (((0.79767, 0.13519, 0.03135), (0.28804, 0.71188, 0.00009), (0.0, 0.0, 0.82491)), 1.8),
}


def icc_profile(space: str) -> bytes:
    """Build a profile of three curves and a matrix."""
    matrix, gamma = SPACES[space]

    def xyz(values):
        return b"XYZ \0\0\0\0" + struct.pack(">3l", *(round(value * 65536) for value in values))

    if gamma is None:  # sRGB's curve, as a phone writes it
        numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        curve = b"para\0\0\0\0" + struct.pack(">HH5l", 3, 0, *(round(value * 65536) for value in numbers))
    else:
        curve = b"curv\0\0\0\0" + struct.pack(">LH", 1, round(gamma * 256)) + b"\0\0"
    description = b"desc\0\0\0\0" + struct.pack(">L", 2) + b"x\0" + bytes(78)
    tags = {
        b"desc": description, b"cprt": b"text\0\0\0\0none\0", b"wtpt": xyz((0.9642, 1.0, 0.82491)),
        **{name: xyz(row[i] for row in matrix) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))},
        b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
    }  # fmt: skip
    table, data, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += struct.pack(">4sLL", name, offset + len(data), len(content))
        data += content
    header = struct.pack(">L4sL4s4s4s12x4s", 0, b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    header += bytes(68 - len(header)) + struct.pack(">3l", 63190, 65536, 54061)
    body = header + bytes(128 - len(header)) + struct.pack(">L", len(tags)) + table + data
    return struct.pack(">L", len(body)) + body[4:]


def exif(orientation: int = 1, *, thumbnail: bool = False) -> bytes:
    """Build EXIF with a maker note and a place, as a TIFF structure."""
    block = Image.Exif()
    block[0x010F] = "Camera"
    block[0x0112] = orientation
    block.get_ifd(0x8769).update({0x9003: "2020:01:01 00:00:00", 0x927C: MAKER_NOTE})
    block.get_ifd(0x8825).update({1: "N", 2: (52.0, 3.0, 4.0)})
    content = block.tobytes()[6:]
    return with_thumbnail(content) if thumbnail else content


def with_thumbnail(content: bytes) -> bytes:
    """Append a second directory with a picture."""
    order = "<" if content[:2] == b"II" else ">"
    (first,) = struct.unpack_from(order + "L", content, 4)
    (count,) = struct.unpack_from(order + "H", content, first)
    link = first + 2 + 12 * count
    start = len(content)
    picture = b"\xff\xd8thumbnail\xff\xd9"
    directory = struct.pack(order + "H", 2)
    directory += struct.pack(order + "HHLL", 0x0201, 4, 1, start + 30)
    directory += struct.pack(order + "HHLL", 0x0202, 4, 1, len(picture))
    directory += bytes(4)
    return content[:link] + struct.pack(order + "L", start) + content[link + 4 :] + directory + picture


def saved(image: Image.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=format, **options)
    return buffer.getvalue()


def deep_tiff(pixels: np.ndarray, **options) -> bytes:
    """Write 16-bit pixels by another library."""
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, photometric="rgb" if pixels.ndim == 3 else "minisblack", **options)
    return buffer.getvalue()


def deep_png(pixels: np.ndarray) -> bytes:
    """Write 16-bit pixels as the specification says, chunk by chunk."""
    import zlib

    height, width = pixels.shape[:2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[pixels.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)

    def chunk(kind, content):
        return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))

    header = struct.pack(">LLBBBBB", width, height, 16, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def multi_frame_tiff() -> bytes:
    frames = [Image.new("RGB", (4, 4), (n, n, n)) for n in range(3)]
    return saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])


def tiff_of(tags: dict) -> bytes:
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        directory[tag] = value
    return saved(Image.new("RGB", (4, 4)), "TIFF", tiffinfo=directory)


SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}


def structure(fields: dict, order: str = "<") -> bytes:
    """Build a TIFF structure from tags, each (type, value as bytes), or a dict that is a directory of its own."""
    content = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", 8)

    def directory(fields: dict, place: int) -> bytes:
        table, data = struct.pack(order + "H", len(fields)), b""
        free = place + 2 + 12 * len(fields) + 4
        for tag, field in sorted(fields.items()):
            if isinstance(field, dict):
                kind, count, value = 4, 1, struct.pack(order + "L", free + len(data))
                data += directory(field, free + len(data))
            else:
                kind, value = field
                count = len(value) // SIZES[kind]
                if len(value) > 4:
                    data, value = data + value + bytes(len(value) % 2), struct.pack(order + "L", free + len(data))
            table += struct.pack(order + "HHL", tag, kind, count) + value.ljust(4, b"\0")
        return table + bytes(4) + data

    return content + directory(fields, 8)


def tags_of(content: bytes) -> dict:
    """Read a TIFF structure's directories: type and bytes of each tag; by other means than the code under test."""
    order = "<" if content[:2] == b"II" else ">"

    def directory(place: int) -> dict:
        found = {}
        for number in range(struct.unpack_from(order + "H", content, place)[0]):
            tag, kind, count, at = struct.unpack_from(order + "HHLL", content, place + 2 + 12 * number)
            if tag in (0x8769, 0x8825, 0xA005):
                found[tag] = directory(at)
                continue
            size = SIZES.get(kind, 1) * count
            start = place + 2 + 12 * number + 8 if size <= 4 else at
            found[tag] = (kind, content[start : start + size])
        return found

    return directory(struct.unpack_from(order + "L", content, 4)[0])


def with_segments(jpeg: bytes, *segments: tuple[int, bytes], behind: bytes = b"") -> bytes:
    """Put segments behind a JPEG's start, and something behind its end."""
    written = b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
    return jpeg[:2] + written + jpeg[2:] + behind
