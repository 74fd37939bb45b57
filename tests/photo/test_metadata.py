import io

import numpy as np
import pytest
from conftest import scene
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from samples import IPTC, MAKER_NOTE, SRGB, XMP, exif, saved, with_thumbnail

from enlighten_cli.photo import FORMATS, Coding, Metadata, Photo, Strip, cannot_hold, decode, encode
from enlighten_cli.photo.exif_patch import ORIENTATION, ExifBlock
from enlighten_cli.photo.icc import profile_of
from enlighten_cli.photo.photoshop import photoshop_block, resources_of
from enlighten_cli.photo.png_texts import as_profile, taken_profiles

FULL = Metadata(exif=exif(), xmp=XMP, iptc=IPTC, icc_profile=SRGB, dpi=(300.0, 300.0), comments=(b"a comment",))
WITH_EXIF = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")


def loaded(content: bytes) -> Image.Exif:
    block = Image.Exif()
    block.load(content)
    return block


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("target", WITH_EXIF)
@pytest.mark.parametrize("source", WITH_EXIF)
def test_metadata_survives_from_format_to_format(source, target, bits):
    if bits == 16 and not FORMATS[source].deep:
        pytest.skip("a format of 8 bits")
    pixels = scene(9, 9) if bits == 8 else scene(9, 9).astype(np.uint16) * 257
    first = decode(encode(Photo(pixels, source, metadata=FULL)))
    kept = decode(encode(first, target)).metadata
    block = loaded(kept.exif)
    assert block[0x010F] == "Camera"
    assert block.get_ifd(0x8769)[0x9003] == "2020:01:01 00:00:00"
    assert block.get_ifd(0x8769)[0x927C] == MAKER_NOTE
    assert block.get_ifd(0x8825)[1] == "N"
    assert kept.icc_profile == SRGB
    assert b'dc:creator="somebody"' in kept.xmp
    if FORMATS[source].iptc and FORMATS[target].iptc:
        assert kept.iptc == IPTC
    if source in ("JPEG", "PNG", "TIFF") and target in ("JPEG", "PNG", "TIFF"):
        assert kept.dpi == pytest.approx((300, 300), rel=1e-3)


def test_what_has_no_place_is_said():
    photo = Photo(scene(4, 4), "JPEG", metadata=FULL)
    assert cannot_hold(photo, "JPEG") == cannot_hold(photo, "PNG") == []
    assert cannot_hold(photo, "TIFF") == ["TIFF has no place for a comment: left out"]
    assert cannot_hold(photo, "WEBP")[0] == "WEBP has no place for IPTC: left out"
    assert "metadata" in cannot_hold(photo, "BMP")[-1]
    texts = Photo(scene(4, 4), "PNG", metadata=Metadata(text=(("Author", "somebody"),)))
    assert cannot_hold(texts, "JPEG") == ["JPEG has no place for a PNG's texts: left out"]


def test_exif_of_old_pngs_is_seen():
    from PIL import PngImagePlugin

    content = b"Exif\0\0" + exif(6)
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Raw profile type exif", f"\nexif\n{len(content):>8}\n{content.hex()}\n", zip=True)
    photo = decode(saved(Image.new("RGB", (6, 4)), "PNG", pnginfo=texts))
    assert photo.pixels.shape == (6, 4, 3)
    assert loaded(photo.metadata.exif)[0x010F] == "Camera"
    assert photo.metadata.text == ()


def test_a_profile_of_grey_is_not_put_beside_three_channels():
    profile = profile_of("grey", None, 1.8)
    grey = Photo(np.full((4, 4, 1), 9, np.uint8), "PNG", metadata=Metadata(icc_profile=profile))
    assert decode(encode(grey, "WEBP")).metadata.icc_profile is None
    assert decode(encode(grey)).metadata.icc_profile == profile


def test_a_jpeg_keeps_its_comment_tables_and_subsampling():
    source = saved(Image.fromarray(scene(32, 32)), "JPEG", quality=61, subsampling=1, comment=b"kept")
    before, after = (Image.open(io.BytesIO(content)) for content in (source, encode(decode(source))))
    assert after.quantization == before.quantization
    assert after.info["comment"] == b"kept"
    assert (
        decode(encode(decode(source))).coding
        == decode(source).coding
        == Coding(decode(source).coding.quantisation, subsampling=1)
    )
    smaller = encode(decode(source), quality=20)
    assert len(smaller) < len(source)


def test_maker_notes_do_not_move():
    content = exif(6, thumbnail=True)
    upright = Metadata(exif=content).upright().exif
    assert upright.index(MAKER_NOTE) == content.index(MAKER_NOTE)
    assert len(upright) == len(content)


def test_the_thumbnail_and_orientation_go_and_the_rest_stays():
    upright = Metadata(exif=exif(6, thumbnail=True), xmp=XMP).upright()
    assert upright.orientation == 1
    assert b"thumbnail" not in upright.exif
    assert loaded(upright.exif)[0x010F] == "Camera"
    assert b'tiff:Orientation="1"' in upright.xmp
    assert b"dc:creator" in upright.xmp


@pytest.mark.parametrize("element", [b"<tiff:Orientation>8</tiff:Orientation>", b"tiff:Orientation = '3'"])
def test_orientation_in_xmp_in_all_its_spellings(element):
    assert b"1" in Metadata(xmp=element).upright().xmp
    assert b"8" not in Metadata(xmp=element).upright().xmp


def test_texts_of_a_png_are_kept():
    from PIL import PngImagePlugin

    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "somebody")
    texts.add_itxt("Title", "Ночь")
    photo = decode(encode(decode(saved(Image.new("RGB", (4, 4)), "PNG", pnginfo=texts))))
    assert dict(photo.metadata.text) == {"Author": "somebody", "Title": "Ночь"}


@given(st.binary(min_size=1, max_size=300))
def test_iptc_as_text_round_trip(iptc):
    text = {"Raw profile type iptc": as_profile(photoshop_block(iptc))}
    resources = resources_of(taken_profiles(text)["resources"])
    assert [(each.number, each.content) for each in resources] == [(0x0404, iptc)]
    assert not text


@given(st.binary(max_size=200))
def test_damaged_exif_never_breaks_anything(noise):
    for content in (b"II*\0\x08\0\0\0" + noise, b"MM\0*\0\0\0\x08" + noise, noise):
        metadata = Metadata(exif=content)
        assert 1 <= metadata.orientation <= 8
        upright = metadata.upright()
        assert upright.exif is None or len(upright.exif) == len(content)
        stripped = Photo(scene(1, 1), "PNG", metadata=upright).stripped(Strip.GPS).metadata
        assert stripped.exif is None or len(stripped.exif) == len(content)


def test_removing_a_tag_leaves_a_directory_that_others_read():
    content = with_thumbnail(exif(6))
    block = ExifBlock(content)
    assert block.value(ORIENTATION) == 6
    block.remove(ORIENTATION)
    assert block.value(ORIENTATION) is None
    read = loaded(bytes(block))
    assert ORIENTATION not in read
    assert read[0x010F] == "Camera"
