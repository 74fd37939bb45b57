"""What metadata say of sizes and places follows the pixels when they are turned upright."""

import io
import re
import struct

import numpy as np
import pytest
from conftest import scene
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from samples import XMP, saved, structure, tags_of, with_segments

from enlighten_cli.photo import Metadata, decode, encode
from enlighten_cli.photo.turned import POINTS
from enlighten_cli.photo.upright import UPRIGHT

EXIF, INTEROP, WIDTH, HEIGHT, AREA, LOCATION = 0x8769, 0xA005, 0xA002, 0xA003, 0x9214, 0xA214
SIZE = (40, 20)  # width, height
SPOT = (30, 4, 8, 6)  # middle, width, height


def shorts(*numbers: int, order: str = "<") -> tuple[int, bytes]:
    return 3, struct.pack(f"{order}{len(numbers)}H", *numbers)


def exif(orientation: int, order: str = "<", area: tuple[int, ...] = SPOT) -> bytes:
    def field(*numbers: int) -> tuple[int, bytes]:
        return shorts(*numbers, order=order)

    inner = {
        WIDTH: field(SIZE[0]), HEIGHT: (4, struct.pack(order + "L", SIZE[1])), AREA: field(*area),
        LOCATION: field(*area[:2]), INTEROP: {0x1001: field(SIZE[0]), 0x1002: field(SIZE[1])},
    }  # fmt: skip
    return structure({0x0112: field(orientation), EXIF: inner}, order)


def numbers(field: tuple[int, bytes], order: str = "<") -> list[int]:
    kind, content = field
    size = {3: 2, 4: 4}[kind]
    return [*struct.unpack(f"{order}{len(content) // size}{'H' if size == 2 else 'L'}", content)]


def spotted() -> Image.Image:
    """Draw a white spot on black."""
    x, y, width, height = SPOT
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    pixels[y - height // 2 : y + height // 2, x - width // 2 : x + width // 2] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_subject_stays_in_its_area(orientation, order):
    content = saved(spotted(), "PNG", exif=b"Exif\0\0" + exif(orientation, order))
    photo = decode(content)
    tags = tags_of(photo.metadata.exif)[EXIF]
    assert numbers(tags[WIDTH], order) == [photo.width]
    assert numbers(tags[HEIGHT], order) == [photo.height]
    assert numbers(tags[INTEROP][0x1001], order) == [photo.width]
    x, y, width, height = numbers(tags[AREA], order)
    inside = photo.pixels[y - height // 2 : y + height // 2, x - width // 2 : x + width // 2]
    assert inside.size == photo.pixels[photo.pixels == 255].size
    assert inside.min() == 255
    assert numbers(tags[LOCATION], order) == [x, y]


def test_a_subject_in_a_photo_of_unknown_size_is_left_out():
    content = structure({0x0112: shorts(6), EXIF: {AREA: shorts(*SPOT), 0x9003: (2, b"2020\0")}})
    assert tags_of(Metadata(exif=content).upright().exif) == {EXIF: {0x9003: (2, b"2020\0")}}
    upright = structure({0x0112: shorts(1), EXIF: {AREA: shorts(*SPOT)}})
    assert tags_of(Metadata(exif=upright).upright().exif) == {EXIF: {AREA: shorts(*SPOT)}}


REGIONS = {
    "attributes": '<mwg-rs:Area stArea:x="0.75" stArea:y="0.2" stArea:w="0.2" stArea:h="0.3"'
    ' stArea:unit="normalized"/>',
    "elements": "<mwg-rs:Area rdf:parseType='Resource'><stArea:x>0.75</stArea:x><stArea:y>0.2</stArea:y>"
    "<stArea:w>0.2</stArea:w>\n<stArea:h>0.3</stArea:h><stArea:unit>normalized</stArea:unit></mwg-rs:Area>",
}


@pytest.mark.parametrize("form", REGIONS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_face_regions_stay_on_the_faces(orientation, form):
    packet = (
        f'<x><mwg-rs:Regions><mwg-rs:AppliedToDimensions stDim:w="40" stDim:h="20" stDim:unit="pixel"/>'
        f"{REGIONS[form]}</mwg-rs:Regions><exif:PixelXDimension>40</exif:PixelXDimension>"
        f'<exif:PixelYDimension>20</exif:PixelYDimension><a MPReg:Rectangle="0.65, 0.05, 0.2, 0.3"/></x>'
    ).encode()
    jpeg = with_segments(
        saved(spotted(), "JPEG", quality=95, exif=b"Exif\0\0" + exif(orientation)),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet),
    )
    photo = decode(jpeg)
    kept = photo.metadata.xmp.decode()

    def value(name: str) -> float:
        return float(re.search(rf"{name}(?:=\"|>)([^\"<]*)", kept)[1])

    assert (value("stDim:w"), value("stDim:h")) == (photo.width, photo.height)
    assert (value("exif:PixelXDimension"), value("exif:PixelYDimension")) == (photo.width, photo.height)
    left, top, width, height = map(float, re.search('Rectangle="([^"]*)', kept)[1].split(","))
    for x, y, w, h in (
        tuple(value(f"stArea:{name}") for name in "xywh"),
        (left + width / 2, top + height / 2, width, height),
    ):
        middle = photo.pixels[int(y * photo.height), int(x * photo.width)]
        assert middle.min() > 200
        assert (w * photo.width, h * photo.height) == pytest.approx((8, 6) if photo.width == 40 else (6, 8))


@pytest.mark.parametrize("packet", [b"\xff\xfe<\0x\0", b'<mwg-rs:Area stArea:x="a" stArea:y="1"/>', b"stDim:w='1'"])
def test_what_is_not_understood_stays(packet):
    assert Metadata(exif=exif(6), xmp=packet).upright().xmp == packet


@given(st.integers(1, 8), st.floats(0, 1), st.floats(0, 1))
def test_points_follow_pixels(orientation, x, y):
    pixels = np.zeros((21, 41))
    row, column = min(20, int(y * 21)), min(40, int(x * 41))
    pixels[row, column] = 1
    turned = UPRIGHT[orientation](pixels)
    (there,) = np.argwhere(turned)
    across, down = POINTS[orientation]((column + 0.5) / 41, (row + 0.5) / 21)
    assert (int(down * turned.shape[0]), int(across * turned.shape[1])) == tuple(there)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_turned_as_pillow_turns(orientation):
    image = Image.open(io.BytesIO(saved(spotted(), "PNG", exif=b"Exif\0\0" + exif(orientation))))
    other = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(decode(saved(spotted(), "PNG", exif=b"Exif\0\0" + exif(orientation))).pixels, other)


@given(st.binary(max_size=300))
def test_damaged_exif_is_turned_or_dropped(noise):
    for orientation in (6, 8):
        content = structure({0x0112: shorts(orientation), EXIF: {AREA: shorts(*SPOT)}})
        damaged = content[:30] + noise
        upright = Metadata(exif=damaged).upright().exif
        assert upright is None or len(upright) == len(damaged)


@pytest.mark.parametrize("form", [b'tiff:Orientation="6"', b"<tiff:Orientation>6</tiff:Orientation>"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_an_orientation_in_xmp_alone_turns_the_pixels(format, form):
    xmp = XMP if form.startswith(b"tiff") else XMP.replace(b' tiff:Orientation="6"', b"").replace(
        b'dc:creator="somebody"/>', b'dc:creator="somebody">' + form + b"</rdf:Description>"
    )  # fmt: skip
    pixels = scene(24, 40, exposure=0.8)
    options = {"pnginfo": _itxt(xmp)} if format == "PNG" else {"xmp": xmp}
    if format == "TIFF":
        options = {"tiffinfo": {700: xmp}}
    content = saved(Image.fromarray(pixels), format, **options)
    photo = decode(content)
    assert photo.pixels.shape == (40, 24, 3)
    assert photo.metadata.orientation == 1
    assert np.abs(photo.pixels.astype(int) - np.rot90(pixels, -1)).mean() < 12
    again = decode(encode(photo))
    assert again.pixels.shape == (40, 24, 3)


def test_exif_comes_before_xmp():
    content = saved(Image.fromarray(scene(24, 40)), "JPEG", exif=b"Exif\0\0" + exif(1), xmp=XMP)
    assert decode(content).pixels.shape == (24, 40, 3)


def _itxt(xmp: bytes):
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return chunks
