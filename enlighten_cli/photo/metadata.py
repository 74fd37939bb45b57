"""The metadata of a photo, as the bytes of its file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum

from enlighten_cli.photo import turned
from enlighten_cli.photo.exif_patch import ORIENTATION, ExifBlock

IPTC_TIFF_TAG, XMP_TIFF_TAG, RESOURCES_TIFF_TAG, C2PA_TIFF_TAG = 33723, 700, 34377, 52545
RAW_PROFILE = "raw profile type "  # ImageMagick's way of keeping others' metadata in a PNG's texts
# Directory entries of a TIFF file that describe its pixels, not the photo.
STRUCTURAL_TAGS = frozenset(
    (254, 255, 256, 257, 258, 259, 262, 263, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284, 290, 291, 292, 293,
     296, 317, 33421, 33422,
     318, 319, 320, 322, 323, 324, 325, 330, 332, 338, 339, 340, 341, 347, 512, 513, 514, 529, 530, 531, 532,
     XMP_TIFF_TAG, IPTC_TIFF_TAG, RESOURCES_TIFF_TAG, C2PA_TIFF_TAG, 34675,
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
        The packet; one that a JPEG keeps in two parts is joined.
    iptc : bytes or None
        IIM records.
    icc_profile : bytes or None
        The colour space of the pixels.
    dpi : tuple of float, or None
        Dots an inch, across and down.
    aspect : tuple of int, or None
        Where no unit is known: how many pixels across are as long as how many down.
    comments : tuple of bytes
        A JPEG's.
    text : tuple of (str, str)
        A PNG's text chunks: keyword and text.
    significant_bits : bytes or None
        A PNG's sBIT: of each channel.
    resources : bytes or None
        Photoshop's image resources other than IPTC.
    segments : tuple of (int, bytes)
        A JPEG's segments of applications that are not understood: marker and content.
    trailer : bytes
        What follows the photo in a JPEG's file, such as the video of a motion photo.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    aspect: tuple[int, int] | None = None
    comments: tuple[bytes, ...] = ()
    text: tuple[tuple[str, str], ...] = ()
    significant_bits: bytes | None = None
    resources: bytes | None = None
    segments: tuple[tuple[int, bytes], ...] = ()
    trailer: bytes = b""

    @property
    def orientation(self) -> int:
        """How the pixels have to be turned, 1 to 8; 1 is upright. EXIF decides; XMP where EXIF is silent."""
        try:
            found = ExifBlock(self.exif or b"").value(ORIENTATION)
        except ValueError:
            found = None
        if found is None:
            return turned.xmp_orientation(self.xmp or b"")
        return found if 1 <= found <= 8 else 1

    def without_orientation(self) -> Metadata:
        """Return the metadata of pixels that a decoder has turned by itself."""
        exif = self.exif
        try:
            block = ExifBlock(exif or b"")
            block.remove(ORIENTATION)
            exif = bytes(block)
        except ValueError:
            pass  # there is none, or none that a program could read
        return dataclasses.replace(self, exif=exif, xmp=turned.turned_xmp(self.xmp, 1) if self.xmp else None)

    def upright(self) -> Metadata:
        """Return the metadata of the turned pixels: no orientation, sizes and places turned, no stale thumbnail."""
        orientation, exif, xmp = self.orientation, self.exif, self.xmp
        if exif is not None:
            try:
                block = ExifBlock(exif)
                turned.turn_exif(block, orientation)
                block.remove(ORIENTATION)
                block.drop_thumbnail()
                exif = bytes(block)
            except ValueError:
                exif = None  # no program could read it
        if xmp:
            xmp = turned.turned_xmp(xmp, orientation)
        sideways = orientation in turned.SIDEWAYS
        dpi = self.dpi[::-1] if self.dpi and sideways else self.dpi
        aspect = self.aspect[::-1] if self.aspect and sideways else self.aspect
        return dataclasses.replace(self, exif=exif, xmp=xmp, dpi=dpi, aspect=aspect)
