"""What stands anywhere in a file and is left out, is named."""

import struct
import zlib

import pytest
from PIL import Image
from samples import saved

from enlighten_cli.photo import decode

GREY = Image.new("RGB", (8, 8), "grey")


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">L4s", len(content) + 8, name) + content


@pytest.mark.parametrize(
    ("mark", "note"),
    [
        (b"urn:mpeg:hevc:2015:auxid:2", "depth map"),
        (b"urn:com:apple:photo:2020:aux:hdrgainmap", "gain map"),
        (b"infe\2\0\0\0\0\1\0\0tmap", "gain map"),
        (b"jumbc2pa", "C2PA"),
    ],
)
def test_boxes_behind_the_pixels_are_seen(mark, note):
    content = saved(GREY, "AVIF")
    assert decode(content).notes == ()
    filling = box(b"free", bytes(400_000))
    assert any(note in each for each in decode(content + filling + box(b"uuid", bytes(16) + mark)).notes)


def test_words_in_a_box_are_no_maps():
    assert decode(saved(GREY, "AVIF") + box(b"uuid", bytes(16) + b"a bitmap; made by c2pa")).notes == ()


def test_chunks_behind_the_pixels_are_seen():
    png = saved(GREY, "PNG")
    body = b"caBX" + bytes(300_000)
    manifest = struct.pack(">L", len(body) - 4) + body + struct.pack(">L", zlib.crc32(body))
    assert any("C2PA" in note for note in decode(png[:-12] + manifest + png[-12:]).notes)
    webp = saved(GREY, "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
    longer = webp + b"C2PA" + struct.pack("<L", 4) + b"jumb"
    longer = longer[:4] + struct.pack("<L", len(longer) - 8) + longer[8:]
    assert any("C2PA" in note for note in decode(longer).notes)


def test_the_other_pictures_of_an_animation_are_named():
    for format in ("PNG", "WEBP"):
        animated = saved(GREY, format, save_all=True, append_images=[Image.new("RGB", (8, 8))])
        assert any("first of its 2 pictures" in note for note in decode(animated).notes)


def test_the_animation_of_a_jpeg_xl_file_is_named():
    """The header's bits: a size of 8 x 8; fields: not all as usual, further ones, upright, no other size or preview."""
    pytest.importorskip("pillow_jxl")
    import io

    from enlighten_cli.photo.jxl import jxl_is_animated

    def head(*bits: int) -> bytes:
        number = sum(bit << place for place, bit in enumerate(bits))
        return b"\xff\x0a" + number.to_bytes(8, "little")

    size = (1, 0, 0, 0, 0, 0, 1, 0, 0)
    assert jxl_is_animated(io.BytesIO(head(*size, 0, 1, 0, 0, 0, 0, 0, 1)))
    assert not jxl_is_animated(io.BytesIO(head(*size, 0, 1, 0, 0, 0, 0, 0, 0)))
    assert not jxl_is_animated(io.BytesIO(head(*size, 1, 1, 1, 1, 1, 1, 1, 1)))
    assert not jxl_is_animated(io.BytesIO(saved_jxl()))


def test_the_gain_map_of_a_jpeg_xl_file_is_named():
    pytest.importorskip("pillow_jxl")
    codestream = saved_jxl()
    container = codestream
    if not codestream.startswith(b"\0\0\0\x0cJXL "):
        head = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
        container = head + box(b"jxlc", codestream)
    assert not any("gain map" in note for note in decode(container).notes)
    assert any("gain map" in note for note in decode(container + box(b"jhgm", bytes(30))).notes)


def saved_jxl() -> bytes:
    import pillow_jxl  # noqa: F401 - adds the format to Pillow

    return saved(GREY, "JXL")
