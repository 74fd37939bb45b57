"""Access control: checks on each request before any handler runs, and security headers on each response.

A page of another site can make a visitor's browser send requests to this machine. Such a request is recognised
by the ``Host`` header, if the site's name resolves to this machine (DNS rebinding), or else by ``Origin`` and
``Sec-Fetch-Site``, which no page can forge.
"""

from __future__ import annotations

import ipaddress
import secrets
import time
from http.cookies import CookieError, SimpleCookie
from threading import Semaphore
from urllib.parse import parse_qs

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enlighten_cli.serve.problems import Problem, as_json

COOKIE = "enlighten-token"
OPEN_TO_ALL = "/v1/health"
UNSAFE_TO_FRAME = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
DRAIN_SECONDS, DRAIN_BYTES = 3.0, 1 << 28
MOST_DRAINED = 32  # refused bodies that are read at the same time


class Guard:
    """Let through requests of this server's own page, and of programs other than browsers.

    Parameters
    ----------
    app : ASGI application
    token : str
        Required as ``Authorization: Bearer``, or in the cookie that the printed address sets; empty if no
        token is required. The cookie's name has the port, because a browser sends cookies to all ports of a host.
    hosts : set of str
        Names by which the server may be addressed, in lower case.
    any_address : bool
        Whether it may be addressed by any IP address, which DNS rebinding cannot forge.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: frozenset[str], any_address: bool) -> None:
        self._app, self._token, self._hosts, self._any_address = app, token, hosts, any_address
        self._drains = Semaphore(MOST_DRAINED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, then pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(send, scope["path"])
        headers = Headers(scope=scope)
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        lingering = _Lingering(receive, send, self._drains, has_body=has_body)
        refusal = self._refusal(scope, headers)
        await (refusal or self._app)(scope, lingering.receive, lingering.send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the response to a refused request; None if the request may pass."""
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._is_known(host):
            return as_json(Problem(403, "this server does not answer to this host name; allow it with --allow-host"))
        own_page = scope["method"] in ("GET", "HEAD") and scope["path"] == "/"
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        if origin is not None and origin.lower() not in (f"http://{host.lower()}", f"https://{host.lower()}"):
            return as_json(Problem(403, "requests from pages of other sites are refused"))
        if site not in ("same-origin", "none") and not (own_page and headers.get("sec-fetch-mode") == "navigate"):
            return as_json(Problem(403, "requests from pages of other sites are refused"))
        if not self._token or scope["path"] == OPEN_TO_ALL:
            return None
        if own_page and (given := parse_qs(scope["query_string"].decode("latin-1")).get("token")):
            return self._opened(given[0], cookie_name(host))
        if self._is_token(_bearer(headers)) or self._is_token(_cookie(headers, cookie_name(host))):
            return None
        message = "a token is required: open the address that `enlighten serve` printed"
        if own_page:
            return PlainTextResponse(message[0].upper() + message[1:] + ".\n", 401)
        return as_json(Problem(401, message + ", or send it as Authorization: Bearer TOKEN"))

    def _opened(self, given: str, cookie: str) -> Response:
        """Move the token from the address, where others could see it, to a cookie."""
        if not self._is_token(given):
            return PlainTextResponse("Wrong token: open the address that `enlighten serve` printed.\n", 401)
        response = RedirectResponse("/", 303)
        # Lax, not Strict: a link in a file may have opened the browser.
        response.set_cookie(cookie, self._token, httponly=True, samesite="lax", path="/")
        return response

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode("utf-8", "replace"), self._token.encode("utf-8"))

    def _is_known(self, host: str) -> bool:
        name = host_name(host)
        if name in self._hosts:
            return True
        if not self._any_address:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header: without port and brackets, in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    name, _, port = host.partition(":")
    return name.lower().removesuffix(".") if port.isdecimal() or not port else ""


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def cookie_name(host: str) -> str:
    """Return the name of the cookie for a ``Host`` header."""
    port = host.rpartition("]")[2].rpartition(":")[2]
    return f"{COOKIE}-{port}" if port.isdecimal() else COOKIE


def _cookie(headers: Headers, name: str) -> str:
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookies[name].value if name in cookies else ""


def _with_headers(send: Send, path: str) -> Send:
    policy = PAGE_POLICY if path == "/" else UNSAFE_TO_FRAME

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in {**HEADERS, "content-security-policy": policy}.items():
                headers[name] = value
        await send(message)

    return sending


class _Lingering:
    """Read the rest of a refused body for a while, so that the client receives the response.

    A connection that is closed with unread bytes is reset, and the response is lost.
    """

    def __init__(self, receive: Receive, send: Send, drains: Semaphore, *, has_body: bool) -> None:
        self._receive, self._send, self._drains = receive, send, drains
        self._is_read = not has_body
        self._refused = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_read = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self._refused = True
            if not self._is_read:
                MutableHeaders(scope=message)["connection"] = "close"
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last and self._refused and not self._is_read:
            await self._send({**message, "more_body": True})
            if self._drains.acquire(blocking=False):
                try:
                    await self._drain()
                finally:
                    self._drains.release()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _drain(self) -> None:
        end, count = time.monotonic() + DRAIN_SECONDS, 0
        with anyio.move_on_after(DRAIN_SECONDS):
            while not self._is_read and count < DRAIN_BYTES and time.monotonic() < end:
                count += len((await self.receive()).get("body", b""))
