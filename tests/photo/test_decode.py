import io

import numpy as np
import pytest
from conftest import scene
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageFile
from samples import deep_png, deep_tiff, exif, multi_frame_tiff, saved

from enlighten_cli.errors import PhotoError, TruncatedError
from enlighten_cli.photo import Limits, Photo, decode, encode
from enlighten_cli.photo.decoders import BAND_ROWS, PLAIN_MODES

ALL_MODES = ("1", "CMYK", "F", "HSV", "I", "I;16", "I;16B", "I;16L", "L", "LA", "La", "LAB", "P", "PA", "RGB", "RGBA",
             "RGBX", "RGBa", "YCbCr")  # fmt: skip


def transposed(pixels, orientation):
    """Turn upright pixels into what a camera held so would store."""
    step = {1: [], 2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4]}[orientation]
    image = Image.fromarray(pixels)
    for each in step:
        image = image.transpose(Image.Transpose(each))
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_all_orientations_come_out_upright(orientation, format):
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :8] = 255  # a white corner, top left
    photo = decode(saved(transposed(upright, orientation), format, exif=b"Exif\0\0" + exif(orientation)))
    assert photo.pixels.shape == (16, 32, 3)
    assert photo.pixels[:6, :6].mean() > 200
    assert photo.pixels[10:].mean() < 50
    again = Image.open(io.BytesIO(encode(photo)))
    assert again.getexif().get(0x0112, 1) == 1
    assert again.getexif()[0x010F] == "Camera"
    assert decode(encode(photo)).pixels.shape == (16, 32, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_photos_come_out_upright_too(orientation):
    upright = np.arange(4 * 6, dtype=np.uint16).reshape(4, 6) * 1000
    stored = np.asarray(transposed(upright, orientation))
    tiff = deep_tiff(np.repeat(stored[..., None], 3, 2), extratags=[(274, 3, 1, orientation, True)])
    np.testing.assert_array_equal(decode(tiff).pixels[..., 0], upright)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_dark_16_bit_png_is_16_bit_by_its_type(channels):
    dark = np.random.default_rng(0).integers(0, 200, (5, 7, channels)).astype(np.uint16)
    photo = decode(deep_png(dark))
    colours = channels - 1 if channels in (2, 4) else channels
    assert photo.pixels.dtype == np.uint16
    np.testing.assert_array_equal(photo.pixels, dark[..., :colours])
    if channels in (2, 4):
        np.testing.assert_array_equal(photo.alpha, dark[..., -1])


@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True}, {"byteorder": ">"}]
)
@pytest.mark.parametrize("shape", [(5, 7, 3), (5, 7)])
def test_dark_16_bit_tiff_is_16_bit_by_its_type(shape, options):
    pytest.importorskip("imagecodecs") if options.get("predictor") else None
    dark = np.random.default_rng(0).integers(0, 200, shape).astype(np.uint16)
    np.testing.assert_array_equal(decode(deep_tiff(dark, **options)).pixels.reshape(shape), dark)


@pytest.mark.parametrize("dtype", [np.float64, np.uint32, np.int16])
def test_other_depths_are_refused_rather_than_halved(dtype):
    with pytest.raises(PhotoError, match="cannot be kept"):
        decode(deep_tiff(np.zeros((4, 4, 3), dtype)))


@pytest.mark.parametrize("mode", ALL_MODES)
def test_every_mode_is_handled_or_refused_by_name(mode):
    """Whatever Pillow can put into a TIFF file comes out as pixels or as a reason."""
    image = Image.new(mode, (6, 4))
    try:
        content = saved(image, "TIFF")
    except (OSError, KeyError):
        pytest.skip(f"Pillow writes no TIFF of mode {mode}")
    try:
        photo = decode(content)
    except PhotoError as error:
        assert "cannot be kept" in str(error)
        assert mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16")
    else:
        assert photo.pixels.shape in ((4, 6, 1), (4, 6, 3))
        assert set(PLAIN_MODES) & {mode} or mode in ("F", "RGBX", "YCbCr", "I;16B", "RGBa", "La")


def test_palettes_are_expanded_and_transparency_kept():
    palette = Image.fromarray(scene(8, 8)).quantize(16)
    palette.info["transparency"] = 0
    photo = decode(saved(palette, "PNG"))
    assert photo.pixels.shape == (8, 8, 3)
    assert set(np.unique(photo.alpha)) <= {0, 255}


def test_cmyk_becomes_rgb_and_is_said():
    photo = decode(saved(Image.fromarray(scene(8, 8)).convert("CMYK"), "JPEG"))
    assert photo.pixels.shape == (8, 8, 3)
    assert "CMYK is converted to RGB" in photo.notes
    assert photo.metadata.icc_profile is not None


def test_grey_stays_grey():
    photo = decode(saved(Image.fromarray(scene(8, 8)).convert("L"), "JPEG"))
    assert photo.pixels.shape == (8, 8, 1)
    assert Image.open(io.BytesIO(encode(photo))).mode == "L"


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (multi_frame_tiff(), "only the first of its 3 pictures"),
        (saved(Image.new("RGB", (4, 4)), "JPEG", xmp=b'<x hdrgm:Version="1.0"/>'), "HDR gain map"),
        (saved(Image.new("RGB", (4, 4)), "JPEG", extra=b"\xff\xeb\0\x0ejumbc2pa...."), "C2PA"),
    ],
)
def test_what_is_left_out_is_said(content, note):
    assert any(note in each for each in decode(content).notes)


def test_a_wrong_ending_is_read_for_what_it_is_and_said(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(encode(Photo(scene(4, 4), "PNG")))
    photo = decode(tmp_path / "photo.jpg")
    assert photo.format == "PNG"
    assert photo.notes == ("is really a PNG despite its .jpg ending",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"plain text", "not a photo"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript files are not read"),
        (b"8BPS\0\1" + bytes(40), "PSD files are not read"),
        (b"%PDF-1.7\n", "PDF files are not read"),
        (saved(Image.new("P", (4, 4)), "GIF"), "GIF files are not read"),
        (b"\xff\xd8\xff" + bytes(50), "."),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "."),
        (b"II*\0\x08\0\0\0\xff\xff" + bytes(50), "."),
        (b"RIFF\0\0\0\0WEBP", "."),
    ],
)
def test_what_is_no_photo_is_one_line(content, reason):
    with pytest.raises(PhotoError, match=reason) as caught:
        decode(content)
    assert str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_bombs_are_refused_before_decoding():
    bomb = saved(Image.new("1", (20000, 20000)), "PNG")
    with pytest.raises(PhotoError, match="20000 x 20000 pixels are more than --max-mpixels 250"):
        decode(bomb)
    small = saved(Image.new("RGB", (100, 100)), "PNG")
    with pytest.raises(PhotoError, match=r"more than --max-mpixels 0\.005"):
        decode(small, Limits(max_mpixels=0.005))


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_truncated_files_are_refused_unless_asked_for(format):
    content = saved(Image.fromarray(scene(200, 200)), format)
    content = content[: len(content) * 3 // 4]
    with pytest.raises(TruncatedError, match=r"^the file is incomplete$"):
        decode(content)
    photo = decode(content, Limits(allow_truncated=True))
    assert photo.pixels.shape == (200, 200, 3)
    assert "ends too early" in photo.notes[0]
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}])
def test_truncated_deep_files_too(options):
    pixels = np.random.default_rng(0).integers(0, 9000, (64, 64, 3)).astype(np.uint16)
    content = deep_tiff(pixels, rowsperstrip=16, metadata=None, **options)
    cut = content[: len(content) * 2 // 3]
    with pytest.raises(PhotoError):
        decode(cut)
    if not options:
        assert "ends too early" in decode(cut, Limits(allow_truncated=True)).notes[0]


def test_the_option_is_named_only_where_it_helps():
    content = saved(Image.fromarray(scene(200, 200)), "JPEG")[:100]  # its tables, and no pixels
    for allow in (False, True):
        with pytest.raises(PhotoError) as refused:
            decode(content, Limits(allow_truncated=allow))
        assert not isinstance(refused.value, TruncatedError)


def test_a_text_that_begins_like_a_bitmap_is_no_photo():
    with pytest.raises(PhotoError, match="not a photo"):
        decode(b"BMI,weight,height\n22,70,178\n")


@pytest.mark.parametrize("size", [(1, 1), (1, 10000), (10000, 1)])
def test_extreme_shapes(size):
    content = saved(Image.new("RGB", size, (10, 20, 30)), "PNG")
    assert decode(content).pixels.shape == (size[1], size[0], 3)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(PhotoError, match="No such file"):
        decode(tmp_path / "absent.jpg")


@pytest.mark.parametrize(
    ("head", "package"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(40), "pillow-heif"),
        (b"\xff\x0a" + bytes(40), "pillow-jxl-plugin"),
        (b"IIRO" + bytes(40), "rawpy"),
    ],
)
def test_missing_extras_are_named_with_the_command(monkeypatch, head, package):
    import sys

    for name in ("pillow_heif", "pillow_jxl", "rawpy"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(PhotoError, match=f"pip install {package}"):
        decode(head)


DEEP = np.ones((3, 3, 3), np.uint16)
SEEDS = [
    *(encode(Photo(scene(9, 9), format)) for format in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "BMP")),
    deep_png(DEEP),
    deep_tiff(DEEP),
    saved(Image.new("RGB", (8, 8)), "JPEG", exif=b"Exif\0\0" + exif(6, thumbnail=True)),
]


@given(st.sampled_from(SEEDS), st.data())
@settings(max_examples=300)
def test_any_bytes_decode_or_fail_with_one_line(seed, data):
    """The fuzz target, bounded; benchmarks/fuzz.py runs it for longer."""
    content = bytearray(seed)
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(seed) - 1), st.integers(0, 255)), max_size=8)):
        content[place] = value
    cut = data.draw(st.integers(0, len(seed)))
    try:
        photo = decode(bytes(content[: cut or None]), Limits(max_mpixels=1))
    except PhotoError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert decode(encode(photo)).pixels.shape == photo.pixels.shape


@given(arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3]))))
def test_8_bit_lossless_round_trips(pixels):
    for format in ("PNG", "BMP", "TIFF"):
        np.testing.assert_array_equal(decode(encode(Photo(pixels, format))).pixels, pixels)


@given(arrays(np.uint16, st.tuples(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3]))), st.booleans())
@settings(max_examples=50)
def test_16_bit_lossless_round_trips(pixels, with_alpha):
    alpha = pixels[..., 0] if with_alpha else None
    for format in ("PNG", "TIFF"):
        photo = decode(encode(Photo(pixels, format, alpha=alpha)))
        expected = np.repeat(pixels, 3, 2) if photo.pixels.shape[2] > pixels.shape[2] else pixels
        assert expected is pixels or (format == "TIFF" and with_alpha)
        np.testing.assert_array_equal(photo.pixels, expected)
        if with_alpha:
            np.testing.assert_array_equal(photo.alpha, alpha)


def test_a_profile_that_says_pq_is_said():
    from samples import icc_profile

    profile = icc_profile("Display P3")
    # The copyright tag becomes a cicp tag: BT.2020 primaries, PQ.
    place = profile.index(b"text\0\0\0\0none\0")
    marked = profile[:place] + b"cicp\0\0\0\0\x09\x10\x00\x01\0" + profile[place + 13 :]
    marked = marked.replace(b"cprt", b"cicp", 1)
    notes = decode(saved(Image.new("RGB", (4, 4)), "PNG", icc_profile=marked)).notes
    assert any("PQ or HLG" in note for note in notes)


def test_deeper_avif_is_said():
    import pyvips

    deep = pyvips.Image.new_from_array(np.full((32, 32, 3), 900, np.uint16)).copy(interpretation="rgb16")
    content = bytes(deep.write_to_buffer(".avif", bitdepth=10))
    assert decode(content).notes == ("its 10 bits a channel are read as 8",)
    assert decode(encode(Photo(scene(16, 16), "AVIF"))).notes == ()


def test_a_forgiving_thread_leaves_others_strict(monkeypatch):
    """Pillow has one setting for the whole process, and others may have set it already."""
    import threading

    from PIL import ImageFile

    from enlighten_cli.photo import truncation

    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    whole = encode(Photo(scene(64, 64), "JPEG"))
    cut = whole[: len(whole) * 3 // 4]
    inside, done, strict = threading.Event(), threading.Event(), []

    def in_another_thread():
        with truncation.forgiving():
            inside.set()
            done.wait()

    other = threading.Thread(target=in_another_thread)
    other.start()
    assert inside.wait(60)
    try:
        strict.append(bool(ImageFile.LOAD_TRUNCATED_IMAGES))
        with pytest.raises(PhotoError, match="incomplete"):
            decode(cut)
        # It is decoded again forgivingly, and that is said: with the other's leave it would have passed unnoticed.
        assert "too early" in decode(cut, Limits(allow_truncated=True)).notes[-1]
    finally:
        done.set()
        other.join()
    assert strict == [False]
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_bigtiff_becomes_a_classic_one_with_what_it_carries():
    """Pillow writes EXIF of a BigTIFF as a BigTIFF's, which nobody reads in another file."""
    import tifffile

    pixels = scene(20, 30)
    for bits in (8, 16):
        buffer = io.BytesIO()
        values = pixels if bits == 8 else pixels.astype(np.uint16) * 257
        tags = [(315, "s", 0, "an artist", True)]
        tifffile.imwrite(buffer, values, bigtiff=True, photometric="rgb", extratags=tags)
        photo = decode(buffer.getvalue())
        for format in ("TIFF", "JPEG", "PNG"):
            content = encode(photo, format)
            assert not content.startswith((b"II+", b"MM\0+"))
            assert Image.open(io.BytesIO(content)).getexif()[315] == "an artist"
        np.testing.assert_array_equal(decode(encode(photo, "TIFF")).pixels, values)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_bands_are_seamless(mode):
    """An image of several bands, the last of which is short."""
    image = Image.fromarray(scene(2 * BAND_ROWS + 3, 5)).convert(mode)
    photo = decode(saved(image, "PNG"))
    grey = mode in ("1", "L", "LA")
    expected = np.asarray(image.convert("L" if grey else "RGB"))
    assert np.array_equal(photo.pixels, expected[..., None] if grey else expected)
