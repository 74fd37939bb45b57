"""A folder that is watched: photos are enhanced as they arrive, none before it is complete."""

import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from conftest import scene, write_photos

from enlighten_cli.cli import main
from enlighten_cli.cli.watching import SETTLED_SECONDS, Settling
from enlighten_cli.photo import Photo, decode, encode

ENLIGHTEN = [sys.executable, "-m", "enlighten_cli"]


@pytest.fixture
def clock():
    class Clock:
        seconds = 0.0

        def __call__(self):
            return self.seconds

    return Clock()


def test_a_file_is_complete_once_it_stays_as_it_is(tmp_path, clock):
    settling, path = Settling(clock), tmp_path / "photo.jpg"
    path.write_bytes(b"a")
    settling.note(path)
    for length in range(2, 6):  # it grows, for longer than a complete one would wait
        clock.seconds += SETTLED_SECONDS * 0.9
        path.write_bytes(b"a" * length)
        assert settling.complete() == []
    clock.seconds += SETTLED_SECONDS * 0.9
    assert settling.complete() == []
    clock.seconds += SETTLED_SECONDS * 0.2
    assert settling.complete() == [path]
    clock.seconds += 100
    assert settling.complete() == []  # once


def test_empty_files_wait_and_lost_ones_are_forgotten(tmp_path, clock):
    settling, empty, lost = Settling(clock), tmp_path / "empty.jpg", tmp_path / "lost.jpg"
    empty.touch()
    lost.write_bytes(b"a")
    settling.note(empty)
    settling.note(lost)
    lost.unlink()
    clock.seconds += 100
    assert settling.complete() == []
    empty.write_bytes(b"a")
    settling.complete()
    clock.seconds += 100
    assert settling.complete() == [empty]


def wait_for(path, process):
    end = time.monotonic() + 300
    while not path.exists():
        assert time.monotonic() < end, f"{path} never came"
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)


def test_what_is_there_and_what_comes_is_enhanced_until_ctrl_c(tmp_path, monkeypatch):
    pytest.importorskip("watchfiles")
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "in", 1, exposure=0.2)
    words = [*ENLIGHTEN, "watch", "in", "-o", "out/"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    wait_for(tmp_path / "out" / "0.png", process)
    (tmp_path / "in" / "new").mkdir()
    (tmp_path / "in" / "new" / "late.png").write_bytes(encode(Photo(scene(40, 50), "PNG")))
    (tmp_path / "in" / "notes.txt").write_text("no photo")
    wait_for(tmp_path / "out" / "new" / "late.png", process)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert decode(tmp_path / "out" / "new" / "late.png").pixels.shape == (40, 50, 3)
    assert said.splitlines()[0] == "Watching in (Ctrl-C stops it)"
    assert "in/new/late.png -> out/new/late.png" in said
    assert said.splitlines()[-1] == "Stopped watching: 2 brightened."
    assert "notes.txt" not in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["in/0.png"], "'in/0.png' is a file"),
        (["in", "in"], "unexpected extra argument"),
        (["in", "-o", "out/", "--dry-run"], "--dry-run: an option of `enlighten enhance`, not of `enlighten watch`"),
        (["in", "-o", "out/", "--report", "page.html"], "--report: an option of `enlighten enhance`"),
        (["in", "-o", "out/", "--files-from", "list"], "--files-from: an option of `enlighten enhance`"),
        (["in", "-o", "out/", "--fail-fast"], "--fail-fast: an option of `enlighten enhance`"),
        (["in", "-o", "out/", "--on", "ray"], "--on: an option of `enlighten enhance`"),
        (["in", "-o", "s3://bucket/out/"], "writes a file on this machine"),
    ],
)
def test_what_cannot_be_watched(tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "in", 1, exposure=0.2)
    result = CliRunner().invoke(main, ["watch", *words])
    assert result.exit_code == 2
    assert message in result.stderr


def test_without_its_package_the_extra_is_named(tmp_path, monkeypatch):
    from enlighten_cli.cli import watching

    monkeypatch.setattr(watching, "find_spec", lambda name: None)
    result = CliRunner().invoke(main, ["watch", str(tmp_path)])
    assert result.exit_code == 3
    assert "pip install watchfiles   (or, in a checkout: pip install '.[watch]')" in result.stderr
