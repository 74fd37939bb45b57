"""Fetching, from a real server on this machine that misbehaves in every way known."""

import hashlib
import http.server
import multiprocessing
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from enlighten_cli.errors import ModelError, OutputError
from enlighten_cli.models import download as fetching
from enlighten_cli.models import transfer
from enlighten_cli.models.download import Download, fetch, git_blob_of
from enlighten_cli.models.transfer import offline

CONTENT = bytes(range(256)) * 2000  # 512,000 bytes
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HALF = len(CONTENT) // 2


class Server(http.server.ThreadingHTTPServer):
    """Behaves as the list of manners says, one a request; the last one goes on."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.manners, self.requests, self.ranges = ["good"], 0, []
        self.lock = threading.Lock()

    def next_manner(self):
        with self.lock:
            self.requests += 1
            return self.manners.pop(0) if len(self.manners) > 1 else self.manners[0]

    def handle_error(self, request, client_address):
        """Say nothing of clients that went away."""


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        asked = self.headers.get("Range", "")
        self.server.ranges.append(asked)
        manner = self.server.next_manner()
        start = int(asked.removeprefix("bytes=").rstrip("-") or 0) if asked else 0
        if manner.isdecimal():
            self.send_response(int(manner))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif manner.startswith("to "):
            self.send_response(302)
            self.send_header("Location", manner[3:])
            self.end_headers()
        else:
            getattr(self, manner)(start)

    def body(self, content, *, start=0, status=None, length=None):
        self.send_response(status or (206 if start else 200))
        if start and status is None:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(content) - start if length is None else length))
        self.end_headers()
        self.wfile.write(content[start:])

    def good(self, start):
        self.body(CONTENT, start=start)

    def truncates(self, start):
        self.body(CONTENT[: max(start, HALF)], start=start, length=len(CONTENT) - start)

    def stalls(self, start):
        self.body(CONTENT[:1000], length=len(CONTENT))
        time.sleep(1.5)

    def says_too_little(self, start):
        self.body(CONTENT, length=1000)

    def says_an_endless_number(self, start):
        self.body(CONTENT, length="9" * 5000)

    def other_bytes(self, start):
        self.body(b"!" + CONTENT[1:])

    def too_much(self, start):
        self.body(CONTENT + b"more")

    def ignores_range(self, start):
        self.body(CONTENT)

    def slow(self, start):
        self.body(CONTENT[:HALF], length=len(CONTENT))
        self.wfile.flush()
        time.sleep(30)

    def slow_but_good(self, start):
        time.sleep(0.5)
        self.body(CONTENT)

    def another_part(self, start):
        self.send_response(206)
        self.send_header("Content-Range", f"bytes 7-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - 7))
        self.end_headers()
        self.wfile.write(CONTENT[7:])


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ENLIGHTEN_CACHE", str(tmp_path / "cache"))
    for name in ("ENLIGHTEN_WEIGHTS_URL", "ENLIGHTEN_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(fetching, "BACK_OFF_SECONDS", 0.01)
    monkeypatch.setattr(transfer, "TIMEOUT_SECONDS", (1.0, 0.5))
    return tmp_path / "cache"


def wanted(server, **changes):
    url = f"http://127.0.0.1:{server.server_address[1]}/w.bin"
    return Download(**{"name": "w.bin", "size_bytes": len(CONTENT), "sha256": SHA256, "url": url, **changes})


def partial(cache):
    return cache / "w.bin.part"


SURVIVED = [
    (["good"], "nothing"),
    (["truncates", "good"], "nothing: the rest was asked for"),
    (["stalls", "good"], "nothing: the rest was asked for"),
    (["500", "503", "good"], "nothing: asked again"),
    (["truncates", "ignores_range"], "nothing: begun anew"),
    (["truncates", "another_part", "good"], "nothing: begun anew"),
    (["truncates", "416", "good"], "nothing: begun anew"),
    (["says_too_little", "good"], "nothing: asked again"),
    (["says_an_endless_number"], "nothing: taken by its hash"),
]


@pytest.mark.parametrize(
    ("manners", "seen"), SURVIVED, ids=lambda value: "+".join(value) if type(value) is list else ""
)
def test_what_is_survived(server, cache, observed, manners, seen):
    server.manners = list(manners)
    assert fetch(wanted(server)).read_bytes() == CONTENT
    assert server.requests == len(manners)
    assert not partial(cache).exists()
    observed.append((" then ".join(manners).replace("_", " "), seen))


REFUSED = [
    (["404"], "the server answered 404", 1),
    (["403"], "the server answered 403", 1),
    (["407"], "the server answered 407", 1),
    (["500"], "the server answered 500 Internal Server Error (4 tries)", 4),
    (["truncates"], "(4 tries)", 4),
    (["stalls"], "timed out (4 tries)", 4),
    (["other_bytes"], "not kept, because its size or hash is wrong", 1),
    (["too_much"], "not kept, because it is larger than expected", 1),
    (["to http://example.invalid/w.bin"], "http://example.invalid is not https", 1),
    (["to ftp://127.0.0.1/w.bin"], "ftp://127.0.0.1 is not https", 1),
    (["to file:///etc/passwd"], "file:// is not https", 1),
    (["to /w.bin"], "more than 5 redirects", 6),
]


@pytest.mark.parametrize(("manners", "message", "requests"), REFUSED, ids=[case[0][0] for case in REFUSED])
def test_what_is_refused(server, cache, observed, manners, message, requests):
    server.manners = list(manners)
    download = wanted(server)
    with pytest.raises(ModelError, match=re.escape(message)) as caught:
        fetch(download)
    text = str(caught.value)
    for part in (download.url, SHA256, str(cache / "w.bin"), "ENLIGHTEN_WEIGHTS_URL", "ENLIGHTEN_CACHE", "HTTPS_PROXY"):
        assert part in text
    assert len(text.splitlines()) <= 7
    assert server.requests == requests
    assert not (cache / "w.bin").exists()
    observed.append((manners[0].replace("_", " "), text.splitlines()[0]))


def test_another_file_shows_what_came(server, cache):
    server.manners = ["other_bytes"]
    with pytest.raises(
        ModelError, match=rf"got      512,000 bytes, SHA-256 {hashlib.sha256(b'!' + CONTENT[1:]).hexdigest()}"
    ):
        fetch(wanted(server))
    assert not partial(cache).exists()


def test_what_is_here_is_not_fetched_again_unless_it_is_damaged(server, cache):
    path = fetch(wanted(server))
    fetch(wanted(server))
    assert server.requests == 1
    path.write_bytes(b"!" + CONTENT[1:])
    assert fetch(wanted(server)).read_bytes() == CONTENT
    assert server.requests == 2


def test_a_beginning_of_another_file_is_begun_anew(server, cache):
    cache.mkdir()
    partial(cache).write_bytes(b"!" * HALF)
    assert fetch(wanted(server)).read_bytes() == CONTENT
    assert server.ranges == [f"bytes={HALF}-", ""]


def test_a_git_blob_is_checked_and_its_sha256_kept(server, cache):
    blob = hashlib.sha1(f"blob {len(CONTENT)}\0".encode() + CONTENT).hexdigest()
    download = wanted(server, sha256="", git_blob=blob, size_bytes=10**6, exact_size=False)
    path = fetch(download)
    assert git_blob_of(path) == blob
    assert (cache / "w.bin.sha256").read_text().strip() == SHA256
    path.write_bytes(b"!" + CONTENT[1:])
    assert not download.matches(path)
    with pytest.raises(ModelError, match="size or hash is wrong"):
        fetch(wanted(server, name="v.bin", sha256="", git_blob="0" * 40, size_bytes=10**6, exact_size=False))


def test_git_agrees_on_the_id(tmp_path):
    (tmp_path / "file").write_bytes(b"what is up, doc?")
    assert git_blob_of(tmp_path / "file") == "bd9dbf5aae1a3862dd1526723246b20206e5fc37"  # the Git book's own example


def test_a_mirror_on_disk(cache, tmp_path, monkeypatch):
    (tmp_path / "a mirror").mkdir()
    (tmp_path / "a mirror" / "w.bin").write_bytes(CONTENT)
    monkeypatch.setenv("ENLIGHTEN_WEIGHTS_URL", (tmp_path / "a mirror").as_uri())
    monkeypatch.setenv("ENLIGHTEN_OFFLINE", "1")
    download = Download("w.bin", len(CONTENT), SHA256, url="https://example.invalid/w.bin")
    assert fetch(download).read_bytes() == CONTENT
    with pytest.raises(ModelError, match="there is no such file"):
        fetch(Download("v.bin", 1, SHA256))


def test_what_is_published_nowhere_says_so(cache):
    with pytest.raises(ModelError, match=r"not published yet.*ENLIGHTEN_WEIGHTS_URL"):
        fetch(Download("w.bin", 1, SHA256))


@pytest.mark.parametrize(("value", "is_offline"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_offline(server, cache, monkeypatch, value, is_offline):
    monkeypatch.setenv("ENLIGHTEN_OFFLINE", value)
    assert offline() == is_offline
    if is_offline:
        with pytest.raises(ModelError, match="ENLIGHTEN_OFFLINE forbids it"):
            fetch(wanted(server))
        assert server.requests == 0
    else:
        assert fetch(wanted(server)).is_file()


def test_plain_http_is_for_this_machine_alone(cache):
    for url in ("http://example.invalid/w.bin", "ftp://127.0.0.1/w.bin", "http://10.0.0.1/w.bin"):
        with pytest.raises(ModelError, match="is not https"):
            fetch(Download("w.bin", 1, SHA256, url=url))


def test_no_server_at_all(cache):
    with pytest.raises(ModelError, match=r"cannot be fetched: .*refused.* \(4 tries\)"):
        fetch(Download("w.bin", 1, SHA256, url="http://127.0.0.1:9/w.bin"))


def test_a_proxy_from_the_environment_is_used(cache, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match="the proxy refused"):
        fetch(Download("w.bin", 1, SHA256, url="https://example.invalid/w.bin"))


def test_a_cache_that_cannot_be_written(server, cache):
    cache.write_text("a file stands here")
    with pytest.raises(OutputError, match=r"w\.bin cannot be saved: ") as caught:
        fetch(wanted(server))
    assert "ENLIGHTEN_CACHE" in str(caught.value)


def test_a_full_disk(server, cache, monkeypatch):
    opened = transfer._opened
    monkeypatch.setattr(transfer, "_opened", lambda path, mode: opened(Path("/dev/full"), mode))
    with pytest.raises(OutputError, match="No space left on device"):
        fetch(wanted(server))
    assert not (cache / "w.bin").exists()


def fetch_elsewhere(url, results):
    results.put(fetch(Download("w.bin", len(CONTENT), SHA256, url=url)).read_bytes() == CONTENT)


def test_ten_processes_fetch_once(server, cache):
    server.manners = ["slow_but_good"]
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=fetch_elsewhere, args=(wanted(server).url, results)) for _ in range(10)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [True] * 10
    for process in processes:
        process.join()
    assert server.requests == 1


def test_a_killed_fetch_goes_on_where_it_was(server, cache):
    server.manners = ["slow", "good"]
    download = wanted(server)
    code = (
        "from enlighten_cli.models.download import Download, fetch\n"
        f"fetch(Download('w.bin', {len(CONTENT)}, '{SHA256}', url='{download.url}'))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "ENLIGHTEN_CACHE": str(cache)})
    for _ in range(600):
        if partial(cache).exists() and partial(cache).stat().st_size > 100_000:
            break
        time.sleep(0.05)
    process.kill()
    process.wait()
    have = partial(cache).stat().st_size
    assert not (cache / "w.bin").exists()
    assert fetch(download).read_bytes() == CONTENT
    assert server.ranges == ["", f"bytes={have}-"]


@pytest.mark.parametrize("suffix", [".part", ".lock"])
def test_no_link_in_the_cache_is_written_through(server, cache, tmp_path, suffix):
    cache.mkdir()
    (tmp_path / "precious").write_bytes(b"precious")
    link = partial(cache).with_name(f"w.bin{suffix}")
    link.symlink_to(tmp_path / "precious")
    try:
        assert fetch(wanted(server)).read_bytes() == CONTENT
    except OutputError:
        assert suffix == ".lock"
    assert (tmp_path / "precious").read_bytes() == b"precious"


@pytest.mark.parametrize("note", [SHA256, "", "\xff", "0" * 10_000])
def test_a_note_beside_a_file_replaces_no_hash_of_the_table(server, cache, note):
    """Whoever can write the file can write the note."""
    cache.mkdir()
    (cache / "w.bin").write_bytes(CONTENT)
    (cache / "w.bin.sha256").write_bytes(note.encode("latin-1"))
    for other in ({"git_blob": "0" * 40, "sha256": ""}, {"sha256": "0" * 64}):
        download = wanted(server, size_bytes=len(CONTENT), **other)
        assert not download.matches(cache / "w.bin")
        with pytest.raises(ModelError, match="size or hash is wrong"):
            fetch(download)
