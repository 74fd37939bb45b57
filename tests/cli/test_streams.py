"""Standard streams that are closed, and readers that go away."""

import json
import subprocess
import sys

import pytest
from conftest import write_photos

pytestmark = pytest.mark.posix
ENLIGHTEN = f"{sys.executable} -m enlighten_cli"


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_photos(tmp_path / "in", 5, exposure=0.2)


def shell(command):
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("closed", ["2>&-", "<&-", ">&-", "<&- >&- 2>&-"])
def test_a_batch_needs_none_of_them(photos, tmp_path, tiny_model, closed):
    done = shell(f"{ENLIGHTEN} in -o out/ --model {tiny_model} {closed}")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").iterdir())) == 5


def test_an_error_without_stderr_keeps_its_code(photos):
    assert shell(f"{ENLIGHTEN} absent.jpg 2>&-").returncode == 2


@pytest.mark.parametrize("words", ["- -o x.png", "- -o - > y.png", "--files-from - -o out/"])
def test_a_closed_stdin_is_said(photos, tmp_path, tiny_model, words):
    done = shell(f"{ENLIGHTEN} {words} --model {tiny_model} <&-")
    assert done.returncode == 2, done.stderr
    assert "stdin is closed" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_stdout_is_said(photos, tiny_model):
    done = shell(f"{ENLIGHTEN} in/0.png -o - --model {tiny_model} >&-")
    assert done.returncode == 2
    assert "stdout is closed" in done.stderr


def test_no_photo_gets_the_descriptor_of_a_closed_stream(photos, tmp_path, tiny_model):
    """Otherwise what libraries print would be written into a file that is open."""
    code = (
        "import os, sys; from enlighten_cli.cli.streams import replace_closed; replace_closed();"
        "open('result', 'w').write(str([os.path.samestat(os.fstat(n), os.stat(os.devnull)) for n in (0, 1, 2)]))"
    )
    shell(f'{sys.executable} -c "{code}" <&- >&- 2>&-')
    assert (tmp_path / "result").read_text() == "[True, True, True]"


def test_a_reader_of_records_that_goes_away_does_not_stop_the_batch(photos, tmp_path, tiny_model):
    command = f"{ENLIGHTEN} in -o out/ --json --model {tiny_model} | head -1; exit ${{PIPESTATUS[0]}}"
    done = shell(command)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "done"
    assert len(list((tmp_path / "out").iterdir())) == 5
    assert done.stderr.count("the reader of --json has gone") == 1
    (photos / "5.png").write_bytes(b"text")
    assert shell(command).returncode == 1
