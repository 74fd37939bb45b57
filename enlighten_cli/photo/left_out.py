"""What a file has besides one photo, which a result will not have."""

from __future__ import annotations

from PIL import Image

from enlighten_cli.photo.colour import transfer_is_hdr

GAIN_MAPS = (b"hdrgm:Version", b"urn:iso:std:iso:ts:21496", b"urn:com:apple:photo:2020:aux:hdrgainmap")


def left_out(image: Image.Image, head: bytes, kind: str) -> list[str]:
    """List what the file has besides one photo, because the result will not have it."""
    notes = []
    frames = int(getattr(image, "n_frames", 1))
    if any(mark in head for mark in GAIN_MAPS):
        notes.append("its HDR gain map is left out: the result is an ordinary photo")
    elif frames > 1:
        notes.append(f"only the first of its {frames} pictures is enhanced; the others are left out")
    if b"http://ns.adobe.com/xmp/extension/" in head:
        notes.append("the extension of its XMP is left out")
    if b"c2pa" in head and (b"jumb" in head or b"caBX" in head):
        notes.append("its C2PA manifest is left out: it vouches for the unchanged photo")
    if transfer_is_hdr(image.info.get("icc_profile")) or _cicp_is_hdr(head, kind):
        notes.append("it is coded for HDR (PQ or HLG) but treated as ordinary sRGB; check the result")
    if kind in ("AVIF", "HEIF") and _heif_bits(head) > 8:
        notes.append(f"its {_heif_bits(head)} bits a channel are read as 8")
    return notes


def _cicp_is_hdr(head: bytes, kind: str) -> bool:
    if kind == "PNG" and (place := head.find(b"cICP")) > 0:
        return head[place + 5 : place + 6] in (b"\x10", b"\x12")
    if kind in ("AVIF", "HEIF") and (place := head.find(b"colrnclx")) > 0:
        return head[place + 11 : place + 12] in (b"\x10", b"\x12")
    return False


def _heif_bits(head: bytes) -> int:
    """Read the depth from the codec's box: av1C or pixi."""
    if (place := head.find(b"pixi")) > 0 and place + 10 <= len(head):
        return head[place + 9]
    return 8
