"""What a JPEG carries beside EXIF: kept byte for byte, or named where it is left out."""

import hashlib
import io
import struct

import numpy as np
import pytest
from conftest import scene
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from samples import IPTC, XMP, exif, saved, structure, tags_of, with_segments

from enlighten_cli.photo import Metadata, Photo, Strip, cannot_hold, decode, encode
from enlighten_cli.photo.jpeg_segments import end_of, read_parts, segments_of
from enlighten_cli.photo.photoshop import resources_of
from enlighten_cli.photo.promises import without_pictures
from enlighten_cli.photo.turned import turned_xmp
from enlighten_cli.photo.xmp_extension import merged

PLAIN = saved(Image.fromarray(scene(16, 24)), "JPEG")
VIDEO = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 3
CLIPPING_PATH, COPYRIGHT_FLAG, THUMBNAIL = 2000, 0x040A, 0x040C
OTHER_PROGRAM = (0xE1, b"FLIR\0\1\0\0" + bytes(range(200)))
MOTION = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"'
    b' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"'
    b' xmlns:Container="http://ns.google.com/photos/1.0/container/"'
    b' xmlns:Item="http://ns.google.com/photos/1.0/container/item/"'
    b' GCamera:MotionPhoto="1" GCamera:MicroVideoOffset="780" hdrgm:Version="1.0" dc:creator="somebody">'
    b'<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary"/></rdf:li>'
    b'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Length="9"/></rdf:li>'
    b'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="MotionPhoto" Item:Length="780"/></rdf:li>'
    b"</rdf:Seq></Container:Directory></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def xmp_segment(packet: bytes) -> tuple[int, bytes]:
    return 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet


def resource(number: int, content: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHL", number, 0, len(content)) + content + bytes(len(content) % 2)


def photoshop(content: bytes) -> tuple[int, bytes]:
    return 0xED, b"Photoshop 3.0\0" + content


def segment_contents(jpeg: bytes, marker: int) -> list[bytes]:
    return [content for each, content in segments_of(jpeg) if each == marker]


def test_all_comments_are_kept_as_they_are():
    comments = [b"first \xff\xfe", b"second", b""]
    jpeg = with_segments(PLAIN, *((0xFE, each) for each in comments))
    assert segment_contents(encode(decode(jpeg)), 0xFE) == comments


def test_photoshops_resources_are_kept_but_for_pictures_of_the_dark_photo():
    kept = resource(COPYRIGHT_FLAG, b"\1") + resource(CLIPPING_PATH, b"a path") + resource(0x040B, b"https://a.b")
    jpeg = with_segments(PLAIN, photoshop(resource(THUMBNAIL, b"dark") + kept + resource(0x0404, IPTC)))
    photo = decode(jpeg)
    assert photo.metadata.resources == kept
    for target in ("JPEG", "TIFF", "PNG"):
        there = decode(encode(photo, target))
        assert (there.metadata.resources, there.metadata.iptc) == (kept, IPTC)
        assert decode(encode(there, "JPEG")).metadata.resources == kept
    assert any("Photoshop" in note for note in cannot_hold(photo, "WEBP"))
    assert photo.notes == ()


def test_clipping_paths_of_a_turned_photo_are_left_out_and_named():
    turned = with_segments(
        PLAIN,
        (0xE1, b"Exif\0\0" + exif(6)),
        photoshop(resource(COPYRIGHT_FLAG, b"\1") + resource(CLIPPING_PATH, b"ab")),
    )
    photo = decode(turned)
    assert photo.metadata.resources == resource(COPYRIGHT_FLAG, b"\1")
    assert any("clipping paths" in note for note in photo.notes)


def test_resources_in_two_segments_are_joined():
    records = IPTC * 9000  # longer than a segment
    whole = resource(0x0404, records)
    photo = decode(with_segments(PLAIN, photoshop(whole[:60_000]), photoshop(whole[60_000:])))
    assert photo.metadata.iptc == records
    again = encode(photo)
    assert len(segment_contents(again, 0xED)) == 2
    assert decode(again).metadata.iptc == records


def test_data_of_other_programs_are_kept_or_named():
    photo = decode(with_segments(PLAIN, OTHER_PROGRAM))
    assert segment_contents(encode(photo), 0xE1) == [OTHER_PROGRAM[1]]
    assert any("FLIR" in note for note in cannot_hold(photo, "PNG"))
    turned = decode(with_segments(PLAIN, OTHER_PROGRAM, (0xE1, b"Exif\0\0" + exif(6))))
    assert turned.metadata.segments == ()
    assert any("FLIR" in note for note in turned.notes)
    without_places = photo.stripped(Strip.GPS)
    assert without_places.metadata.segments == ()
    assert any("FLIR" in note for note in without_places.notes)


def test_the_video_of_a_motion_photo_is_kept_and_xmp_promises_nothing_else():
    photo = decode(with_segments(PLAIN, xmp_segment(MOTION), behind=VIDEO))
    result = encode(photo)
    assert result.endswith(VIDEO)
    assert result[: -len(VIDEO)].endswith(b"\xff\xd9")
    assert b'MotionPhoto="1"' in decode(result).metadata.xmp
    assert b"GainMap" not in result
    assert b"hdrgm:Version" not in result
    assert b'"MotionPhoto"' in result
    assert any("gain map" in note for note in photo.notes)
    png = encode(photo, "PNG")
    assert any("video" in note for note in cannot_hold(photo, "PNG"))
    assert b"MotionPhoto" not in png
    assert b"MicroVideo" not in png
    assert b"Container:Item " not in png
    assert b'dc:creator="somebody"' in png
    nowhere = photo.stripped(Strip.GPS)
    assert not encode(nowhere).endswith(VIDEO)
    assert b"MotionPhoto" not in encode(nowhere)
    assert any("video" in note for note in nowhere.notes)
    assert encode(photo.stripped(Strip.ALL)).endswith(b"\xff\xd9")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_large_photos_video_follows_too(progressive):
    jpeg = saved(Image.fromarray(scene(1100, 1000)), "JPEG", progressive=progressive)
    result = encode(decode(jpeg + VIDEO))
    assert result.endswith(b"\xff\xd9" + VIDEO)


def test_a_gain_map_behind_long_segments_is_named():
    gain_map = with_segments(PLAIN, xmp_segment(b'<x hdrgm:Version="1.0"/>'))
    filling = [(0xE4, bytes(60_000))] * 8
    notes = decode(with_segments(PLAIN, *filling, behind=bytes(5) + gain_map)).notes
    assert any("gain map" in note for note in notes)
    assert not any("pictures" in note for note in notes)
    two = decode(with_segments(PLAIN, behind=gain_map + PLAIN)).notes
    assert any("first of its 2 pictures" in note for note in two)


def test_a_manifest_behind_long_segments_is_named():
    filling = [(0xE4, bytes(60_000))] * 8
    photo = decode(with_segments(PLAIN, *filling, (0xEB, b"JP\0\1\0\0\0\1jumbc2pa"), (0xEB, b"JP\0\1\0\0\0\2more")))
    assert any("C2PA" in note for note in photo.notes)
    assert segment_contents(encode(photo), 0xEB) == []


def extended(packet: bytes, extension: bytes) -> bytes:
    """Write XMP in two parts, the second backwards in segments of 100 bytes, as the specification allows."""
    digest = hashlib.md5(extension).hexdigest().upper().encode()
    pointed = packet.replace(b"dc:creator", b'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="'
                             + digest + b'" dc:creator')  # fmt: skip
    prefix = b"http://ns.adobe.com/xmp/extension/\0" + digest
    parts = [
        (0xE1, prefix + struct.pack(">LL", len(extension), at) + extension[at : at + 100])
        for at in range(0, len(extension), 100)
    ]
    return with_segments(PLAIN, xmp_segment(pointed), *reversed(parts))


EXTENSION = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:a="urn:a" a:long="' + b"x" * 500 + b'"/></rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize("target", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_the_second_part_of_xmp_is_joined_to_the_first(target):
    photo = decode(extended(XMP, EXTENSION))
    assert photo.notes == ()
    kept = decode(encode(photo, target)).metadata.xmp
    assert b'dc:creator="somebody"' in kept
    assert b'a:long="' + b"x" * 500 in kept
    assert b"HasExtendedXMP" not in kept


def test_a_second_part_of_which_something_is_missing_is_named():
    content = extended(XMP, EXTENSION)
    place = content.index(b"http://ns.adobe.com/xmp/extension/") + 70
    damaged = content[:place] + b"\xff\xff\xff\xff" + content[place + 4 :]
    assert any("extension of its XMP" in note for note in decode(damaged).notes)


@pytest.mark.parametrize("source", ["WEBP", "TIFF", "PNG"])
def test_metadata_longer_than_a_segment_do_not_cost_the_photo(source):
    packet = XMP.replace(b"somebody", b"y" * 200_000)
    records = b"".join(b"\x1c\x02\x19" + struct.pack(">H", 30_000) + bytes([65 + n]) * 30_000 for n in range(5))
    long_exif = structure({0x010F: (2, b"Camera\0"), 0x9C9C: (1, bytes(50_000)), 0x8769: {0x927C: (7, b"m" * 90_000)}})
    photo = decode(encode(Photo(scene(9, 9), source, metadata=Metadata(exif=long_exif, xmp=packet, iptc=records))))
    jpeg = encode(photo, "JPEG")
    kept = decode(jpeg).metadata
    assert kept.xmp == packet.replace(b'tiff:Orientation="6"', b'tiff:Orientation="1"')
    assert kept.iptc == (None if source == "WEBP" else records)
    assert tags_of(kept.exif) == {0x010F: (2, b"Camera\0"), 0x9C9C: (1, bytes(50_000)), 0x8769: {}} or tags_of(
        kept.exif
    ) == {0x010F: (2, b"Camera\0"), 0x9C9C: (1, bytes(50_000))}
    assert cannot_hold(photo, "JPEG") == ["its EXIF is larger than a JPEG can hold: left out: MakerNote"]
    assert cannot_hold(decode(jpeg), "JPEG") == []


def test_a_long_packet_is_found_by_exiftool(tmp_path):
    import shutil
    import subprocess

    exiftool = shutil.which("exiftool")
    if not exiftool:
        pytest.skip("exiftool is not installed")
    packet = XMP.replace(b"dc:creator", b"dc:source").replace(b"somebody", b"y" * 200_000)
    (tmp_path / "a.jpg").write_bytes(encode(Photo(scene(9, 9), "JPEG", metadata=Metadata(xmp=packet))))
    command = [exiftool, "-a", "-b", "-XMP-dc:source", tmp_path / "a.jpg"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"y" * 200_000


@pytest.mark.parametrize("sideways", [False, True])
@pytest.mark.parametrize("target", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("source", ["JPEG", "PNG", "TIFF"])
def test_the_shape_of_pixels_without_a_unit_is_kept(source, target, sideways):
    jpeg = PLAIN[:13] + struct.pack(">BHH", 0, 2, 1) + PLAIN[18:]
    if sideways:
        jpeg = with_segments(jpeg, (0xE1, b"Exif\0\0" + exif(6)))
        jpeg = jpeg[:2] + jpeg[jpeg.index(b"\xff\xe0") :][:18] + jpeg[2:]  # JFIF comes first
    photo = decode(jpeg)
    shape = (1, 2) if sideways else (2, 1)
    assert photo.metadata.aspect == shape
    written = encode(decode(encode(photo, source)), target)
    with Image.open(io.BytesIO(written)) as image:
        found = {
            "JPEG": image.info.get("jfif_density"),
            "PNG": image.info.get("aspect"),
            "TIFF": image.info.get("resolution"),
        }[target]
        assert tuple(map(float, found)) == shape
    assert any("shape" in note for note in cannot_hold(photo, "WEBP"))


def test_the_resolution_of_a_turned_photo_is_turned():
    jpeg = saved(Image.fromarray(scene(16, 24)), "JPEG", dpi=(72, 36), exif=b"Exif\0\0" + exif(6))
    assert decode(encode(decode(jpeg))).metadata.dpi == (36, 72)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_png_keeps_its_significant_bits(bits):
    dtype = np.uint8 if bits == 8 else np.uint16
    for channels, alpha in ((3, False), (3, True), (1, False)):
        pixels = scene(9, 8)[..., :channels].astype(dtype)
        told = bytes([bits - 3] * (channels + alpha))
        photo = Photo(pixels, "PNG", alpha=pixels[..., 0] if alpha else None, metadata=Metadata(significant_bits=told))
        again = encode(decode(encode(photo)))
        assert b"sBIT" + told in again
    wrong = Photo(scene(9, 8), "PNG", metadata=Metadata(significant_bits=b"\5"))
    assert b"sBIT" not in encode(wrong)


@given(st.binary(max_size=400))
def test_any_bytes_behind_a_photo_are_kept(noise):
    content = PLAIN + noise
    parts = read_parts(content)
    kept = b"".join(parts.pictures) + parts.trailer
    assert content.endswith(kept)
    assert not content[len(PLAIN) : len(content) - len(kept)].strip(b"\0")


@given(st.binary(max_size=400))
def test_any_bytes_are_cut_apart(noise):
    for content in (b"\xff\xd8" + noise, b"\xff\xd8\xff\xe1\0\x40" + noise, noise):
        read_parts(content)
        assert len(content) >= end_of(content) or content == b""
    for each in resources_of(b"8BIM" + noise):
        assert bytes(each)[:4] == b"8BIM"


@pytest.mark.parametrize(
    "piece", [b" ", b"xmpNote:HasExtendedXMP='", b"<rdf:RDF", b"<mwg-rs:Area ", b"<rdf:li ", b'<x stDim:w="']
)
def test_no_packet_takes_time_by_the_square_of_its_size(piece):
    """Counted in processor time, with a bound that the square exceeds by far: minutes."""
    import time

    packet = piece * (2_000_000 // len(piece)) + b'"GainMap" xmlns="http://ns.google.com/photos/1.0/container/"'
    began = time.process_time()
    merged(packet, EXTENSION)
    merged(XMP, packet)
    turned_xmp(packet, 6)
    without_pictures(packet)
    assert time.process_time() - began < 20
