"""A PNG's texts, in which programs keep others' metadata: XMP, and ImageMagick's "raw profiles"."""

from __future__ import annotations

from enlighten_cli.photo.jpeg_segments import EXIF_PREFIX, XMP_PREFIX
from enlighten_cli.photo.metadata import RAW_PROFILE
from enlighten_cli.photo.photoshop import MARKS

XMP_KEYWORD = "XML:com.adobe.xmp"
IPTC_KEYWORD = "Raw profile type iptc"
LINE = 72  # hexadecimal digits
KINDS = {"exif": "exif", "app1": "exif", "xmp": "xmp", "iptc": "iptc", "8bim": "iptc"}


def taken_profiles(text: dict[str, str]) -> dict[str, bytes]:
    """Take profiles out of texts; a second copy of one would be stale in the result.

    Returns
    -------
    dict
        By ``"exif"``, ``"xmp"``, ``"iptc"`` (bare records) and ``"resources"`` (Photoshop's).
    """
    found: dict[str, bytes] = {}
    for keyword in [keyword for keyword in text if keyword.lower().startswith(RAW_PROFILE)]:
        kind = KINDS.get(keyword[len(RAW_PROFILE) :].lower())
        content = _profile(text[keyword])
        if kind is None or content is None:
            continue
        del text[keyword]
        if content.startswith(XMP_PREFIX):
            kind, content = "xmp", content[len(XMP_PREFIX) :]
        elif kind == "exif":
            content = content.removeprefix(EXIF_PREFIX)
        elif kind == "iptc" and content.startswith(MARKS):
            kind = "resources"
        if content:
            found.setdefault(kind, content)
    return found


def as_profile(content: bytes) -> str:
    """Write Photoshop's resources as a raw profile: name, length, hexadecimal lines."""
    digits = content.hex()
    lines = (digits[start : start + LINE] for start in range(0, len(digits), LINE))
    return f"\niptc\n{len(content):>8}\n" + "\n".join(lines) + "\n"


def _profile(text: str) -> bytes | None:
    words = text.split()
    try:
        return bytes.fromhex("".join(words[2:])) or None
    except ValueError:
        return None
