"""A name that the system does not let us look at costs that photo, never the batch, and is never an internal error."""

import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from conftest import write_photos

from enlighten_cli.cli import main

TOO_LONG = "n" * 300 + ".png"
TOO_DEEP = "d/" * 3000 + "x.png"
AWKWARD = {
    "too long": TOO_LONG,
    "too deep": TOO_DEEP,
    "loop": "loop.png",
    "dangling": "dangling.png",
    "below a file": "good.png/x.png",
    "fifo": "fifo.png",
    "locked": "locked/x.png",
    "locked folder": "locked",
    "unreadable": "unreadable.png",
}
pytestmark = pytest.mark.posix


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path, 1, exposure=0.2)
    (tmp_path / "0.png").rename("good.png")
    for name in ("unreadable.png", "locked/x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy("good.png", name)
    (tmp_path / "loop.png").symlink_to("loop2.png")
    (tmp_path / "loop2.png").symlink_to("loop.png")
    (tmp_path / "dangling.png").symlink_to("nowhere.png")
    os.mkfifo("fifo.png")
    (tmp_path / "unreadable.png").chmod(0)
    (tmp_path / "locked").chmod(0)
    yield tmp_path
    (tmp_path / "locked").chmod(0o755)


def run(*words, **options):
    """Run as somebody whom modes bind."""
    command = [sys.executable, "-m", "enlighten_cli", *map(str, words)]
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root may read everything, and setpriv is not here to drop that")
        command = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", *command]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **options)


@pytest.mark.parametrize("name", AWKWARD.values(), ids=AWKWARD)
def test_a_list_with_one_such_name_is_done_but_for_it(here, tiny_model, name):
    (here / "list").write_text(f"{name}\ngood.png\n")
    done = run("--files-from", "list", "-o", "out/", "--model", tiny_model)
    assert done.returncode == 1, done.stderr
    assert sum(line.startswith(f"{name}: ") for line in done.stderr.splitlines()) == 1
    assert (here / "out" / "good.png").exists()
    assert "internal error" not in done.stderr


@pytest.mark.parametrize("name", [TOO_LONG, "loop.png", "locked/x.png", "locked", "unreadable.png"])
def test_so_is_a_command_line(here, tiny_model, name):
    done = run(name, "good.png", "-o", "out/", "--model", tiny_model)
    assert done.returncode == 1, done.stderr
    assert f"{name}: " in done.stderr
    assert (here / "out" / "good.png").exists()
    sheet = run("preview", name, "good.png", "-o", "sheet.png", "--strength", "1", "--model", tiny_model)
    assert sheet.returncode == 1, sheet.stderr
    assert (here / "sheet.png").exists()


def invoke(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.parametrize("name", [TOO_LONG, TOO_DEEP, "loop.png", "good.png/x"], ids=["long", "deep", "loop", "file"])
def test_no_option_makes_an_internal_error_of_it(here, tmp_path, monkeypatch, name):
    commands = [
        ("good.png", "-o", name, "--dry-run"),
        ("good.png", "-o", f"{name}/", "--dry-run"),
        ("good.png", name, "-o", "out/", "--dry-run"),
        ("good.png", "-o", "out/", "--dry-run", "--report", name),
        ("good.png", "-o", "out/", "--dry-run", "--report", f"{name}.html"),
        ("good.png", "-o", "out/", "--model", name),
        ("preview", "good.png", "-o", name),
        ("preview", "good.png", "-o", f"{name}.png"),
        ("evaluate", ".", "--method", "input", "--reference", name),
        ("evaluate", ".", "--outputs", f"a={name}"),
        ("blind", ".", "--method", "input", "--method", "gamma", "-o", f"{name}.html"),
        ("votes", name),
        ("watch", name),
        ("models", "path", name),
        ("models", "import", name, "--name", "x"),
        ("export", "good.png", "-o", f"{name}.onnx"),
    ]
    for words in commands:
        result = invoke(*words)
        assert result.exit_code != 70, (words, result.stderr)
    for variable in ("ENLIGHTEN_CACHE", "ENLIGHTEN_DATA", "ENLIGHTEN_CONFIG"):
        with monkeypatch.context() as patch:
            patch.setenv(variable, name)
            for words in (("models", "list"), ("doctor",), ("good.png", "-o", "out/", "--dry-run")):
                result = invoke(*words)
                assert result.exit_code != 70, (variable, words, result.stderr)


def test_a_working_folder_that_was_deleted_is_said_in_one_line(here, tiny_model):
    code = (
        "import os, sys; os.chdir('gone'); os.rmdir('../gone'); from enlighten_cli.cli import main;"
        "main(sys.argv[1:], prog_name='enlighten')"
    )
    for words in (("x.png",), ("--files-from", str(here / "list"), "-o", "out/"), (str(here / "good.png"), "-o", "o/")):
        (here / "gone").mkdir()
        (here / "list").write_text("x.png\n")
        done = subprocess.run(
            [sys.executable, "-c", code, *words, "--model", tiny_model], capture_output=True, text=True, check=False
        )
        assert done.returncode != 70, done.stderr
        assert "internal error" not in done.stderr
        assert len(done.stderr.splitlines()) <= 2, done.stderr
