"""The formats that are read and written, and what each can hold; all others are refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from enlighten_cli.errors import PhotoError

if TYPE_CHECKING:
    from enlighten_cli.photo.photo import Photo


@dataclass(frozen=True)
class Format:
    """A format.

    Parameters
    ----------
    name : str
        Pillow's.
    suffixes : tuple of str
        Endings of names; the first is given to new files.
    package : str
        What has to be installed for it, where Pillow alone does not do.
    writable : bool
    deep, alpha, iptc, grey : bool
        Whether it can hold 16 bits a channel, opacity, IPTC records, a single channel.
    """

    name: str
    suffixes: tuple[str, ...]
    package: str = ""
    writable: bool = True
    deep: bool = False
    alpha: bool = True
    iptc: bool = False
    grey: bool = True


FORMATS = {
    format.name: format
    for format in (
        Format("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), alpha=False, iptc=True),
        Format("PNG", (".png",), deep=True, iptc=True),
        Format("WEBP", (".webp",), grey=False),
        Format("TIFF", (".tif", ".tiff"), deep=True, iptc=True),
        Format("AVIF", (".avif",), grey=False),
        Format("BMP", (".bmp",), alpha=False),
        Format("HEIF", (".heic", ".heif", ".hif"), package="pillow-heif", grey=False),
        Format("JXL", (".jxl",), package="pillow-jxl-plugin"),
        Format(
            "RAW",
            (".dng", ".nef", ".cr2", ".cr3", ".arw", ".orf", ".raf", ".rw2", ".pef", ".srw", ".nrw"),
            package="rawpy",
            writable=False,
        ),
    )
}
RAW, RAW_RESULT = "RAW", "TIFF"
SUFFIXES = {suffix: format.name for format in FORMATS.values() for suffix in format.suffixes}
CHOICES = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tiff": "TIFF", "avif": "AVIF"}

# Beginnings of files that are pictures of a kind, but not photos to enhance.
REFUSED = {
    b"%PDF": "PDF",
    b"%!PS": "PostScript",
    b"\xc5\xd0\xd3\xc6": "EPS",
    b"8BPS": "PSD",
    b"GIF8": "GIF",
    b"SIMPLE  =": "FITS",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"<svg": "SVG",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
}
BMP_HEADERS = tuple(size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124))
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
RAW_MARKS = (b"IIRO", b"IIRS", b"MMOR", b"FUJIFILMCCD-RAW", b"IIU\0")


def sniff(content: bytes, suffix: str) -> str:
    """Tell a file's format by its beginning; the name decides only between TIFF and camera RAW.

    Returns
    -------
    str
        A name in `FORMATS`, one in `REFUSED`, or "" for something else.
    """
    head = content[:64]
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(b"BM") and head[14:18] in BMP_HEADERS:
        return "BMP"
    if head.startswith((b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")):
        return "JXL"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand == b"crx ":
            return RAW
        if brand in (b"avif", b"avis") or b"avif" in head[16:]:
            return "AVIF"
        return "HEIF" if brand in HEIF_BRANDS else ""
    if head.startswith(RAW_MARKS):
        return RAW
    if head.startswith(TIFF_MARKS):
        return RAW if SUFFIXES.get(suffix.lower()) == RAW or head[8:10] == b"CR" else "TIFF"
    return next((name for mark, name in REFUSED.items() if head.lstrip().startswith(mark)), "")


def check_kind(head: bytes, kind: str) -> None:
    """Refuse a file by what `sniff` says of its beginning.

    Raises
    ------
    PhotoError
        If it is empty, or of no format in `FORMATS`.
    """
    if not head:
        raise PhotoError("the file is empty")
    if kind not in FORMATS:
        raise PhotoError(f"{kind} files are not read" if kind else "not a photo in a format known here")


def is_photo(path: Path) -> bool:
    """Tell whether a file claims to be a photo, by its name or by its content."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return sniff(file.read(64), path.suffix) in FORMATS
    except OSError:
        return False


def import_plugin(name: str) -> None:
    """Teach Pillow a format that needs another package.

    Raises
    ------
    PhotoError
        If the package is not installed; the message has the command.
    """
    try:
        if name == "HEIF":
            import pillow_heif

            pillow_heif.register_heif_opener()
        elif name == "JXL":
            import pillow_jxl  # noqa: F401
    except ImportError as error:
        raise missing(name) from error


def missing(name: str) -> PhotoError:
    """Return the failure of a format whose package is not installed."""
    return PhotoError(f"{name} files need another package; run: pip install {FORMATS[name].package}")


def cannot_hold(photo: Photo, name: str) -> list[str]:
    """Say what of a photo is lost when it is written in a format; nothing if all is kept."""
    format = FORMATS[name]
    lost = []
    if photo.bits > 8 and not format.deep:
        lost.append(f"{name} has 8 bits a channel: the photo's 16 are rounded")
    if photo.alpha is not None and not format.alpha:
        lost.append(f"{name} has no transparency: flattened on white")
    if photo.metadata.iptc and not format.iptc:
        lost.append(f"{name} has no place for IPTC: left out")
    if photo.metadata.comment and name not in ("JPEG", "PNG"):
        lost.append(f"{name} has no place for a comment: left out")
    if photo.metadata.text and name != "PNG":
        lost.append(f"{name} has no place for a PNG's texts: left out")
    if name == "BMP" and any((photo.metadata.exif, photo.metadata.xmp, photo.metadata.icc_profile)):
        lost.append("BMP has no place for metadata and colour profiles: left out")
    return lost
