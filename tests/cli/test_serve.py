"""`enlighten serve` as a process: how it starts, says where it is, and ends."""

import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import scene

from enlighten_cli.cli import main, requirements
from enlighten_cli.photo import Photo, decode, encode

SERVE = [sys.executable, "-m", "enlighten_cli", "serve", "--no-open"]


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start the command with a folder of temporary files of its own; returns it and the address it says."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.delenv("ENLIGHTEN_TOKEN", raising=False)
    (tmp_path / "temporary").mkdir()
    running = []

    def start(*words):
        process = subprocess.Popen([*SERVE, *words], stderr=subprocess.PIPE, text=True)
        running.append(process)
        line = process.stderr.readline()
        found = re.match(r"enlighten: (http://[^/ ]+/)(?:\?token=(\S+))?   \(Ctrl-C stops the server\)", line)
        assert found, line
        return process, found[1], found[2]

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stderr.close()


def status(address, token=None):
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_answers_and_ends_well(start, tmp_path, number, code):
    process, address, token = start("--token", "long-enough")
    assert token == "long-enough"
    assert status(address + "v1/models", token) == 200
    assert status(address, token) == 200
    assert status(address + "v1/models") == 401
    assert len(list((tmp_path / "temporary").glob("enlighten-serve-*"))) == 1
    process.send_signal(number)
    assert process.wait(30) == code
    assert list((tmp_path / "temporary").glob("enlighten-serve-*")) == []
    assert process.stderr.read() == ""


def test_what_a_killed_one_left_goes_with_the_next(start, tmp_path):
    process, _, _ = start()
    (left,) = (tmp_path / "temporary").glob("enlighten-serve-*")
    process.kill()
    process.wait()
    assert left.is_dir()
    start()
    assert not left.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_token_is_always_made(start, host):
    _, address, token = start("--host", host)
    assert address.startswith("http://127.0.0.1:")
    assert len(token) >= 24
    assert status(address + "v1/models", token) == 200
    assert status(address + "v1/models", token[:-1]) == 401
    assert start("--host", host)[2] != token


def refused(*words):
    result = CliRunner().invoke(main, ["serve", "--no-open", *words])
    assert result.stderr.count("\n") == 1, result.stderr
    return result.exit_code, result.stderr


def test_a_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = refused("--port", str(port))
    assert code == 2
    assert f"port {port} is in use" in said


def test_an_address_that_is_not_here():
    assert refused("--host", "192.0.2.1")[0] == 2


@pytest.mark.parametrize("token", ["short", "with a space", "s\xfc\xdfs\xfc\xdfs\xfc\xdf"])
def test_a_token_that_is_none(token):
    assert refused("--token", token)[0] == 2


def test_nothing_to_show(tmp_path):
    assert refused(str(tmp_path))[0] == 5


def test_a_model_that_is_not_there():
    assert refused("--model", "none-such")[0] == 4


def test_without_the_extra_the_command_to_install_it_is_told(monkeypatch):
    found = requirements.find_spec
    monkeypatch.setattr(requirements, "find_spec", lambda name: None if name == "uvicorn" else found(name))
    code, said = refused()
    assert code == 3
    assert (
        said
        == "enlighten: serving needs uvicorn; run: pip install uvicorn   (or, in a checkout: pip install '.[serve]')\n"
    )


def shell_blocks(page, word):
    """The blocks of shell commands in a page that contain a word."""
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    return [block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if word in block]


@pytest.mark.posix
@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here")
def test_the_commands_of_the_docs_work_as_printed(start, tmp_path):
    """But at a free port."""
    (serving,) = shell_blocks("serve.md", "--token")
    (asking,) = shell_blocks("serve.md", "curl ")
    program, _, words = serving.strip().partition(" serve ")
    assert program == "enlighten"
    words = shlex.split(words)
    assert words[words.index("--port") + 1] == "8000"
    words[words.index("8000")] = "0"
    _, address, _ = start(*words)
    (tmp_path / "dark.jpg").write_bytes(encode(Photo(scene(48, 64), "JPEG")))
    asking = asking.replace("http://127.0.0.1:8000/", address)
    made = subprocess.run(["bash", "-ec", asking], cwd=tmp_path, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert decode(tmp_path / "bright.jpg").format == "JPEG"
    assert decode(tmp_path / "bright.png").format == "PNG"
    wrong = asking.replace("Bearer ", "Bearer x")
    assert subprocess.run(["bash", "-ec", wrong], cwd=tmp_path, capture_output=True).returncode == 22
