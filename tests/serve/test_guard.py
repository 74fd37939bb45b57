import anyio
import pytest
from clients import serving
from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli.serve.guard import Guard, cookie_name, host_name

TOKEN = "correct-horse"


@pytest.fixture(scope="module")
def locked(tmp_path_factory, model_file):
    with serving(tmp_path_factory.mktemp("locked"), model=str(model_file), token=TOKEN) as client:
        yield client


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "localhost."])
def test_own_names_are_answered(client, name):
    assert client.get("/v1/health", host=f"{name}:{client.port}").status == 200
    assert client.get("/v1/health", host=name).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", "localhost:80@evil.example", "["]
)
def test_a_name_that_was_pointed_here_is_refused(client, host):
    """DNS rebinding: the browser believes to talk to the site, and says so."""
    for path in ("/", "/v1/health", "/page/main.js", "/nothing"):
        answer = client.get(path, host=host)
        assert (answer.status, answer.code) == (403, "refused")


@given(st.text("localhst127.0:[]@e\xe9", max_size=16))
def test_no_other_name_passes(name):
    own = {"localhost", "127.0.0.1", "::1"}
    is_own = host_name(name) in own
    bare = name.lower().partition("]")[0].lstrip("[") if name.startswith("[") else name.lower().partition(":")[0]
    assert not is_own or bare.removesuffix(".") in own


def ask_guard(headers, *, path="/v1/models", method="GET", **options):
    """Ask a guard before an application that answers 200."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    path, _, query = path.partition("?")
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }  # fmt: skip
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    guard = Guard(
        app, **{"token": "", "hosts": frozenset(["localhost", "photos.lan"]), "any_address": False, **options}
    )
    anyio.run(guard, scope, receive, send)
    return sent[0]["status"]


def test_beyond_this_machine_addresses_are_answered_but_no_names():
    for host in ("192.168.1.7:8000", "[fe80::1]:80", "172.17.0.2", "photos.lan"):
        assert ask_guard([("host", host)], any_address=True) == 200
    assert ask_guard([("host", "evil.example")], any_address=True) == 403
    assert ask_guard([("host", "192.168.1.7")]) == 403


def test_one_host_header_exactly():
    assert ask_guard([]) == 403
    assert ask_guard([("host", "localhost"), ("host", "evil.example")]) == 403


def test_posts_from_other_sites_are_refused(client, photo):
    own = f"http://127.0.0.1:{client.port}"
    for origin in (
        "http://evil.example",
        "null",
        f"http://localhost:{client.port}",
        f"{own}.evil.example",
        "http://127.0.0.1:1",
        "",
    ):
        for path in ("/v1/enhance", "/visits"):
            answer = client.ask("POST", path, photo, {"Origin": origin})
            assert (answer.status, answer.code) == (403, "refused"), origin
    assert client.ask("POST", "/v1/enhance", photo, {"Origin": own}).status == 200


def test_other_sites_may_lead_to_the_page_and_to_nothing_else(client):
    led = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=led).status == 200
    assert client.get("/v1/models", headers=led).status == 403
    assert client.ask("POST", "/", b"", led).status == 403
    shown = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}  # an <img> or a <script>
    assert client.get("/", headers=shown).status == 403
    assert client.get("/page/main.js", headers={**shown, "Sec-Fetch-Site": "same-site"}).status == 403


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"]
)
def test_wrong_tokens(locked, photo, given):
    headers = {} if given is None else {"Authorization": given}
    bare = type(locked)(locked.port)
    for method, path in (("GET", "/v1/models"), ("GET", "/page/main.js"), ("POST", "/visits"), ("GET", "/nothing")):
        answer = bare.ask(method, path, headers=headers)
        assert (answer.status, answer.code) == (401, "token_needed")
    assert bare.ask("POST", "/v1/enhance", photo, headers).status == 401
    assert bare.ask("GET", "/", headers=headers).status == 401
    assert bare.get("/v1/health", headers=headers).status == 200  # says that it lives, and no more


def test_the_right_token(locked, photo):
    assert locked.get("/v1/models").status == 200
    assert locked.ask("POST", "/v1/enhance", photo).status == 200


def test_the_opened_address_gives_a_cookie_and_loses_the_token(locked):
    bare = type(locked)(locked.port)
    opened = bare.get(f"/?token={TOKEN}", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})
    assert (opened.status, opened.headers["location"]) == (303, "/")
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    pair = cookie.partition(";")[0]
    assert bare.get("/", headers={"Cookie": pair}).status == 200
    assert bare.ask("POST", "/visits", headers={"Cookie": pair}).status == 200
    crossed = {"Cookie": pair, "Origin": "http://evil.example"}
    assert bare.ask("POST", "/visits", headers=crossed).status == 403
    assert bare.get("/", headers={"Cookie": pair + "x"}).status == 401
    wrong = bare.get("/?token=wrong")
    assert wrong.status == 401
    assert "set-cookie" not in wrong.headers


def test_servers_at_two_ports_do_not_take_each_others_cookie(locked):
    """A browser sends a host's cookies to all of its ports."""
    opened = type(locked)(locked.port).get(f"/?token={TOKEN}").headers["set-cookie"]
    assert opened.startswith(f"enlighten-token-{locked.port}=")
    assert cookie_name("localhost:1") != cookie_name("localhost:2")
    assert cookie_name("[::1]:80") == "enlighten-token-80"
    assert cookie_name("[::1]") == cookie_name("localhost") == "enlighten-token"


def test_headers_of_every_answer(client, photo):
    for method, path, body, status in (
        ("GET", "/", None, 200), ("GET", "/page/main.js", None, 200), ("GET", "/v1/models", None, 200),
        ("POST", "/v1/enhance", photo, 200), ("POST", "/v1/enhance", b"no photo", 415), ("GET", "/nothing", None, 404),
        ("PUT", "/v1/models", None, 405),
    ):  # fmt: skip
        answer = client.ask(method, path, body)
        assert answer.status == status
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/page/", "/page", "/page/../settings.py", "/page/..%2fsettings.py", "/page/%2e%2e/%2e%2e/errors.py",
     "/page//etc/passwd", "/page/%2fetc%2fpasswd", "/page/__init__.py", "/etc/passwd", "/visits", "/page/main.js/"],
)  # fmt: skip
def test_no_path_is_looked_up_on_the_disk(client, path):
    answer = client.get(path)
    assert answer.status in (404, 405)
    assert answer.code in ("not_found", "method_not_allowed")
