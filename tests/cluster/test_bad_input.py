"""What is refused before a cluster has worked on anything; no cluster is needed."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec

import pytest
from click.testing import CliRunner
from conftest import write_photos

from enlighten_cli.cli import main
from enlighten_cli.cluster import address, connection

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra ray: no ray here")


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return write_photos(tmp_path / "in", 2, exposure=0.2)


def refused(*words, code):
    """Return the only line on stderr."""
    result = CliRunner().invoke(main, [*map(str, words), "--model", "gamma"])
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize("on", ["spark", "ray:/host:1", "host", "ray://host", "host:port", "http://host:1"])
def test_what_is_no_address(photos, tmp_path, on):
    assert f"--on {on}: no address of a cluster; write ray, " in refused("in", "-o", "out/", "--on", on, code=2)
    assert not (tmp_path / "out").exists()


def test_a_variable_that_is_no_address(photos, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "somewhere")
    assert "RAY_ADDRESS somewhere: no address of a cluster" in refused("in", "-o", "out/", "--on", "ray", code=2)


def test_ray_is_absent(photos, monkeypatch):
    monkeypatch.setattr(address, "find_spec", lambda name: None)
    said = refused("in", "-o", "out/", "--on", "ray", code=3)
    assert said.endswith("--on needs ray; run: pip install ray   (or, in a checkout: pip install '.[ray]')")
    assert "grpcio" in refused("in", "-o", "out/", "--on", "ray://host:1", code=3)
    assert "--on needs ray" in refused("evaluate", "in", "--on", "ray", code=3)


@needs_ray
@pytest.mark.parametrize("kind", ["", "ray://"])
def test_nothing_listens_there(photos, tmp_path, kind):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        said = refused("in", "-o", "out/", "--on", f"{kind}127.0.0.1:{free.getsockname()[1]}", code=3)
    assert "no Ray cluster answers (Connection refused); start one: ray start --head" in said
    assert not (tmp_path / "out").exists()


@needs_ray
def test_what_listens_there_is_no_cluster(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "STATUS_SECONDS", 3.0)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        said = refused("in", "-o", "out/", "--on", f"127.0.0.1:{server.server_port}", code=3)
        server.shutdown()
    assert "no Ray cluster answers there within 3 s" in said
    assert list(tmp_path.iterdir()) == [photos]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("watch", "in", "-o", "out/"), "--on: an option of `enlighten enhance`, not of `enlighten watch`"),
        (("preview", "in", "-o", "sheet.png"), "--on: an option of `enlighten enhance`, not of `enlighten preview`"),
        (("-", "-o", "out.png"), "is one photo, for this machine; leave out --on"),
        (("in/0.png", "-o", "-"), "is one photo, for this machine; leave out --on"),
        (("in", "-o", "memory://bucket/out/"), "memory of this process, which no cluster sees"),
    ],
)
def test_what_makes_no_sense_on_a_cluster(photos, words, message):
    assert message in refused(*words, "--on", "ray", code=2)


def test_votes_are_counted_here(photos, tmp_path):
    (tmp_path / "votes.json").write_text("{}")
    assert "leave it out" in refused("votes", "votes.json", "--on", "ray", code=2)
