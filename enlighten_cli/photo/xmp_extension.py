"""XMP that is too long for a segment of a JPEG: its second part, in segments of its own.

Source: Adobe, XMP Specification Part 3 (2020), 1.1.3.1.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections import defaultdict

PREFIX = b"http://ns.adobe.com/xmp/extension/\0"
NAMESPACE = b"http://ns.adobe.com/xmp/note/"
DIGEST_BYTES = 32
PART_BYTES = 65_000
MOST_BYTES = 128 << 20
# Bounded, so that no packet takes time proportional to the square of its size.
POINTER = re.compile(rb"""xmpNote:HasExtendedXMP\s{0,9}=\s{0,9}(?:"[^"]{0,99}"|'[^']{0,99}')""")
POINTER_ELEMENT = re.compile(rb"<xmpNote:HasExtendedXMP>[^<]{0,99}</xmpNote:HasExtendedXMP>")
OPENING = re.compile(rb"<rdf:RDF\b([^<>]*)>")
CLOSING = b"</rdf:RDF"
EMPTY = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmpNote="%s" xmpNote:HasExtendedXMP="%s"/></rdf:RDF></x:xmpmeta>'
)
POINTER_ALONE = re.compile(re.escape(EMPTY).replace(b"%s", b'[^"]*'))


def assembled(segments: list[bytes]) -> bytes | None:
    """Put the parts of the second packet together; empty if a part is missing, None if there is no part.

    Parameters
    ----------
    segments : list of bytes
        Without `PREFIX`: digest, length of the whole, place of the part, the part.
    """
    parts: defaultdict[tuple[bytes, int], dict[int, bytes]] = defaultdict(dict)
    for each in segments:
        if len(each) >= DIGEST_BYTES + 8:
            size, place = struct.unpack_from(">LL", each, DIGEST_BYTES)
            parts[each[:DIGEST_BYTES], size][place] = each[DIGEST_BYTES + 8 :]
    for (_, size), found in parts.items():
        whole = b"".join(found[place] for place in sorted(found))
        if len(whole) == size and all(whole.startswith(part, place) for place, part in found.items()):
            return whole
    return b"" if segments else None


def merged(xmp: bytes, extension: bytes) -> bytes | None:
    """Return one packet of both; None if they are not written as programs write them."""
    if not xmp or POINTER_ALONE.fullmatch(xmp):
        return extension or None
    found = OPENING.search(extension)
    stop, end = extension.rfind(CLOSING), xmp.rfind(CLOSING)
    if not found or stop < found.end() or end < 0:
        return None
    declared = re.findall(rb"""xmlns:[\w.-]+\s*=\s*(?:"[^"]*"|'[^']*')""", found[1])
    if any(each.split(b"=")[0].strip() != b"xmlns:rdf" for each in declared):
        return None  # the descriptions need what is declared around them
    return without_pointer(xmp[:end] + extension[found.end() : stop] + xmp[end:])


def without_pointer(xmp: bytes | None) -> bytes | None:
    """Return a packet that does not tell of a second part."""
    return POINTER_ELEMENT.sub(b"", POINTER.sub(b"", xmp)) if xmp else xmp


def split(xmp: bytes) -> tuple[bytes, list[bytes]]:
    """Return a short packet that points to the whole one, and the contents of the segments that hold that."""
    digest = hashlib.md5(xmp, usedforsecurity=False).hexdigest().upper().encode()
    parts = [
        PREFIX + digest + struct.pack(">LL", len(xmp), start) + xmp[start : start + PART_BYTES]
        for start in range(0, len(xmp), PART_BYTES)
    ]
    return EMPTY % (NAMESPACE, digest), parts
