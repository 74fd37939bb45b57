"""Colour spaces that a file tells by numbers instead of an ICC profile; they become profiles, which every format holds.

Source: ITU-T H.273 (the numbers of nclx boxes and cICP chunks), ISO/IEC 14496-12 (colr), the PNG specification, 3rd
edition (the order of precedence of chunks).
"""

from __future__ import annotations

import struct
from itertools import takewhile
from typing import TYPE_CHECKING, BinaryIO

from enlighten_cli.errors import FormatError
from enlighten_cli.photo.file_parts import content_of_part, parts_of, tables_of
from enlighten_cli.photo.icc import HDR_TRANSFERS, Primaries, profile_of

if TYPE_CHECKING:
    from PIL import Image

D65, C, DCI = (0.3127, 0.329), (0.31, 0.316), (0.314, 0.351)
SRGB, UNSPECIFIED = 1, 2
PRIMARIES = {
    SRGB: Primaries((0.64, 0.33), (0.3, 0.6), (0.15, 0.06), D65),
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), C),
    5: Primaries((0.64, 0.33), (0.29, 0.6), (0.15, 0.06), D65),
    6: Primaries((0.63, 0.34), (0.31, 0.595), (0.155, 0.07), D65),
    7: Primaries((0.63, 0.34), (0.31, 0.595), (0.155, 0.07), D65),
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), C),
    9: Primaries((0.708, 0.292), (0.17, 0.797), (0.131, 0.046), D65),
    11: Primaries((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), DCI),
    12: Primaries((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), D65),
    22: Primaries((0.63, 0.34), (0.295, 0.605), (0.155, 0.077), D65),
}
NAMES = {SRGB: "sRGB", 9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
# Video's curves are shown as sRGB's by browsers and viewers, which is what these photos were made for.
SRGB_TRANSFERS = (1, UNSPECIFIED, 6, 7, 11, 12, 13, 14, 15)
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}
GREY_MODES = ("1", "L", "LA", "I;16", "I")
PNG_UNIT = 100_000
ORDINARY_GAMMA, NEAR = 2.2, 0.01
GAMMA_RANGE = (0.1, 10.0)
NEAR_XY = 0.002
HDR_REFUSED = (
    "its colours are coded for HDR ({}), which cannot be kept; save it as an ordinary photo (SDR) where it was made"
)
UNKNOWN = "its colour space (number {} of ITU-T H.273) is not known: treated as sRGB"


def told_profile(image: Image.Image, file: BinaryIO, kind: str, notes: list[str]) -> bytes | None:
    """Return the colour space of a file as a profile; its own profile where it has one, None for sRGB.

    Parameters
    ----------
    image : Image
        The file as Pillow opened it.
    file : binary file
    kind : str
        Its format.
    notes : list of str
        What is not known is added, as messages for the user.

    Raises
    ------
    FormatError
        If it is coded for HDR, and no profile says how an ordinary screen shows it.
    """
    own = image.info.get("icc_profile") or None
    is_grey = image.mode in GREY_MODES
    if kind in ("AVIF", "HEIF") and own is None:
        return _of_codes(_nclx(tables_of(file, kind)), None, is_grey, notes)
    if kind == "PNG":
        names = takewhile(lambda part: part.name != b"IDAT", parts_of(file, kind))
        chunks = {
            part.name: content_of_part(file, part, 32)
            for part in names
            if part.name in (b"cICP", b"sRGB", b"gAMA", b"cHRM")
        }
        if len(chunks.get(b"cICP", b"")) == 4:
            return _of_codes(tuple(chunks[b"cICP"][:2]), own, is_grey, notes)
        if own is None and b"sRGB" not in chunks:
            return _of_chunks(chunks, is_grey)
    return own


def _of_codes(codes: tuple[int, ...] | None, own: bytes | None, is_grey: bool, notes: list[str]) -> bytes | None:
    """Return a profile of the numbers of primaries and transfer."""
    if codes is None:
        return own
    primaries, transfer = codes
    if transfer in HDR_TRANSFERS:
        if own is None:
            raise FormatError(HDR_REFUSED.format("PQ" if transfer == HDR_TRANSFERS[0] else "HLG"))
        return own
    if primaries == UNSPECIFIED and transfer == UNSPECIFIED:
        return own
    for number, is_known in (
        (primaries, primaries in PRIMARIES or primaries == UNSPECIFIED),
        (transfer, transfer in SRGB_TRANSFERS or transfer in GAMMAS),
    ):
        if not is_known:
            if own is None:
                notes.append(UNKNOWN.format(number))
            return own
    primaries = SRGB if primaries == UNSPECIFIED or is_grey else primaries
    gamma = GAMMAS.get(transfer)
    if primaries == SRGB and gamma is None:
        return None
    name = NAMES.get(primaries, f"H.273 primaries {primaries}")
    return profile_of(_name(name, gamma), None if is_grey else PRIMARIES[primaries], gamma)


def _of_chunks(chunks: dict[bytes, bytes], is_grey: bool) -> bytes | None:
    """Return a profile of a PNG's gamma and chromaticities; what makes no sense is not told."""
    gamma, primaries = None, PRIMARIES[SRGB]
    if len(told := chunks.get(b"gAMA", b"")) == 4 and (number := struct.unpack(">L", told)[0]):
        gamma = PNG_UNIT / number if GAMMA_RANGE[0] <= PNG_UNIT / number <= GAMMA_RANGE[1] else None
    if len(told := chunks.get(b"cHRM", b"")) == 32 and not is_grey:
        numbers = [number / PNG_UNIT for number in struct.unpack(">8L", told)]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        primaries = Primaries(points[1], points[2], points[3], points[0])
    is_srgb = all(
        abs(one - other) <= NEAR_XY
        for point, like in zip(primaries, PRIMARIES[SRGB], strict=True)
        for one, other in zip(point, like, strict=True)
    )
    if is_srgb and (gamma is None or abs(gamma - ORDINARY_GAMMA) <= NEAR):
        return None
    try:
        return profile_of(_name("sRGB" if is_srgb else "PNG's", gamma), None if is_grey else primaries, gamma)
    except ValueError:
        return None


def _name(space: str, gamma: float | None) -> str:
    return space if gamma is None else "linear " + space if gamma == 1 else f"{space} primaries, gamma {gamma:.4g}"


def _nclx(tables: bytes) -> tuple[int, int] | None:
    """Return the numbers of primaries and transfer that are told of the main picture.

    A file's pictures share a list of properties (ipco); the main one (pitm) refers to some of it by number (ipma).
    """
    try:
        return _nclx_of_main(tables)
    except (struct.error, ValueError, IndexError):
        return None


def _nclx_of_main(tables: bytes) -> tuple[int, int] | None:
    place = tables.index(b"pitm") + 4
    main = struct.unpack_from(">L" if tables[place] else ">H", tables, place + 4)[0]
    place = tables.index(b"ipco") - 4
    properties, stop = [], place + struct.unpack_from(">L", tables, place)[0]
    place += 8
    while place + 8 <= stop:
        (size,) = struct.unpack_from(">L", tables, place)
        if size < 8:
            break
        properties.append(tables[place + 4 : place + size])
        place += size
    place = tables.index(b"ipma", stop) + 4
    version, is_wide = tables[place], tables[place + 3] & 1
    (count,) = struct.unpack_from(">L", tables, place + 4)
    place += 8
    for _ in range(count):
        layout = ">L" if version else ">H"
        (item,) = struct.unpack_from(layout, tables, place)
        place += struct.calcsize(layout)
        wanted, place = tables[place], place + 1
        numbers = struct.unpack_from(f">{wanted}{'H' if is_wide else 'B'}", tables, place)
        place += wanted * (2 if is_wide else 1)
        if item != main:
            continue
        for number in numbers:
            told = properties[(number & (0x7FFF if is_wide else 0x7F)) - 1]
            if told.startswith(b"colrnclx"):
                return struct.unpack_from(">HH", told, 8)
    return None
