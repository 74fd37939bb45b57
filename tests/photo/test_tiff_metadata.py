"""Metadata into and out of TIFF files: bytes stay bytes, and places stay places."""

import io
import json
import shutil
import struct
import subprocess

import numpy as np
import pytest
from conftest import scene
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from samples import IPTC, deep_tiff, saved, structure, tags_of

from enlighten_cli.photo import Coding, Metadata, Photo, decode, encode
from enlighten_cli.photo.tiff_tree import read_tree, structure_of

TEXTS = ["Zoë Exämple, 日本".encode(), "Zoë".encode("latin-1"), b"plain", b"\xff\xfe\0\1"]
ASCII, SHORT, LONG, UNDEFINED = 2, 3, 4, 7
EXIF, GPS, INTEROP = 0x8769, 0x8825, 0xA005
MAKER_NOTE, USER_COMMENT, LENS = 0x927C, 0x9286, 0xA434


def block(order: str = "<", text: bytes = TEXTS[0]) -> bytes:
    """Build EXIF with texts, a comment in Unicode, an interoperability directory and a maker note that has offsets."""
    utf_16 = "日本語".encode("utf-16-le" if order == "<" else "utf-16-be")
    fields = {
        0x010E: (ASCII, text + b"\0"),
        0x8298: (ASCII, text + b"\0"),
        EXIF: {
            LENS: (ASCII, text + b"\0"),
            USER_COMMENT: (UNDEFINED, b"UNICODE\0" + utf_16),
            MAKER_NOTE: (UNDEFINED, b"note, 20 bytes long!"),
            INTEROP: {1: (ASCII, b"R98\0"), 2: (UNDEFINED, b"0100")},
        },
        GPS: {1: (ASCII, b"N\0"), 2: (5, struct.pack(order + "6L", 52, 1, 3, 1, 4, 1))},
    }
    return structure(fields, order)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("first", ["JPEG", "TIFF", "PNG"])
@pytest.mark.parametrize("second", ["JPEG", "TIFF"])
def test_text_of_exif_keeps_its_bytes(order, text, first, second):
    exif = block(order, text)
    there = decode(encode(Photo(scene(9, 9), first, metadata=Metadata(exif=exif))))
    kept = decode(encode(there, second)).metadata.exif
    assert tags_of(kept) == tags_of(exif)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
def test_a_tiff_file_begins_with_its_exif_in_which_nothing_moves(dtype, alpha, order, compression):
    exif = block(order)
    pixels = scene(20, 30).astype(dtype) / (255 if dtype == np.float32 else 1)
    photo = Photo(
        pixels.astype(dtype),
        "TIFF",
        alpha=pixels[..., 0].astype(dtype) if alpha else None,
        metadata=Metadata(exif=exif, iptc=IPTC, xmp=b"<x/>"),
        coding=Coding(tiff_compression=compression),
    )
    content = encode(photo)
    assert content[:4] == exif[:4]
    assert content[8 : len(exif)] == exif[8:]
    read = decode(content)
    np.testing.assert_array_equal(read.pixels, photo.pixels)
    if alpha:
        np.testing.assert_array_equal(read.alpha, photo.alpha)
    assert read.coding.tiff_compression == compression
    assert (read.metadata.iptc, read.metadata.xmp) == (IPTC, b"<x/>")
    assert tags_of(read.metadata.exif) == tags_of(exif)
    assert read.metadata.exif.index(b"note, 20") == exif.index(b"note, 20")
    if dtype == np.uint8:  # Pillow knows no colours of more bits
        with Image.open(io.BytesIO(content)) as image:
            np.testing.assert_array_equal(np.asarray(image)[..., :3], photo.pixels)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_in_strips_begins_with_its_exif(monkeypatch, order):
    from importlib import import_module

    monkeypatch.setattr(import_module("enlighten_cli.photo.encode"), "STRIPS_FROM_PIXELS", 0)
    exif = block(order)
    for dtype in (np.uint8, np.uint16, np.float32):
        photo = Photo(scene(600, 40).astype(dtype), "TIFF", metadata=Metadata(exif=exif, iptc=IPTC))
        content = encode(photo)
        assert content[8 : len(exif)] == exif[8:]
        read = decode(content)
        np.testing.assert_array_equal(read.pixels, photo.pixels)
        assert tags_of(read.metadata.exif) == tags_of(exif)
        assert read.metadata.iptc == IPTC


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("target", ["TIFF", "JPEG", "PNG"])
def test_iptc_that_a_tiff_file_keeps_as_numbers(order, swapped, target):
    """So write Adobe's programs and exiftool; some swap the bytes of each number."""
    records = IPTC + b"\x1c\x02\x19\0\3one"
    records += bytes(-len(records) % 4)
    written = b"".join(records[at : at + 4][::-1] for at in range(0, len(records), 4)) if swapped else records
    pixels = bytes(range(12))
    fields = {
        256: (SHORT, struct.pack(order + "H", 2)), 257: (SHORT, struct.pack(order + "H", 2)),
        258: (SHORT, struct.pack(order + "3H", 8, 8, 8)), 259: (SHORT, struct.pack(order + "H", 1)),
        262: (SHORT, struct.pack(order + "H", 2)), 273: (LONG, bytes(4)), 277: (SHORT, struct.pack(order + "H", 3)),
        278: (SHORT, struct.pack(order + "H", 2)), 279: (LONG, struct.pack(order + "L", 12)), 33723: (LONG, written),
    }  # fmt: skip
    place = len(structure(fields, order))
    content = structure(fields | {273: (LONG, struct.pack(order + "L", place))}, order) + pixels
    photo = decode(content)
    assert photo.pixels.tobytes() == pixels
    assert decode(encode(photo, target)).metadata.iptc == records


def test_a_bigtiff_is_read_and_written_as_a_classic_one():
    import tifffile

    buffer = io.BytesIO()
    text = TEXTS[0]
    with tifffile.TiffWriter(buffer, bigtiff=True) as writer:
        writer.write(scene(8, 8), photometric="rgb", extratags=[(33432, 1, len(text) + 1, text + b"\0", True)])
    assert buffer.getvalue()[2] == 43
    kept = tags_of(encode(decode(buffer.getvalue())))
    assert kept[33432][1] == text + b"\0"


def test_what_describes_another_picture_is_not_taken_over():
    exif = structure({256: (SHORT, b"\x09\0"), 273: (LONG, b"\1\0\0\0"), 0x0110: (ASCII, b"Camera\0")})
    photo = Photo(scene(6, 5), "TIFF", metadata=Metadata(exif=exif))
    content = encode(photo)
    assert tags_of(content)[256] == (SHORT, b"\5\0") or tags_of(content)[256] == (LONG, b"\5\0\0\0")
    np.testing.assert_array_equal(decode(content).pixels, photo.pixels)
    assert tags_of(decode(content).metadata.exif) == {0x0110: (ASCII, b"Camera\0")}


def test_a_manifest_in_a_tiff_file_is_left_out_and_that_is_said():
    content = deep_tiff(np.zeros((4, 4, 3), np.uint16), extratags=[(52545, 7, 8, b"jumbc2pa", True)])
    photo = decode(content)
    assert any("C2PA" in note for note in photo.notes)
    assert 52545 not in tags_of(encode(photo))


@given(st.binary(max_size=300), st.sampled_from([b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"IIU\0", b""]))
def test_any_bytes_are_read_or_refused(noise, head):
    try:
        order, tree = read_tree(io.BytesIO(head + noise))
    except ValueError:
        return
    again_order, again = read_tree(io.BytesIO(structure_of(tree, order)))
    assert again_order == order
    values = [{tag: (each.type, each.value) for _, tag, each in found.every()} for found in (tree, again)]
    assert values[0] == values[1]


@given(
    st.dictionaries(st.integers(1, 65535), st.tuples(st.sampled_from([1, 2, 7]), st.binary(min_size=1, max_size=40))),
    st.sampled_from("<>"),
)
def test_any_tree_is_read_as_it_was_written(fields, order):
    fields = {tag: value for tag, value in fields.items() if tag not in (EXIF, GPS, INTEROP)}
    read_order, tree = read_tree(io.BytesIO(structure(fields, order)))
    assert read_order == order
    assert tags_of(structure_of(tree, order)) == fields


def test_exiftool_reads_and_edits_what_is_written(tmp_path):
    exiftool = shutil.which("exiftool")
    if not exiftool:
        pytest.skip("exiftool is not installed")
    path = tmp_path / "a.tif"
    path.write_bytes(encode(Photo(scene(9, 9), "TIFF", metadata=Metadata(exif=block(">"), iptc=IPTC))))
    names = ["Copyright", "LensModel", "UserComment", "InteropIndex", "GPSLatitudeRef", "Warning"]
    command = [exiftool, "-json", *(f"-{name}" for name in names), path]
    (read,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    del read["SourceFile"]
    text = TEXTS[0].decode()
    expected = {"Copyright": text, "LensModel": text, "UserComment": "日本語", "GPSLatitudeRef": "North"}
    assert read == expected | {"InteropIndex": "R98 - DCF basic file (sRGB)"}
    edited = subprocess.run([exiftool, "-Artist=somebody", path], capture_output=True, check=True)
    assert b"1 image files updated" in edited.stdout
    assert decode(path.read_bytes()).metadata.iptc == IPTC


def test_a_maker_note_stays_where_it_was():
    exif = block(">")
    back = decode(saved(Image.new("RGB", (4, 4)), "JPEG", exif=b"Exif\0\0" + exif)).metadata.exif
    assert back == exif
    tiff = decode(encode(Photo(scene(4, 4), "TIFF", metadata=Metadata(exif=exif))))
    jpeg = decode(encode(tiff, "JPEG")).metadata.exif
    assert jpeg.index(b"note, 20") == exif.index(b"note, 20")


def test_text_in_an_avif_file_that_its_box_turns_keeps_its_bytes():
    text = TEXTS[0]
    plain = b"x" * len(text)  # Pillow would spoil another when it writes the file
    exif = structure({0x0112: (SHORT, b"\6\0"), 0x8298: (ASCII, plain + b"\0")})
    content = saved(Image.fromarray(scene(16, 24)), "AVIF", exif=b"Exif\0\0" + exif).replace(plain, text)
    photo = decode(content)
    assert photo.pixels.shape == (24, 16, 3)
    assert tags_of(photo.metadata.exif) == {0x8298: (ASCII, text + b"\0")}
    assert tags_of(decode(encode(photo)).metadata.exif) == {0x8298: (ASCII, text + b"\0")}
