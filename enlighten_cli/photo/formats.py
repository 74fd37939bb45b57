"""The supported formats and what each can hold; all others are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from enlighten_cli.errors import FormatError, PhotoError, how_to_install

if TYPE_CHECKING:
    from enlighten_cli.photo.photo import Photo


# The first bytes of files, by which formats are told apart.
BMP_HEADERS = tuple(size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124))
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
RAW_MARKS = (b"IIRO", b"IIRS", b"MMOR", b"FUJIFILMCCD-RAW", b"IIU\0")


@dataclass(frozen=True)
class Format:
    """A format, described in one row.

    Parameters
    ----------
    name : str
        Pillow's.
    suffixes : tuple of str
        Suffixes of file names; new files get the first.
    begins : callable
        Tells by the first 64 bytes whether a file has this format.
    choice : str
        Its name for ``--format``; empty if ``--format`` does not offer it.
    package, extra, plugin : str
        The package to install, the extra that installs it, and the module that adds the format to
        Pillow, where Pillow alone is not enough.
    writable : bool
    quality : int or None
        Default quality of new files, if it is lossy.
    deep, floats, alpha, grey : bool
        Whether it can hold 16 bits a channel, 32-bit floats, opacity, a single channel.
    metadata, profiles, iptc, comment, text, dpi : bool
        Whether it can hold EXIF and XMP; colour profiles; IPTC records; a comment; PNG's texts; a
        resolution outside EXIF.
    """

    name: str
    suffixes: tuple[str, ...]
    begins: Callable[[bytes], bool]
    choice: str = ""
    package: str = ""
    extra: str = ""
    plugin: str = ""
    writable: bool = True
    quality: int | None = None
    deep: bool = False
    floats: bool = False
    alpha: bool = True
    grey: bool = True
    metadata: bool = True
    profiles: bool = True
    iptc: bool = False
    comment: bool = False
    text: bool = False
    dpi: bool = False


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(marks)


FORMATS = {
    format.name: format
    for format in (
        Format(
            "JPEG",
            (".jpg", ".jpeg", ".jpe", ".jfif"),
            _begins(b"\xff\xd8\xff"),
            choice="jpg",
            quality=95,
            alpha=False,
            iptc=True,
            comment=True,
            dpi=True,
        ),
        Format(
            "PNG",
            (".png",),
            _begins(b"\x89PNG\r\n\x1a\n"),
            choice="png",
            deep=True,
            iptc=True,
            comment=True,
            text=True,
            dpi=True,
        ),
        Format(
            "WEBP",
            (".webp",),
            lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
            choice="webp",
            quality=90,
            grey=False,
        ),
        Format(
            "TIFF", (".tif", ".tiff"), _begins(*TIFF_MARKS), choice="tiff", deep=True, floats=True, iptc=True, dpi=True
        ),
        Format(
            "AVIF",
            (".avif",),
            lambda head: head[4:8] == b"ftyp" and (head[8:12] in (b"avif", b"avis") or b"avif" in head[16:]),
            choice="avif",
            quality=85,
            grey=False,
        ),
        Format(
            "BMP",
            (".bmp",),
            lambda head: head.startswith(b"BM") and head[14:18] in BMP_HEADERS,
            alpha=False,
            metadata=False,
            profiles=False,
            dpi=True,
        ),
        Format(
            "HEIF",
            (".heic", ".heif", ".hif"),
            lambda head: head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS,
            package="pillow-heif",
            extra="heic",
            plugin="pillow_heif",
            quality=90,
            grey=False,
        ),
        Format(
            "JXL",
            (".jxl",),
            _begins(b"\xff\x0a", b"\x00\x00\x00\x0cJXL "),
            package="pillow-jxl-plugin",
            extra="jxl",
            plugin="pillow_jxl",
            quality=95,
            profiles=False,  # the plug-in writes none
        ),
        Format(
            "RAW",
            (".dng", ".nef", ".cr2", ".cr3", ".arw", ".orf", ".raf", ".rw2", ".pef", ".srw", ".nrw"),
            lambda head: head.startswith(RAW_MARKS) or head[4:12] == b"ftypcrx ",
            package="rawpy",
            extra="raw",
            writable=False,
        ),
    )
}
RAW, RAW_RESULT = "RAW", "TIFF"
SUFFIXES = {suffix: format.name for format in FORMATS.values() for suffix in format.suffixes}
CHOICES = {format.choice: format.name for format in FORMATS.values() if format.choice}

# First bytes of files that are pictures, but are not enhanced.
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


def sniff(content: bytes, suffix: str) -> str:
    """Tell a file's format by its first bytes; the name decides only between TIFF and camera RAW.

    Returns
    -------
    str
        A name in `FORMATS`, one in `REFUSED`, or "" for something else.
    """
    head = content[:64]
    kind = next((format.name for format in FORMATS.values() if format.begins(head)), "")
    if kind == "TIFF" and (SUFFIXES.get(suffix.lower()) == RAW or head[8:10] == b"CR"):
        return RAW  # many cameras' RAW files begin as TIFF files do
    return kind or next((name for mark, name in REFUSED.items() if head.lstrip().startswith(mark)), "")


def check_kind(head: bytes, kind: str) -> None:
    """Refuse a file that is empty or of no supported format.

    Raises
    ------
    PhotoError
        If it is empty.
    FormatError
        If it is of no format in `FORMATS`.
    """
    if not head:
        raise PhotoError("the file is empty")
    if kind not in FORMATS:
        raise FormatError(f"{kind} files are not read" if kind else "not a photo in a supported format")


def is_photo(path: Path) -> bool:
    """Tell whether a file is a photo by its name or its first bytes."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return sniff(file.read(64), path.suffix) in FORMATS
    except OSError:
        return False


def import_plugin(name: str) -> None:
    """Add to Pillow a format that needs another package.

    Raises
    ------
    FormatError
        If the package is not installed; the message has the command.
    """
    if not FORMATS[name].plugin:
        return
    try:
        plugin = import_module(FORMATS[name].plugin)
    except ImportError as error:
        raise missing(name) from error
    if name == "HEIF":  # which does not register itself
        plugin.register_heif_opener()


def missing(name: str) -> FormatError:
    """Return the error for a format whose package is not installed."""
    return FormatError(
        f"{name} files need another package; {how_to_install(FORMATS[name].extra, FORMATS[name].package)}"
    )


def cannot_hold(photo: Photo, name: str) -> list[str]:
    """List what a photo loses when it is written in a format."""
    from enlighten_cli.photo.colour import is_srgb
    from enlighten_cli.photo.encode_whole import is_deep_grey
    from enlighten_cli.photo.jpeg_metadata import too_large
    from enlighten_cli.photo.jpeg_segments import kind_of, name_of

    format = FORMATS[name]
    bits = 16 if format.deep else 8
    lost = []
    if photo.bits == 32 and not format.floats:
        lost.append(f"{name} has no floats: light beyond white is cut off, colours become sRGB of {bits} bits")
    elif photo.bits > 8 and not format.deep and not (name == "JXL" and is_deep_grey(photo)):
        lost.append(f"{name} has 8 bits a channel: the photo's 16 are rounded")
    if photo.alpha is not None and not format.alpha:
        lost.append(f"{name} has no transparency: flattened on white")
    if photo.metadata.iptc and not format.iptc:
        lost.append(f"{name} has no place for IPTC: left out")
    if photo.metadata.comments and not format.comment:
        lost.append(f"{name} has no place for a comment: left out")
    if photo.metadata.resources and not format.iptc:
        lost.append(f"{name} has no place for Photoshop's resources (copyright flag, paths): left out")
    if photo.metadata.aspect and not format.dpi:
        lost.append(f"{name} has no place for the shape of pixels that are no squares: left out")
    if name == "JPEG":
        lost += too_large(photo.metadata)
    elif photo.metadata.trailer:
        lost.append(
            f"{name} has no place for what follows the photo in its file ({kind_of(photo.metadata.trailer)}): left out"
        )
    if name != "JPEG" and photo.metadata.segments:
        names = ", ".join(sorted({name_of(content) for _, content in photo.metadata.segments}))
        lost.append(f"{name} has no place for data of other programs ({names}): left out")
    if photo.metadata.text and not format.text:
        lost.append(f"{name} has no place for a PNG's texts: left out")
    if not format.metadata and any((photo.metadata.exif, photo.metadata.xmp)):
        lost.append(f"{name} has no place for metadata: left out")
    if not format.profiles and not is_srgb(photo):
        lost.append(f"{name} is written without a colour profile: colours become sRGB")
    return lost
