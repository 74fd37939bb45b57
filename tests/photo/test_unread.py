"""Each file that is not read, or read in part, is told by its kind, and what to do."""

import io
import logging
import re
import struct

import numpy as np
import pytest
from conftest import scene
from PIL import Image
from samples import saved

from enlighten_cli.errors import PhotoError, TruncatedError
from enlighten_cli.photo import Limits, decode
from enlighten_cli.photo.formats import import_plugin

PIXELS = scene(200, 300, exposure=0.7)
JPEG = saved(Image.fromarray(PIXELS), "JPEG", quality=90)
FRAME = JPEG.index(b"\xff\xc0")
FORGIVING = Limits(allow_truncated=True)


def with_frame(marker: int = 0xC0, bits: int = 8, height: int = 200) -> bytes:
    size, _, _ = struct.unpack_from(">HBH", JPEG, FRAME + 2)
    return JPEG[:FRAME] + struct.pack(">BBHBH", 0xFF, marker, size, bits, height) + JPEG[FRAME + 7 :]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (with_frame(marker=0xC3), "a lossless JPEG"),
        (with_frame(marker=0xC5), "a hierarchical JPEG"),
        (with_frame(marker=0xC1, bits=12), "a JPEG of 12 bits a channel"),
        (with_frame(height=0), "a JPEG that tells its height behind its pixels"),
    ],
)
@pytest.mark.parametrize("limits", [None, FORGIVING])
def test_unusual_jpegs_are_named(content, kind, limits):
    with pytest.raises(PhotoError, match=f"^{kind}.* is not read; save it as an ordinary JPEG"):
        decode(content, limits)


@pytest.mark.parametrize("format", ["JXL", "AVIF", "HEIF", "WEBP", "TIFF", "PNG"])
def test_a_damaged_file_is_told_by_its_format_and_what_to_do(format):
    try:
        import_plugin(format)
    except PhotoError:
        pytest.skip("its package is not installed")
    content = saved(Image.fromarray(PIXELS), format)
    for part in (content[:48], content[: len(content) // 3]):
        with pytest.raises(PhotoError) as raised:
            decode(part)
        said = str(raised.value)
        assert isinstance(raised.value, TruncatedError) or re.match(f"the ({format} )?file is damaged", said), said
        assert not any(word in said for word in ("b'", "Generic", "libjxl", "decoder error", "vips"))


def test_a_damaged_raw_file_is_told_in_words():
    pytest.importorskip("rawpy")
    with pytest.raises(
        PhotoError, match=r"^the camera RAW file is damaged, or of a camera that LibRaw does not know \("
    ):
        decode(b"IIRO" + struct.pack("<L", 8) + bytes(200))


@pytest.mark.parametrize("size", [(200, 300), (1000, 1100)])
def test_a_jpeg_damaged_in_the_middle_is_said(size):
    content = bytearray(saved(Image.fromarray(scene(*size, exposure=0.7)), "JPEG", quality=90))
    middle = len(content) // 2
    content[middle : middle + 20] = b"\xff\xd3damaged-here-------"
    (note,) = decode(bytes(content)).notes
    assert "damaged" in note
    assert decode(JPEG).notes == ()


def test_filling_before_the_end_is_no_damage():
    assert decode(JPEG[:-2] + bytes(8) + JPEG[-2:]).notes == ()


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_of_a_cut_progressive_jpeg_what_there_is_is_kept(mode):
    whole = Image.fromarray(PIXELS).convert(mode)
    content = saved(whole, "JPEG", quality=90, progressive=True)
    cut = content[: len(content) * 2 // 3]
    with pytest.raises(TruncatedError):
        decode(cut)
    photo = decode(cut, FORGIVING)
    expected = np.asarray(whole).reshape(photo.pixels.shape)
    assert np.abs(photo.pixels.astype(int) - expected).mean() < 8
    assert any("missing" in note for note in photo.notes)


def test_a_cut_jpeg_of_which_nothing_is_left_is_an_error():
    content = saved(Image.fromarray(PIXELS), "JPEG", progressive=True)
    with pytest.raises(PhotoError, match="damaged"):
        decode(content[: content.index(b"\xff\xda") + 5], FORGIVING)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_decoders_write_nothing_to_stderr(capfd, compression):
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "TIFF", compression=compression)
    content = bytearray(buffer.getvalue())
    content[len(content) // 2 : len(content) // 2 + 400] = bytes(400)
    with pytest.raises(TruncatedError):
        decode(bytes(content))
    photo = decode(bytes(content), FORGIVING)
    assert np.mean(photo.pixels[:60] == noise[:60]) > 0.9
    assert capfd.readouterr().err == ""


def test_what_pillow_logs_of_a_file_does_not_reach_stderr(capfd, monkeypatch):
    """Without a handler, Python prints what is logged as an error."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own
    content = bytearray(saved(Image.new("RGB", (8, 8)), "TIFF"))
    entry = content.index(struct.pack("<HHL", 277, 3, 1))
    content[entry + 8 : entry + 10] = struct.pack("<H", 788)
    with pytest.raises(PhotoError):
        decode(bytes(content))
    assert capfd.readouterr().err == ""
