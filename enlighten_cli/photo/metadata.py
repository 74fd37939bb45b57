"""The metadata of a photo, as the bytes of its file."""

from __future__ import annotations

import dataclasses
import re
import struct
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from enlighten_cli.photo.exif_patch import ORIENTATION, ExifBlock

if TYPE_CHECKING:
    from PIL import Image

EXIF_PREFIX = b"Exif\0\0"
PHOTOSHOP_MARK = b"8BIM"
IPTC_RESOURCE = 0x0404
IPTC_TIFF_TAG, XMP_TIFF_TAG = 33723, 700
XMP_PNG_KEYWORD = "XML:com.adobe.xmp"
XMP_JPEG_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
RAW_PROFILE = "raw profile type "  # ImageMagick's way of keeping others' metadata in a PNG's texts
IPTC_PNG_KEYWORD = "Raw profile type iptc"
MOST_TEXT_BYTES = 8 << 20  # of a PNG, decompressed; Pillow has its own limits, of 1 MB a text and 64 MB in all
XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|>))\s*[2-8]""")
# Directory entries of a TIFF file that describe its pixels, not the photo.
STRUCTURAL_TAGS = frozenset(
    (254, 255, 256, 257, 258, 259, 262, 263, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284, 290, 291, 292, 293,
     296, 317, 33421, 33422,
     318, 319, 320, 322, 323, 324, 325, 330, 332, 338, 339, 340, 341, 347, 512, 513, 514, 529, 530, 531, 532,
     XMP_TIFF_TAG, IPTC_TIFF_TAG, 34377, 34675,
     37724)  # the last: Photoshop's layers
)  # fmt: skip


class Strip(Enum):
    """Which metadata are removed from the result."""

    NOTHING = "nothing"
    GPS = "gps"
    ALL = "all"


@dataclass(frozen=True)
class Metadata:
    """Metadata as bytes.

    Parameters
    ----------
    exif : bytes or None
        A TIFF structure, without JPEG's prefix.
    xmp : bytes or None
        The packet.
    iptc : bytes or None
        IIM records.
    icc_profile : bytes or None
        The colour space of the pixels.
    dpi : tuple of float, or None
        Dots an inch, across and down.
    comment : bytes or None
        A JPEG's comment.
    text : tuple of (str, str)
        A PNG's text chunks: keyword and text.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    comment: bytes | None = None
    text: tuple[tuple[str, str], ...] = ()

    @property
    def orientation(self) -> int:
        """How the pixels have to be turned, 1 to 8; 1 is upright."""
        try:
            found = ExifBlock(self.exif or b"").value(ORIENTATION)
        except ValueError:
            return 1
        return found if found is not None and 1 <= found <= 8 else 1

    def upright(self) -> Metadata:
        """Return the metadata of the turned pixels: no orientation, no stale thumbnail."""
        exif = self.exif
        if exif is not None:
            try:
                block = ExifBlock(exif)
                block.remove(ORIENTATION)
                block.drop_thumbnail()
                exif = bytes(block)
            except ValueError:
                exif = None  # no program could read it
        xmp = XMP_ORIENTATION.sub(rb"\g<1>1", self.xmp) if self.xmp else self.xmp
        return dataclasses.replace(self, exif=exif, xmp=xmp)


def read_metadata(image: Image.Image, notes: list[str]) -> Metadata:
    """Read the metadata that Pillow found in a file; pixels need not be loaded.

    What is left out is added to `notes`, as messages for the user.
    """
    info = image.info
    text = dict(getattr(image, "text", {}))
    if sum(map(len, text.values())) > MOST_TEXT_BYTES:
        notes.append(f"its text chunks are more than {MOST_TEXT_BYTES >> 20} MB: left out")
        text = {}
    text.pop(XMP_PNG_KEYWORD, None)
    profiles = _profiles(text)
    exif = info.get("exif") or profiles.get("exif")
    xmp = info.get("xmp") or info.get(XMP_PNG_KEYWORD) or profiles.get("xmp")
    iptc = profiles.get("iptc")
    resources = info.get("photoshop")
    if iptc is None and isinstance(resources, dict) and isinstance(resources.get(IPTC_RESOURCE), bytes):
        iptc = resources[IPTC_RESOURCE]
    if image.format == "TIFF":
        exif = _exif_from_tiff(image)
        directory = getattr(image, "tag_v2", {})
        iptc = _bytes_of(directory.get(IPTC_TIFF_TAG), getattr(directory, "_endian", "<"))
    comment = info.get("comment") if image.format in ("JPEG", "MPO") else None
    dpi = info.get("dpi")
    return Metadata(
        exif=exif.removeprefix(EXIF_PREFIX) if isinstance(exif, bytes) and exif else None,
        xmp=xmp.encode() if isinstance(xmp, str) else _as_bytes(xmp),
        iptc=iptc,
        icc_profile=_as_bytes(info.get("icc_profile")),
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and min(dpi) > 0 else None,
        comment=_as_bytes(comment),
        text=tuple((key, str(value)) for key, value in text.items()),
    )


def _profiles(text: dict[str, str]) -> dict[str, bytes]:
    """Take profiles out of a PNG's texts, as EXIF, XMP and IPTC; a second copy of one would be stale in the result."""
    found: dict[str, bytes] = {}
    for keyword in [keyword for keyword in text if keyword.lower().startswith(RAW_PROFILE)]:
        kind = keyword[len(RAW_PROFILE) :].lower()
        content = _profile(text[keyword])
        if kind not in ("exif", "app1", "xmp", "iptc", "8bim") or content is None:
            continue
        del text[keyword]
        if content.startswith(XMP_JPEG_PREFIX):
            kind, content = "xmp", content[len(XMP_JPEG_PREFIX) :]
        elif kind == "app1":
            kind = "exif"
        elif kind in ("iptc", "8bim"):
            kind, content = "iptc", _iptc_of(content)
        if content:
            found.setdefault(kind, content)
    return found


def _as_bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) and value else None


def _bytes_of(value: object, order: str) -> bytes | None:
    """Return bytes that may be kept as 32-bit numbers, as Adobe does with IPTC in TIFF files."""
    if isinstance(value, tuple) and value and all(isinstance(number, int) for number in value):
        return struct.pack(f"{order}{len(value)}L", *value)
    return _as_bytes(value)


def _exif_from_tiff(image: Image.Image) -> bytes | None:
    """Collect the photo's own tags from a TIFF file, leaving out what describes its pixels."""
    exif = image.getexif()
    exif.bigtiff = False  # the result is a classic TIFF file, or another, and so is what others know of EXIF
    drop_structure(exif)
    return exif.tobytes() if len(exif) else None


def drop_structure(tags: Image.Exif) -> None:
    """Take out the tags that describe the pixels of the file that they stood in, all but its orientation."""
    for tag in STRUCTURAL_TAGS & set(tags) - {ORIENTATION}:
        del tags[tag]


def photoshop_block(iptc: bytes) -> bytes:
    """Wrap IPTC records as the Photoshop resource in which JPEG carries them."""
    padding = b"\0" * (len(iptc) % 2)
    return PHOTOSHOP_MARK + struct.pack(">HHL", IPTC_RESOURCE, 0, len(iptc)) + iptc + padding


def iptc_as_text(iptc: bytes) -> str:
    """Wrap IPTC records as the text in which PNG carries them: name, length, hexadecimal lines."""
    content = photoshop_block(iptc).hex()
    lines = (content[start : start + 72] for start in range(0, len(content), 72))
    return f"\niptc\n{len(content) // 2:>8}\n" + "\n".join(lines) + "\n"


def _profile(text: str | None) -> bytes | None:
    """Read a "raw profile" as ImageMagick writes it: name, length, hexadecimal lines."""
    words = (text or "").split()
    try:
        return bytes.fromhex("".join(words[2:])) or None
    except ValueError:
        return None


def _iptc_of(content: bytes) -> bytes:
    """Return the IPTC records of Photoshop's resources, or of content that is no resources."""
    start = content.find(PHOTOSHOP_MARK + struct.pack(">HH", IPTC_RESOURCE, 0))
    if start < 0:
        return b"" if content.startswith(PHOTOSHOP_MARK) else content
    (size,) = struct.unpack_from(">L", content.ljust(start + 12, b"\0"), start + 8)
    return content[start + 12 : start + 12 + size]
