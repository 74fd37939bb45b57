"""Find and remove places in a photo's metadata; docs/metadata.md lists them in words."""

from __future__ import annotations

import dataclasses
import re
import struct

from enlighten_cli.photo import photoshop
from enlighten_cli.photo.exif_patch import GPS_DIRECTORY, ExifBlock
from enlighten_cli.photo.jpeg_segments import kind_of, name_of
from enlighten_cli.photo.metadata import IPTC_TIFF_TAG, RAW_PROFILE, XMP_TIFF_TAG, Metadata
from enlighten_cli.photo.promises import without_video

# In any namespace, compared in lower case.
PLACE_BEGINNING = "gps"
PLACE_PARTS = ("latitude", "longitude", "longtitude", "altitude", "location", "coordinates", "geotag", "geohash")
PLACE_WORDS = {
    *("city", "county", "locality", "municipality", "province", "provincestate", "stateprovince", "worldregion"),
    *("country", "countrycode", "countryname", "highergeography"),
}
# Where a word is a place in one namespace only.
PLACES_BY_NAMESPACE = {
    "http://ns.adobe.com/photoshop/1.0/": {"state"},
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": {
        *("ciadrextadr", "ciadrcity", "ciadrregion", "ciadrpcode", "ciadrctry")  # the creator's address
    },
    "http://purl.org/dc/elements/1.1/": {"coverage"},
    "http://purl.org/dc/terms/": {"coverage", "spatial"},
    "http://www.w3.org/2003/01/geo/wgs84_pos#": {"lat", "long", "alt", "lat_long", "point"},
    "http://ns.adobe.com/xap/1.0/": {"thumbnails"},  # pictures with metadata of their own
}
PLACES_IN_PNG_TEXTS = {"state", "coverage", "spatial", "lat", "lon", "long", "alt", "geo", "place"}
HIDDEN_IN_PNG_TEXTS = re.compile(r"rdf:RDF|x:xmpmeta|GPS ?(L|Pos|Coord)", re.IGNORECASE)  # dumps of other metadata
IPTC_MARK, IPTC_PHOTO = 0x1C, 2
IPTC_LONG = 0x8000  # in a size: it is the size of the size
IPTC_PLACES = {
    26, 27,  # content location: code, name
    90, 92, 95, 100, 101,  # city, sublocation, province or state, country: code, name
}  # fmt: skip
EXIF_PLACES = frozenset(
    (
        GPS_DIRECTORY,
        33550, 33922, 34264, 34735, 34736, 34737, 42112, 50844,  # GeoTIFF, GDAL
        XMP_TIFF_TAG, IPTC_TIFF_TAG, 34377,  # second copies of other metadata
    )
)  # fmt: skip


def without_location(metadata: Metadata) -> tuple[Metadata, tuple[str, ...]]:
    """Remove places; metadata that cannot be searched for them are removed whole.

    Returns
    -------
    Metadata
    tuple of str
        What was removed whole, as messages for the user.
    """
    notes = []
    exif = packet = None
    if metadata.exif:
        try:
            block = ExifBlock(metadata.exif)
            block.drop_thumbnail()
            exif = block.without(EXIF_PLACES)
        except ValueError as error:
            notes.append(f"its EXIF cannot be searched for places and is left out: {error}")
    if metadata.xmp:
        from enlighten_cli.photo import xmp  # on first use: Python's XML takes as long to import as Pillow

        try:
            packet = xmp.without(metadata.xmp, is_place) or None
        except ValueError as error:
            notes.append(f"its XMP cannot be searched for places and is left out: {error}")
    if metadata.trailer:
        packet = without_video(packet)
        notes.append(
            f"what follows it in its file cannot be searched for places and is left out: {kind_of(metadata.trailer)}"
        )
    if metadata.segments:
        names = ", ".join(sorted({name_of(content) for _, content in metadata.segments}))
        notes.append(f"data of other programs cannot be searched for places and are left out: {names}")
    stripped = dataclasses.replace(
        metadata,
        exif=exif,
        xmp=packet,
        iptc=_iptc_without_location(metadata.iptc) or None if metadata.iptc else None,
        resources=photoshop.without_places(metadata.resources or b""),
        segments=(),
        trailer=b"",
        text=tuple((keyword, value) for keyword, value in metadata.text if not _text_is_place(keyword, value)),
    )
    return stripped, tuple(notes)


def is_place(namespace: str, name: str) -> bool:
    """Tell whether a property of XMP names a place."""
    word = name.lower()
    return (
        word.startswith(PLACE_BEGINNING)
        or any(part in word for part in PLACE_PARTS)
        or word in PLACE_WORDS
        or word in PLACES_BY_NAMESPACE.get(namespace, ())
    )


def _text_is_place(keyword: str, value: str) -> bool:
    """Tell whether a PNG's text says where; profiles that were not understood may."""
    if keyword.lower().startswith(RAW_PROFILE):
        return True
    word = re.sub(r"[\s_.-]", "", keyword.lower().rpartition(":")[2])
    return is_place("", word) or word in PLACES_IN_PNG_TEXTS or HIDDEN_IN_PNG_TEXTS.search(value) is not None


def _iptc_without_location(records: bytes) -> bytes:
    """Copy the records that can be read and are no places."""
    kept = []
    place = 0
    while place + 5 <= len(records) and records[place] == IPTC_MARK:
        record, number, size = struct.unpack_from(">BBH", records, place + 1)
        start = place + 5
        if size & IPTC_LONG:
            digits = size & ~IPTC_LONG
            size = int.from_bytes(records[start : start + digits], "big")
            start += digits
        stop = start + size
        if stop > len(records):
            break
        if record != IPTC_PHOTO or number not in IPTC_PLACES:
            kept.append(records[place:stop])
        place = stop
    return b"".join(kept)
