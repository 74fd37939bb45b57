import time
import unicodedata

import pytest
from clients import form, leftovers, raw, serving
from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli.photo import decode
from enlighten_cli.serve.bodies import safe_name

LIMIT_MB = 2


@pytest.fixture(scope="module")
def small(tmp_path_factory, model_file):
    settings = {"model": str(model_file), "max_bytes": LIMIT_MB * 10**6, "body_seconds": 0.4}
    with serving(tmp_path_factory.mktemp("small"), **settings) as client:
        yield client


@given(
    st.text(max_size=20)
    | st.text("./\\~: aé\n", max_size=30)
    | st.builds(str.__mul__, st.sampled_from("aé夜."), st.integers(0, 400))
)
def test_a_safe_name_is_no_path(given):
    name = safe_name(given)
    assert name
    assert not set(name) & set('/\\\0:*?"<>|\r\n\t')
    assert not name.startswith((".", " ", "~"))
    assert not name.endswith((".", " "))
    assert len(name.encode()) <= 255
    assert not any(unicodedata.category(each).startswith("C") for each in name)
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("IMG_1.JPG", "IMG_1.JPG"), ("../../etc/passwd", "passwd"), ("C:\\night\\a b.jpg", "a b.jpg"), ("", "photo"),
        ("..", "photo"), (".jpg", "jpg"), ("ü 夜.nef", "ü 夜.nef"), ("con.jpg", "_con.jpg"), ("<b>.png", "_b_.png"),
    ],
)  # fmt: skip
def test_safe_names(given, made):
    assert safe_name(given) == made


def test_forms_and_bytes_give_the_same(client, photo):
    body, headers = form([("photo", ("a.png", photo)), ("strength", "0.4")])
    by_form = client.ask("POST", "/v1/enhance", body, headers)
    assert by_form.status == 200
    assert by_form.body == client.enhance(photo, strength=0.4).body
    body, headers = form([("strength", "0.4"), ("file", ("a.png", photo))])
    assert client.ask("POST", "/v1/enhance", body, headers).body == by_form.body


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([("strength", "1")], 422), ([("photo", ("a", b"")), ("photo", ("b", b""))], 422),
        ([("photo", ("a", b"x")), ("strength", "9" * 2000)], 422),
        ([(str(number), "") for number in range(99)], 422), ([("photo", ("a.jpg", b""))], 422),
    ],
)  # fmt: skip
def test_bad_forms(client, fields, code):
    body, headers = form(fields)
    answer = client.ask("POST", "/v1/enhance", body, headers)
    assert answer.status == code
    assert answer.code
    assert leftovers(client) == []


def test_broken_forms(client, photo):
    body, headers = form([("photo", ("a.png", photo))])
    for broken in (body[:-20], body.replace(b"--x-y-z\r\n", b"--other\r\n"), b"", b"\0" * 100):
        assert client.ask("POST", "/v1/enhance", broken, headers).status == 422
    assert client.ask("POST", "/v1/enhance", body, {"Content-Type": "multipart/form-data"}).status == 422
    assert leftovers(client) == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/html", "video/mp4"])
def test_other_kinds_of_bodies_are_not_taken(client, photo, kind):
    answer = client.ask("POST", "/v1/enhance", photo, {"Content-Type": kind})
    assert (answer.status, answer.code) == (415, "format_not_read")


def test_an_oversize_body_is_refused_before_it_is_sent(small):
    head = f"POST /v1/enhance HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LIMIT_MB * 10**6 + 1}\r\n\r\n"
    with raw(small.port, head.encode()) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_an_oversize_body_is_answered_although_it_is_sent(small):
    answer = small.ask("POST", "/v1/enhance", bytes(3 * LIMIT_MB * 10**6))
    assert (answer.status, answer.code) == (413, "too_large")


def test_an_oversize_body_that_does_not_say_so(small):
    chunks = (bytes(100_000) for _ in range(60))
    answer = small.ask("POST", "/v1/enhance", chunks)
    assert (answer.status, answer.code) == (413, "too_large")
    assert leftovers(small) == []


def test_a_slow_body_is_given_up(small):
    """A byte now and then keeps nothing waiting for ever."""
    with raw(small.port, b"POST /v1/enhance HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n") as connection:
        connection.settimeout(0.1)
        answer, end = b"", time.monotonic() + 20
        while not answer and time.monotonic() < end:
            connection.sendall(b"x")
            try:
                answer = connection.recv(1000)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert leftovers(small) == []


def test_headers_that_do_not_come_are_given_up(small, monkeypatch):
    monkeypatch.setattr("enlighten_cli.serve.server.HEAD_SECONDS", 0.3)
    for beginning in (b"", b"GET / HTTP/1.1\r\nHost: local"):
        with raw(small.port, beginning) as connection:
            assert connection.recv(100) == b""
    kept_alive = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with raw(small.port, kept_alive) as connection:
        assert connection.recv(4000).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /v1/hea")
        while rest := connection.recv(4000):
            assert rest.startswith(b"{")


def test_who_hangs_up_leaves_nothing(small):
    head = b"POST /v1/enhance HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    raw(small.port, head + bytes(50_000)).close()
    end = time.monotonic() + 20
    while (leftovers(small) or small.shared.photos.inside) and time.monotonic() < end:
        time.sleep(0.02)
    assert leftovers(small) == []
    assert small.shared.photos.inside == 0


def test_no_name_of_a_client_reaches_the_disk(client, photo, tmp_path):
    outside = tmp_path / "outside.png"
    for name in (f"../../../../../../{outside}", str(outside), "..%2f..%2fx.png", "a\0b.png", "x" * 900 + ".png"):
        assert client.enhance(photo, name=name).status == 200
        body, headers = form([("photo", (name.replace("\0", ""), photo))])
        answer = client.ask("POST", "/v1/enhance", body, headers)
        assert answer.status == 200
        assert decode(answer.body).pixels.shape == (48, 64, 3)
    assert list(tmp_path.iterdir()) == []
    assert leftovers(client) == []
