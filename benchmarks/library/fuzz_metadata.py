"""Metadata that a hostile program could write: valid samples, changed where their structure is."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image
from samples import IPTC, MAKER_NOTE, XMP, exif, saved, tiff_of

Random = np.random.Generator
NUMBERS = (0, 1, 2, 7, 8, 12, 13, 42, 255, 256, 65535, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
WORDS = ("exif:GPSLatitude", "GPSLatitude", "photoshop:City", "dc:creator", "rdf:li", "x:a", ":", "a:b:c", "\u00e9", "")
VALUES = ("", "52,31.7341N", "&#0;", "&amp;", "&bogus;", "\0", "\ufffe", "x" * 5000, "<", "]]>", '"', "9" * 5000)
TAGS = (254, 258, 259, 270, 273, 274, 279, 305, 330, 513, 514, 700, 33723, 34377, 34665, 34675, 34853, 37500, 40965)


def pick(random: Random, choices: tuple[Any, ...] | list[Any]) -> Any:
    return choices[int(random.integers(len(choices)))]


def xmp(random: Random) -> bytes:
    """Change a packet by elements, attributes, declarations and codings."""
    text = XMP.decode()
    for _ in range(int(random.integers(1, 6))):
        places = [place for place, letter in enumerate(text) if letter in '<>"= ']
        at = pick(random, places) if places else 0
        word, value = pick(random, WORDS), pick(random, VALUES)
        piece = pick(
            random,
            [
                f'<{word} {word}="{value}">{value}</{word}>',
                f'<a xmlns:x="{value}" x:City="{value}"/>',
                f"<!--{value}-->",
                f"<?{word} {value}?>",
                f"<![CDATA[{value}]]>",
                f'<!DOCTYPE a [<!ENTITY b "{value}">]>',
                f"<{word}>" * int(random.integers(1, 3000)),
                " " * int(random.integers(1, 100_000)),
                f' {word}="{value}"',
                "</rdf:RDF>",
                value,
            ],
        )
        text = text[:at] + piece + text[at:] if random.random() < 0.8 else text[:at] + text[at + len(piece) % 90 :]
    content = text.encode(pick(random, ["utf-8", "utf-8", "utf-16", "utf-16-be", "utf-32"]), "replace")
    return content + bytes(int(random.integers(0, 20)))


def iptc(random: Random) -> bytes:
    """Write records whose sizes lie, sometimes."""
    records = []
    for _ in range(int(random.integers(1, 12))):
        value = bytes(int(random.integers(0, 40)))
        size = len(value) if random.random() < 0.7 else int(pick(random, NUMBERS)) & 0xFFFF
        mark = 0x1C if random.random() < 0.9 else int(random.integers(256))
        records.append(struct.pack(">BBBH", mark, pick(random, [1, 2, 3]), int(random.integers(256)), size) + value)
    return IPTC + b"".join(records)


def tiff(content: bytes, random: Random) -> bytes:
    """Change entries and links of a TIFF structure's directories: tag, type, count, offset, or another's place."""
    data = bytearray(content)
    order = "<" if data[:2] == b"II" else ">"
    directories = _directories(data, order)
    for _ in range(int(random.integers(1, 8))):
        if not directories:
            break
        directory, count = pick(random, directories)
        entry = directory + 2 + 12 * int(random.integers(max(1, count)))
        offset = pick(random, [*NUMBERS, directory, entry, len(data) - 1, len(data)]) & 0xFFFFFFFF
        kind = int(random.integers(7))
        if kind == 0:
            _put(data, order + "H", entry, pick(random, TAGS))
        elif kind == 1:
            _put(data, order + "H", entry + 2, int(random.integers(0, 20)))
        elif kind == 2:
            _put(data, order + "L", entry + 4, pick(random, NUMBERS))
        elif kind == 3:
            _put(data, order + "L", entry + 8, offset)
        elif kind == 4:
            _put(data, order + "L", directory + 2 + 12 * count, offset)
        elif kind == 5:
            _put(data, order + "H", directory, pick(random, [0, 1, count + 1, 0xFFFF]))
        else:
            _put(data, order + "L", 4, offset)
    return bytes(data)


def _directories(data: bytearray, order: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    (first,) = struct.unpack_from(order + "L", data, 4)
    waiting = [first]
    while waiting and len(found) < 20:
        directory = waiting.pop()
        if not 8 <= directory < len(data) - 2 or any(place == directory for place, _ in found):
            continue
        (count,) = struct.unpack_from(order + "H", data, directory)
        found.append((directory, count))
        for entry in range(directory + 2, min(directory + 2 + 12 * count, len(data) - 12), 12):
            tag, _, _, value = struct.unpack_from(order + "HHLL", data, entry)
            if tag in (330, 34665, 34853, 40965):
                waiting.append(value)
    return found


def _put(data: bytearray, kind: str, place: int, number: int) -> None:
    if place + struct.calcsize(kind) <= len(data):
        struct.pack_into(kind, data, place, number)


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Write a PNG with chunks of its own, their checksums right."""
    own = saved(Image.new("RGB", (4, 4)), "PNG")
    added = b"".join(
        struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return own[:33] + added + own[33:]


def png_text(random: Random) -> bytes:
    """Change PNG's texts: keywords, compression, raw profiles, colour profiles, EXIF."""
    chunks = []
    for _ in range(int(random.integers(1, 6))):
        profile = pick(random, ["exif", "APP1", "iptc", "8bim", "xmp", "icc", "where"])
        keyword = pick(random, ["XML:com.adobe.xmp", f"Raw profile type {profile}", "Comment", "x" * 80, ""])
        content = pick(random, [xmp, iptc, lambda r: tiff(exif(6), r)])(random)
        if keyword.startswith("Raw"):
            length = len(content) if random.random() < 0.7 else pick(random, NUMBERS)
            content = f"\n{profile}\n{length:>8}\n{content.hex()}\n".encode()
            content = content[: int(random.integers(len(content)))] if random.random() < 0.3 else content
        name = keyword.encode() + b"\0"
        packed = zlib.compress(content) if random.random() < 0.8 else content
        kind = pick(random, [b"tEXt", b"zTXt", b"iTXt", b"iTXt", b"iCCP", b"eXIf", b"pHYs", b"cICP", b"sBIT", b"caBX"])
        if kind == b"iTXt":
            squeezed = bool(random.integers(2))
            body = name + bytes([squeezed, int(random.integers(2))]) + b"\0\0" + (packed if squeezed else content)
        elif kind in (b"zTXt", b"iCCP"):
            body = name + bytes([int(random.random() < 0.1)]) + packed
        else:
            body = name + content if kind == b"tEXt" else content
        chunks.append((kind, body[:400_000]))
    return png(chunks)


def jpeg_segments(random: Random) -> bytes:
    """Change what a JPEG carries in segments: EXIF, XMP, Photoshop's resources, profiles, comments."""
    plain = saved(Image.new("RGB", (8, 8)), "JPEG")
    resource = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0"
    segments = b""
    for _ in range(int(random.integers(1, 6))):
        records = iptc(random)
        size = len(records) if random.random() < 0.7 else pick(random, NUMBERS)
        mark, body = pick(
            random,
            [
                (0xE1, b"Exif\0\0" + tiff(exif(6, thumbnail=True), random)),
                (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(random)),
                (0xED, resource + struct.pack(">L", size) + records),
                (0xE2, b"ICC_PROFILE\0" + bytes([int(random.integers(256)), int(random.integers(256))]) + MAKER_NOTE),
                (0xE2, b"MPF\0" + tiff(exif(), random)),
                (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + extension(random)),
                (0xE1, b"FLIR\0" + records),
                (0xED, b"Photoshop 3.0\0" + resources(random)),
                (0xEB, pick(random, [b"JP\0\1jumbc2pa", b"HDR_RI ver=1", b"JP"]) + records),
                (0xEE, b"Adobe" + bytes(int(random.integers(12)))),
                (0xFE, xmp(random)),
            ],
        )
        body = body[:65_533]
        length = len(body) + 2 if random.random() < 0.9 else int(random.integers(65536))
        segments += bytes([0xFF, mark]) + struct.pack(">H", length) + body
    content = plain[:2] + segments + plain[2:]
    return content + b"".join(
        pick(random, [behind, behind, lambda _: content, lambda _: b""])(random) for _ in range(2)
    )


def extension(random: Random) -> bytes:
    """Write a part of XMP's second packet, whose size and place may lie."""
    packet = xmp(random)[:60_000]
    size = len(packet) if random.random() < 0.7 else pick(random, NUMBERS)
    place = 0 if random.random() < 0.7 else pick(random, NUMBERS)
    return pick(random, [b"A", b"B"]) * 32 + struct.pack(">LL", size, place) + packet


def resources(random: Random) -> bytes:
    """Write Photoshop's resources with lengths of names and contents that may lie."""
    found = b""
    for _ in range(int(random.integers(1, 5))):
        name, content = bytes(int(random.integers(0, 6))), bytes(int(random.integers(0, 40)))
        size = len(content) if random.random() < 0.8 else pick(random, NUMBERS)
        number = pick(random, [0x0404, 0x040A, 0x040C, 2000, 0x0BB7])
        head = pick(random, [b"8BIM", b"8BIM", b"PHUT", b"none"]) + struct.pack(">HB", number, len(name)) + name
        found += head + bytes(len(head) % 2) + struct.pack(">L", size) + content + bytes(len(content) % 2)
    return found


def behind(random: Random) -> bytes:
    """Write what may follow a photo in its file."""
    plain = saved(Image.new("RGB", (8, 8)), "JPEG")
    cut = int(random.integers(1, len(plain)))
    video = b"\0\0\0\x18ftypmp42" + bytes(int(random.integers(0, 40)))
    return pick(random, [b"\0\0\0", plain, plain[:cut], video, b"\xff\xd8\xff" * 50, b"\xff\xd9"])


def tiff_tags(random: Random) -> bytes:
    """Change a TIFF file's own directory."""
    tags = {700: xmp(random), 33723: iptc(random), 270: "words", 305: "software", 34377: b"8BIM" + bytes(20)}
    if random.random() < 0.3:  # as numbers of 32 bits
        tags[33723] = tuple(int(number) for number in random.integers(0, 1 << 32, 5))
    kept = {tag: value for tag, value in tags.items() if random.integers(2)}
    return tiff(tiff_of(kept), random)


def webp(random: Random) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "WEBP", exif=tiff(exif(3), random), xmp=xmp(random))
    return buffer.getvalue()


SAMPLES = {"JPEG": jpeg_segments, "PNG": png_text, "TIFF": tiff_tags, "WEBP": webp}
