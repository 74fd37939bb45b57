"""Turn what metadata say of places and sizes in the photo, when its pixels are turned upright."""

from __future__ import annotations

import re
from collections.abc import Callable

from enlighten_cli.photo.exif_patch import EXIF_DIRECTORY, INTEROPERABILITY_DIRECTORY, ExifBlock

SIDEWAYS = (5, 6, 7, 8)  # rows become columns
EXIF_WIDTH, EXIF_HEIGHT = 0xA002, 0xA003
RELATED_WIDTH, RELATED_HEIGHT = 0x1001, 0x1002
X_RESOLUTION, Y_RESOLUTION = 0x011A, 0x011B
FOCAL_X_RESOLUTION, FOCAL_Y_RESOLUTION = 0xA20E, 0xA20F
SUBJECT_AREA, SUBJECT_LOCATION = 0x9214, 0xA214
# Where a point of the stored photo is in the upright one; both coordinates from 0 to 1.
POINTS: dict[int, Callable[[float, float], tuple[float, float]]] = {
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (1 - y, x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (y, 1 - x),
}

Names = tuple[bytes, ...]


def _property(name: bytes) -> re.Pattern[bytes]:
    """Find a property of XMP, as attribute or element: what is before its value, and the value."""
    return re.compile(rb"(\b" + name + rb"""(?:\s*=\s*["']|>)\s*)([^"'<]*)""")


XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|>))\s*([2-8])(?!\d)""")
XMP_SIZES: tuple[tuple[bytes, bytes], ...] = (
    (b"exif:PixelXDimension", b"exif:PixelYDimension"),
    (b"tiff:ImageWidth", b"tiff:ImageLength"),
    (b"stDim:w", b"stDim:h"),
)
XMP_AREA = re.compile(rb"<mwg-rs:Area\b(?:[^<>]*/>|(?:(?!<mwg-rs:Area\b).)*?</mwg-rs:Area>)", re.DOTALL)
AREA_PROPERTIES = {name: _property(b"stArea:" + name) for name in (b"x", b"y", b"w", b"h")}
MICROSOFT_RECTANGLE = _property(b"MPReg:Rectangle")


def turn_exif(block: ExifBlock, orientation: int) -> None:
    """Turn sizes and the subject's place."""
    if orientation == 1:
        return
    size = [block.value(tag, EXIF_DIRECTORY) for tag in (EXIF_WIDTH, EXIF_HEIGHT)]
    for tag in (SUBJECT_AREA, SUBJECT_LOCATION):
        numbers = block.numbers(tag, EXIF_DIRECTORY)
        if not numbers:
            continue
        if len(numbers) not in (2, 3, 4) or not all(size):
            block.remove(tag, EXIF_DIRECTORY)  # where it is cannot be known
            continue
        width, height = (float(each or 0) for each in size)
        x, y = POINTS[orientation](min(1, numbers[0] / width), min(1, numbers[1] / height))
        extent = numbers[2:]
        if orientation in SIDEWAYS:
            (width, height), extent = (height, width), extent[::-1]
        block.set(tag, [round(x * width), round(y * height), *extent], EXIF_DIRECTORY)
    if orientation in SIDEWAYS:
        block.swap(EXIF_WIDTH, EXIF_HEIGHT, EXIF_DIRECTORY)
        block.swap(FOCAL_X_RESOLUTION, FOCAL_Y_RESOLUTION, EXIF_DIRECTORY)
        block.swap(RELATED_WIDTH, RELATED_HEIGHT, EXIF_DIRECTORY, INTEROPERABILITY_DIRECTORY)
        block.swap(X_RESOLUTION, Y_RESOLUTION)


def xmp_orientation(xmp: bytes) -> int:
    """Return the orientation that a packet tells, 1 to 8; 1 if it tells none."""
    found = XMP_ORIENTATION.search(xmp)
    return int(found[2]) if found else 1


def turned_xmp(xmp: bytes, orientation: int) -> bytes:
    """Return a packet with sizes and regions turned; an orientation in it is reset in any case."""
    xmp = XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
    if orientation == 1:
        return xmp
    if orientation in SIDEWAYS:
        for one, other in XMP_SIZES:
            xmp = _exchanged(xmp, _property(one), _property(other))
    xmp = XMP_AREA.sub(lambda area: _turned_area(area[0], orientation), xmp)
    return MICROSOFT_RECTANGLE.sub(lambda found: found[1] + _turned_rectangle(found[2], orientation), xmp)


def _exchanged(xmp: bytes, one: re.Pattern[bytes], other: re.Pattern[bytes]) -> bytes:
    """Exchange the values of two properties, wherever both occur as often."""
    first, second = ([found[2] for found in pattern.finditer(xmp)] for pattern in (one, other))
    if len(first) != len(second):
        return xmp
    for pattern, values in ((one, iter(second)), (other, iter(first))):
        xmp = pattern.sub(lambda found, values=values: found[1] + next(values), xmp)  # type: ignore[misc]
    return xmp


def _turned_area(area: bytes, orientation: int) -> bytes:
    """Turn a region of the Metadata Working Group: its middle and its extent, parts of the photo."""
    found = {name: pattern.search(area) for name, pattern in AREA_PROPERTIES.items()}
    if b"pixel" in area or not (found[b"x"] and found[b"y"]):
        return area
    values = {name: each[2] for name, each in found.items() if each}
    try:
        x, y = POINTS[orientation](float(values[b"x"]), float(values[b"y"]))
    except ValueError:
        return area
    values |= {b"x": _written(x), b"y": _written(y)}
    if orientation in SIDEWAYS and b"w" in values and b"h" in values:
        values[b"w"], values[b"h"] = values[b"h"], values[b"w"]
    for name, value in values.items():
        area = AREA_PROPERTIES[name].sub(lambda found, value=value: found[1] + value, area)  # type: ignore[misc]
    return area


def _turned_rectangle(text: bytes, orientation: int) -> bytes:
    """Turn a region as Microsoft writes it: left, top, width, height, parts of the photo."""
    try:
        left, top, width, height = (float(part) for part in text.split(b","))
    except ValueError:
        return text
    corners = [POINTS[orientation](left, top), POINTS[orientation](left + width, top + height)]
    (left, right), (top, bottom) = (sorted(each) for each in zip(*corners, strict=True))
    return b", ".join(_written(each) for each in (left, top, right - left, bottom - top))


def _written(number: float) -> bytes:
    return f"{number:.6f}".rstrip("0").rstrip(".").encode()
