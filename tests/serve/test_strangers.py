"""Odd requests, clients that leave, and names that are not Unicode: the right answers, and never an internal error."""

import http.client
import io
import json
import os
import socket
import time
import urllib.parse
import zipfile

import pytest
from clients import leftovers, picture, raw, serving
from conftest import scene

from enlighten_cli.serve import server
from enlighten_cli.serve.app import application

LATIN = os.fsdecode(b"latin\xe9.png")
SHOWN = "latin\N{REPLACEMENT CHARACTER}.png"


@pytest.fixture
def latin(tmp_path, model_file):
    """A server with a photo, and a folder for results, whose names are not UTF-8."""
    night = tmp_path / os.fsdecode(b"nuit\xe9")
    night.mkdir()
    (night / LATIN).write_bytes(picture(scene(48, 64)))
    (night / os.fsdecode(b"broken\xe9.jpg")).write_bytes(b"\xff\xd8\xff\xe0")
    out = tmp_path / os.fsdecode(b"out\xe9")
    with serving(tmp_path / "s", model=str(model_file), inputs=(night,), output=out) as client:
        yield client, out


@pytest.mark.posix
def test_names_that_are_not_utf_8(latin):
    client, out = latin
    visit = client.visit()
    broken, good = visit.facts["photos"]
    assert good["name"] == SHOWN
    assert visit.facts["folder"].endswith("out\N{REPLACEMENT CHARACTER}")
    assert client.get(f"{visit.path}/photos/{good['id']}").json["width"] == 64
    assert client.get(f"{visit.path}/photos/{broken['id']}").json["trouble"]
    assert visit.view(good["id"]).status == 200
    ids = [broken["id"], good["id"]]
    written = visit.outcomes(ids, "folder")
    assert [(event["status"], event["name"]) for event in written][1] == ("done", SHOWN)
    assert os.listdir(out) == [LATIN]
    saved = visit.outcomes(ids, "file")[1]
    fetched = client.get(saved["href"])
    assert fetched.body == (out / LATIN).read_bytes()
    assert fetched.headers["content-disposition"].endswith("latin%EF%BF%BD.png")

    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    wish = json.dumps({"to": "archive", "photos": [{"id": id} for id in ids]})
    connection.request("POST", f"{visit.path}/saves", wish, {"Content-Type": "application/json"})
    news = connection.getresponse()
    archive = client.get(json.loads(news.readline())["href"]).body
    news.read()
    connection.close()
    with zipfile.ZipFile(io.BytesIO(archive)) as archive:
        assert archive.namelist() == [SHOWN]


@pytest.mark.posix
def test_a_model_whose_name_is_not_utf_8(model_file, photo, tmp_path):
    model = tmp_path / os.fsdecode(b"mod\xe9.onnx")
    model.write_bytes(model_file.read_bytes())
    with serving(tmp_path / "s", model=str(model)) as client:
        name = client.get("/v1/models").json["models"][0]["name"]
        assert name == "mod\N{REPLACEMENT CHARACTER}"
        assert client.enhance(photo, model=name).status == 200
        assert client.get("/v1/openapi.json").status == 200


HUGE = "9" * 400
WISHES = [
    b"[" * 100_000, b'{"photos": ' + b"[" * 100_000, b'{"a":' * 100_000, b"[" * 50_000 + b"]" * 50_000,
    f'{{"photos": [{{"id": "x", "strength": {HUGE}}}]}}'.encode(), f'{{"photos": {HUGE}}}'.encode(),
    f'{{"photos": [{{"id": {HUGE}}}]}}'.encode(), b'{"photos": [{"id": "\\ud800", "denoise": "\\ud800"}]}',
    b'{"photos": [{"id": "x", "strength": NaN}]}', b'{"photos": [{"id": "x", "strength": -Infinity}]}',
    b"9" * 5000, b"\xff\xfe", b"", b"null", b'"\\ud800"', b'{"to": "\\udce9"}', b"{",
]  # fmt: skip


@pytest.mark.parametrize("wish", WISHES, ids=range(len(WISHES)))
def test_odd_json(client, wish, capfd):
    visit = client.visit()
    answer = client.ask("POST", f"{visit.path}/saves", wish, {"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (422, "cannot_be_done")
    assert capfd.readouterr().err == ""


def test_json_that_is_too_large(client):
    visit = client.visit()
    answer = client.ask("POST", f"{visit.path}/saves", b" " * 4_000_001, {"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (413, "too_large")


ODD = ["", HUGE, f"-{HUGE}", f"1e{HUGE}", "inf", "nan", "\x00", "\ud800", "%", " ", "é", "[1]", "0x1", "1_0"]
NAMES = ["strength", "mode", "model", "denoise", "tile", "format", "quality", "strip", "skip_brighter_than",
         "allow_truncated", "name", "odd"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_odd_options(client, photo, name, capfd):
    for value in ODD:
        words = urllib.parse.urlencode({name: value}, errors="surrogatepass")
        answer = client.ask("POST", f"/v1/enhance?{words}", photo)
        assert answer.status in (200, 422), (name, value, answer.body)
        assert answer.status == 200 or answer.code
    assert client.ask("POST", f"/v1/enhance?{name}", photo).status in (200, 422)
    assert client.ask("POST", f"/v1/enhance?{name}=%ff%fe", photo).status in (200, 422)
    assert leftovers(client) == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["left", "top", "width", "height", "pixels", "side", "strength", "denoise"])
def test_odd_views(client, photo, name, capfd):
    visit = client.visit()
    id = visit.upload("a.png", photo)["id"]
    for value in ODD:
        words = urllib.parse.urlencode({name: value}, errors="surrogatepass")
        assert client.get(f"{visit.path}/photos/{id}/view?{words}").status in (200, 422)
    assert capfd.readouterr().err == ""


def test_a_format_must_be_one(client, photo):
    answer = client.enhance(photo, format="")
    assert (answer.status, answer.code) == (422, "cannot_be_done")
    assert "jpg" in answer.json["error"]["message"]


def test_a_look_at_a_result_does_not_use_it_up(client, photo):
    visit = client.visit()
    id = visit.upload("a.png", photo)["id"]
    (event,) = visit.outcomes([id], "file")
    whole = client.enhance(photo).body
    head = client.ask("HEAD", event["href"])
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(whole)))
    for span, part in (("bytes=0-9", whole[:10]), ("bytes=10-", whole[10:]), (f"bytes=0-{len(whole)}", whole)):
        answer = client.get(event["href"], headers={"Range": span})
        assert (answer.status, answer.body) == (206, part)
    assert client.get(event["href"], headers={"Range": "bytes=999999999-"}).status == 416
    assert client.get(event["href"]).body == whole
    assert client.get(event["href"]).status == 404
    assert client.ask("HEAD", event["href"]).status == 404


def test_a_result_that_was_not_received_whole_is_kept(model_file, tmp_path):
    content = picture(scene(1200, 1600, seed=3), "BMP")  # more than the buffers of a connection hold
    with serving(tmp_path, model=str(model_file)) as client:
        visit = client.visit()
        id = visit.upload("a.bmp", content)["id"]
        (event,) = visit.outcomes([id], "file")
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", client.port))
            connection.sendall(f"GET {event['href']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert connection.recv(100)
        time.sleep(0.5)
        assert len(client.get(event["href"]).body) == len(content)
        assert client.get(event["href"]).status == 404


def test_a_look_at_an_archive_does_not_use_it_up(client, photo):
    visit = client.visit()
    id = visit.upload("a.png", photo)["id"]
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    wish = json.dumps({"to": "archive", "photos": [{"id": id}]})
    connection.request("POST", f"{visit.path}/saves", wish, {"Content-Type": "application/json"})
    news = connection.getresponse()
    href = json.loads(news.readline())["href"]
    assert client.ask("HEAD", href).headers["content-type"] == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(client.get(href).body)).namelist() == ["a.png"]
    news.read()
    connection.close()


def test_heads_are_answered_as_gets_are(client):
    for path in ("/", "/page/main.js", "/v1/models", "/v1/health"):
        head, get = client.ask("HEAD", path), client.get(path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]


def test_clients_that_leave_are_no_error(client, photo, capfd):
    before, visit = set(leftovers(client)), client.visit()
    id = visit.upload("a.png", photo)["id"]
    form = "multipart/form-data; boundary=x"
    heads = [
        "POST /v1/enhance HTTP/1.1\r\nContent-Length: 99999",
        f"POST /v1/enhance HTTP/1.1\r\nContent-Length: 99999\r\nContent-Type: {form}",
        f"POST {visit.path}/photos HTTP/1.1\r\nContent-Length: 99999",
        f"POST {visit.path}/saves HTTP/1.1\r\nContent-Length: 99999\r\nContent-Type: application/json",
        f"GET {visit.path}/photos/{id}/view HTTP/1.1",
        f"GET {visit.path}/photos/{id}/view?strength=0.3 HTTP/1.1\r\nContent-Length: 9",
        "POST /v1/enhance HTTP/1.1\r\nTransfer-Encoding: chunked",
        "GET / HTTP/1.1",
    ]
    for head in heads:
        for sent in (b"", b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\nabc'):
            raw(client.port, f"{head}\r\nHost: localhost\r\n\r\n".encode() + sent).close()
    end = time.monotonic() + 20
    while client.shared.photos.inside + client.shared.views.inside and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.2)
    assert client.shared.photos.inside + client.shared.views.inside == 0
    assert len(set(leftovers(client)) - before) == 1
    assert client.enhance(photo).status == 200
    assert capfd.readouterr().err == ""


def test_a_body_that_nobody_wanted_is_no_error(model_file, photo, tmp_path, capfd):
    with serving(tmp_path, model=str(model_file), body_seconds=0.2, max_bytes=100_000) as client:
        visit = client.visit()
        id = visit.upload("a.png", photo)["id"]
        for length in (9, 10**9):
            head = f"GET {visit.path}/photos/{id}/view HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
            with raw(client.port, head.encode()) as connection:
                assert b" 500 " not in connection.recv(100)
    assert "internal" not in capfd.readouterr().err


def test_unfinished_heads_of_one_keep_nobody_out(model_file, photo, tmp_path):
    """With and without a beginning; and connections that were kept alive after an answer."""
    asked = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving(tmp_path, model=str(model_file), token="long-enough") as client:
        connections = []
        try:
            for beginning in (b"", b"GET / HTTP/1.1\r\nHost: lo", asked):
                connections += [raw(client.port, beginning) for _ in range(server.MOST_CONNECTIONS // 2)]
                time.sleep(0.3)
                assert client.enhance(photo).status == 200
            assert client.get("/v1/models").status == 200
        finally:
            for connection in connections:
                connection.close()


def test_who_sends_a_whole_head_is_not_closed_for_others(model_file, tmp_path):
    asked = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with serving(tmp_path, model=str(model_file)) as client:
        connections = [raw(client.port, asked) for _ in range(200)]
        for connection in connections:
            with connection:
                assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_the_time_for_heads_is_short():
    assert server.HEAD_SECONDS <= 5


def test_no_telemetry(client):
    telemetry = application(client.shared, "127.0.0.1")._app._app._telemetry
    assert not any(telemetry[name] for name in ("tracing", "metrics", "logs", "auto_configure"))
