"""Say of a file that decoders do not read of which kind it is, and what to do."""

from __future__ import annotations

import struct

from enlighten_cli.photo.structure import FRAME_OR_END, STANDALONE

ORDINARY_BITS = 8
LOSSLESS, HIERARCHICAL = (0xC3, 0xC7, 0xCB, 0xCF), (0xC5, 0xC6, 0xCD, 0xCE)
SCAN, END = 0xDA, 0xD9
# What decoders say that tells a user nothing.
OPAQUE = ("generic error", "decoder error", "decoder object", "cannot identify", "unrecognized", "tiff2vips", "vips")


def unusual_jpeg(content: bytes) -> str:
    """Name the kind of a JPEG that few programs read; empty if it is an ordinary one, or none."""
    place = 2
    while content.startswith(b"\xff\xd8") and place + 9 < len(content):
        if content[place] != 0xFF:
            return ""
        marker = content[place + 1]
        if marker == 0xFF or marker in STANDALONE:
            place += 1 if marker == 0xFF else 2
            continue
        if marker in FRAME_OR_END:
            bits, height = struct.unpack_from(">BH", content, place + 4)
            return "" if marker in (SCAN, END) else _kind(marker, bits, height)
        place += 2 + struct.unpack_from(">H", content, place + 2)[0]
    return ""


def _kind(marker: int, bits: int, height: int) -> str:
    if bits != ORDINARY_BITS:
        return f"JPEG of {bits} bits a channel"
    if marker in LOSSLESS:
        return "lossless JPEG"
    if marker in HIERARCHICAL:
        return "hierarchical JPEG"
    return "JPEG that tells its height behind its pixels (DNL)" if height == 0 else ""


def reason(error: Exception, content: bytes, kind: str) -> str:
    """Say why a file cannot be decoded, and what to do.

    Parameters
    ----------
    error : Exception
        A decoder's.
    content : bytes
    kind : str
        A name in `FORMATS`.
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if unusual := unusual_jpeg(content):
        return f"a {unusual} is not read; save it as an ordinary JPEG (8 bits, baseline or progressive)"
    said = " ".join(str(error).split())[:200]
    told = f" ({said})" if said and not any(word in said.lower() for word in OPAQUE) else ""
    return (
        f"the {kind} file is damaged, or its pixels are of a kind that is not read{told}; "
        "copy it again, or save it anew in a program that shows it"
    )
