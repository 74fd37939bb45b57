import io
import os
import struct
from pathlib import Path

import pytest
from conftest import scene
from PIL import Image
from samples import exif, saved

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Limits, Photo, decode, encode
from enlighten_cli.photo.source import ChangedError, most_bytes, opened_source, read_stream

LIMITS = Limits()


def photo(tmp_path, name="photo.jpg", format="JPEG"):
    path = tmp_path / name
    path.write_bytes(encode(Photo(scene(40, 60), format)))
    return path


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF"])
def test_a_header_tells_kind_and_size(tmp_path, format):
    path = photo(tmp_path, "photo.any", format)
    with opened_source(path, LIMITS) as source:
        assert (source.kind, source.pixels, source.size_bytes) == (format, 2400, path.stat().st_size)
        assert source.read() == path.read_bytes()


@pytest.mark.posix
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: os.mkfifo(path), "not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_bytes(b"%PDF-1.7"), "PDF files are not read"),
        (lambda path: path.symlink_to("absent"), "No such file"),
    ],
)
def test_what_is_no_photo_is_refused_unread(tmp_path, make, message):
    """A pipe that nobody writes into is not waited for, and a device is not read."""
    path = tmp_path / "photo.jpg"
    make(path)
    with pytest.raises(PhotoError, match=message):
        decode(path)


@pytest.mark.parametrize("kind", ["sparse photo", "sparse nothing"])
def test_a_file_far_larger_than_its_pixels_is_refused_unread(tmp_path, kind, monkeypatch):
    path = photo(tmp_path) if kind == "sparse photo" else tmp_path / "photo.jpg"
    with path.open("ab") as file:
        file.truncate(3 * 10**9)
    monkeypatch.setattr("enlighten_cli.photo.source.Source.read", lambda source: pytest.fail("it was read"))
    with pytest.raises(PhotoError, match=r"too large a file|not a photo"):
        decode(path)


def test_every_photo_of_the_largest_kind_is_small_enough():
    """16-bit RGBA, not compressed, passes; so does a small one with a large preview."""
    assert most_bytes(250e6) > 250e6 * 8
    assert most_bytes(1) > 10**8


def test_a_stream_is_read_no_further_than_a_photo_can_go():
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size=-1):
            assert size > 0
            Endless.given += size
            return bytes(size)

    small = Limits(max_mpixels=1)
    with pytest.raises(PhotoError, match="too large for a photo of --max-mpixels 1"):
        read_stream(Endless(), small)
    assert Endless.given == most_bytes(1e6) + 1
    assert read_stream(io.BytesIO(b"photo"), small) == b"photo"


def test_a_file_is_read_once(tmp_path, monkeypatch):
    reads = []
    fdopen = os.fdopen

    def counted(descriptor, mode):
        file = fdopen(descriptor, mode)
        reads.append(file)
        return file

    monkeypatch.setattr(os, "fdopen", counted)
    decode(photo(tmp_path))
    assert len(reads) == 1
    assert Path(tmp_path / "photo.jpg").exists()


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (16, 9), (256, 256), (300, 200), (513, 17), (96, 80), (8200, 3)])
@pytest.mark.parametrize("container", [False, True])
def test_jpeg_xl_tells_its_size_before_it_is_decoded(size, container):
    pytest.importorskip("pillow_jxl")
    from enlighten_cli.photo.jxl import jxl_size

    options = {"use_container": container, "exif": exif()} if container else {}
    content = saved(Image.new("RGB", size), "JXL", **options)
    assert jxl_size(io.BytesIO(content)) == size


def test_a_codestream_in_parts():
    from enlighten_cli.photo.jxl import jxl_size

    def box(kind, content, size=None):
        return struct.pack(">L4s", 8 + len(content) if size is None else size, kind) + content

    stream = b"\xff\x0a" + (0b1 | 4 << 1 | 1 << 6).to_bytes(2, "little") + bytes(20)  # small, 40 high, square
    parts = b"".join(box(b"jxlp", struct.pack(">L", number) + stream[number : number + 1]) for number in range(20))
    for content in (parts, box(b"ftyp", b"jxl ") + box(b"jxlc", stream, 0), box(b"free", b"") + box(b"jxlc", stream)):
        assert jxl_size(io.BytesIO(content)) == (40, 40)
    for content in (b"", box(b"jxlc", b""), box(b"free", b"", 4) * 9, box(b"ftyp", b"jxl ")):
        with pytest.raises(ValueError, match="no JPEG XL"):
            jxl_size(io.BytesIO(content))


def test_a_jpeg_xl_bomb_is_refused_before_decoding(tmp_path, monkeypatch):
    pillow_jxl = pytest.importorskip("pillow_jxl")
    content = saved(Image.new("RGB", (200, 200)), "JXL")
    (tmp_path / "bomb.jxl").write_bytes(content)

    def decoding(*arguments, **options):
        raise AssertionError("decoded")

    monkeypatch.setattr(pillow_jxl.JpegXLImagePlugin, "Decoder", decoding)
    for source in (content, tmp_path / "bomb.jxl"):
        with pytest.raises(PhotoError, match="200 x 200 pixels are more than"):
            decode(source, Limits(max_mpixels=0.03))


class Watched:
    """A file that something happens to whenever it has been read."""

    def __init__(self, file, happens):
        self._file, self._happens = file, happens

    def __getattr__(self, name):
        return getattr(self._file, name)

    def read(self, size):
        content = self._file.read(size)
        self._happens()
        return content


def read_while(path, happens, **limits):
    with opened_source(path, Limits(**limits)) as source:
        source.file = Watched(source.file, happens)
        return source.read()


def test_a_file_that_is_written_while_it_is_read_is_read_again(tmp_path):
    path, versions = photo(tmp_path), [b"1", b"2"]

    def written_in_place():
        if versions:
            with path.open("r+b") as file:
                file.seek(100)
                file.write(versions.pop())

    content = read_while(path, written_in_place)
    assert content == path.read_bytes()
    assert content[100:101] == b"1", "the last of the versions"


@pytest.mark.parametrize("change", ["written", "longer", "shorter"])
def test_a_file_that_is_written_again_and_again_is_refused_in_words(tmp_path, change):
    path = photo(tmp_path)

    def happens():
        with path.open("r+b") as file:
            if change == "shorter":
                file.truncate(path.stat().st_size - 10)
            else:
                file.seek(*((0, 2) if change == "longer" else (100, 0)))
                file.write(b"x")

    with pytest.raises(ChangedError, match="changes while it is read; try again"):
        read_while(path, happens)
    assert read_while(path, happens, allow_truncated=True)


def test_a_file_that_is_moved_or_linked_is_read_once(tmp_path):
    path, reads = photo(tmp_path), []

    def happens():
        reads.append(path.rename(tmp_path / "moved.jpg"))
        (tmp_path / "link.jpg").hardlink_to(tmp_path / "moved.jpg")

    assert read_while(path, happens)
    assert len(reads) == 1


def test_a_change_right_after_another_one_shows(tmp_path):
    """Within one step of the system's clock, both have the same time."""
    for _ in range(20):
        path = photo(tmp_path)
        with opened_source(path, Limits()) as source:
            path.write_bytes(path.read_bytes())
            assert source.has_changed()
