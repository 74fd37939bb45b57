"""What XMP says of further pictures and videos in the file; where these are left out, it must not be said."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

CAMERA = "http://ns.google.com/photos/1.0/camera/"
CONTAINER = "http://ns.google.com/photos/1.0/container/"
HDR_GAIN_MAP = "http://ns.adobe.com/hdr-gain-map/1.0/"
APPLE_GAIN_MAP = "http://ns.apple.com/HDRGainMap/1.0/"
DEPTH = ("http://ns.google.com/photos/1.0/depthmap/", "http://ns.google.com/photos/1.0/image/")
VIDEO_NAMES = ("MotionPhoto", "MicroVideo")
VIDEO_MARKS = (b"MotionPhoto", b"MicroVideo")
PICTURE_MARKS = (HDR_GAIN_MAP.encode(), APPLE_GAIN_MAP.encode(), CONTAINER.encode())
ITEM = re.compile(rb"<rdf:li\b(?:(?!<rdf:li\b|</rdf:li>).)*(?:</rdf:li>|(?<=/)>)", re.DOTALL)
MEANING = re.compile(rb"""\bItem:Semantic(?:\s*=\s*["']|>)\s*(\w+)""")
PRIMARY, VIDEO = b"Primary", b"MotionPhoto"
ABOUT = re.compile(rb"""rdf:about\s{0,9}=\s{0,9}(?:"[^"]{0,999}"|'[^']{0,999}')""")
CLOSING = b"</rdf:RDF"
# A description that says nothing: what was in it has been left out.
NOTHING = re.compile(
    rb"""<rdf:Description(?:\s{1,9}(?:xmlns:[\w.-]{1,99}|rdf:about)="[^"<]{0,999}")*+\s{0,9}(?:/>|></rdf:Description>)"""
)
LENGTH_TO_COME = b'Item:Length="0000000000"'
EMPTY = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b"</rdf:RDF></x:xmpmeta>"
)
DIRECTORY = (
    b'<rdf:Description %s xmlns:hdrgm="%s" xmlns:Container="%s" xmlns:Item="%sitem/" hdrgm:Version="1.0">'
    b"<Container:Directory><rdf:Seq>%s</rdf:Seq></Container:Directory></rdf:Description>"
)
ENTRY = b'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="%s" Item:Mime="%s"%s/></rdf:li>'

Dropped: TypeAlias = Callable[[str, str], bool]


def without_pictures(xmp: bytes | None) -> bytes | None:
    """Return a packet that tells of no HDR gain map and no further picture in the file."""
    if not xmp or not any(mark in xmp for mark in PICTURE_MARKS):
        return xmp
    return _without(xmp, {PRIMARY, VIDEO}, lambda namespace, _: namespace in (HDR_GAIN_MAP, APPLE_GAIN_MAP))


def without_video(xmp: bytes | None) -> bytes | None:
    """Return a packet that tells of nothing that follows the photo in its file."""
    if not xmp or not any(mark in xmp for mark in VIDEO_MARKS):
        return xmp
    return _without(xmp, {PRIMARY}, lambda namespace, name: namespace == CAMERA and name.startswith(VIDEO_NAMES))


def without_depth(xmp: bytes | None) -> tuple[bytes | None, bool]:
    """Return a packet without a depth map and the picture that belongs to it, and whether it had one."""
    if not xmp or not any(namespace.encode() in xmp for namespace in DEPTH):
        return xmp, False
    return _without(xmp, None, lambda namespace, _: namespace in DEPTH), True


def takes_promises(xmp: bytes | None) -> bool:
    """Tell whether `with_gain_map` can add to a packet."""
    return not xmp or CLOSING in xmp


def with_gain_map(xmp: bytes | None, video_bytes: int) -> bytes:
    """Return a packet that tells of a gain map that follows, and then of a video if it did so before.

    The length of the map is `LENGTH_TO_COME`, once.

    Source: Google, Ultra HDR image format v1.1.
    """
    items = [ENTRY % (PRIMARY, b"image/jpeg", b""), ENTRY % (b"GainMap", b"image/jpeg", b" " + LENGTH_TO_COME)]
    if video_bytes and VIDEO in MEANING.findall(xmp or b""):
        items.append(ENTRY % (VIDEO, b"video/mp4", b' Item:Length="%d"' % video_bytes))
    if xmp and CONTAINER.encode() in xmp:
        xmp = _without(xmp, None, lambda namespace, _: namespace == CONTAINER)
    if not xmp or CLOSING not in xmp:
        xmp = EMPTY
    about = ABOUT.search(xmp)
    names = (HDR_GAIN_MAP.encode(), CONTAINER.encode(), CONTAINER.encode())
    told = DIRECTORY % (about[0] if about else b'rdf:about=""', *names, b"".join(items))
    end = xmp.rindex(CLOSING)
    return xmp[:end] + told + xmp[end:]


def _without(xmp: bytes, kept_items: set[bytes] | None, is_dropped: Dropped) -> bytes | None:
    """Return a packet without properties, and without items of Google's container that are not kept.

    A container of the photo alone is left out too, and so is a packet that no program could read.
    """
    from enlighten_cli.photo.xmp import without  # on first use: Python's XML takes as long to import as Pillow

    meanings = set(MEANING.findall(xmp))
    if kept_items is not None and meanings - kept_items:
        xmp = ITEM.sub(lambda item: item[0] if _is_kept(item[0], kept_items) else b"", xmp)
    alone = kept_items is not None and not set(MEANING.findall(xmp)) - {PRIMARY}
    try:
        kept = without(xmp, lambda space, name: is_dropped(space, name) or (alone and space == CONTAINER))
    except ValueError:
        return None
    return NOTHING.sub(b"", kept) or None


def _is_kept(item: bytes, meanings: set[bytes]) -> bool:
    found = MEANING.search(item)
    return found is None or found[1] in meanings
