"""A server between a client and a store that does what networks do."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
UNSUPPORTED = b"<Error><Code>NotImplemented</Code><Message>A header is not implemented.</Message></Error>"
SLOW_SECONDS = 0.3


class FaultyProxy:
    """Passes requests on, and remembers them.

    Parameters
    ----------
    port : int
        Of the store on this machine.
    """

    def __init__(self, port: int) -> None:
        self.requests: list[tuple[str, str]] = []
        self.fault: Callable[[str, str, dict[str, str]], str] = lambda method, path, headers: ""
        """Given a request, says what goes wrong: busy, denied, unsupported, broken (half the body, then nothing), lost
        (done, and no answer), cut (half the answer), slow."""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self) -> None:
                headers = dict(self.headers)
                proxy.requests.append((self.command, self.path))
                fault = proxy.fault(self.command, self.path, headers)
                length = int(headers.get("Content-Length", 0))
                if fault == "broken":
                    self.rfile.read(length // 2)
                    self._drop()
                    return
                body = self.rfile.read(length)
                if fault in ("busy", "denied", "unsupported"):
                    status, words = {"busy": (503, BUSY), "denied": (403, DENIED), "unsupported": (501, UNSUPPORTED)}[
                        fault
                    ]
                    self._answer(status, {"Content-Type": "application/xml"}, b"" if self.command == "HEAD" else words)
                    return
                if fault == "slow":
                    time.sleep(SLOW_SECONDS)
                upstream = http.client.HTTPConnection("127.0.0.1", port)
                upstream.request(self.command, self.path, body, headers)
                answer = upstream.getresponse()
                content = answer.read()
                upstream.close()
                if fault == "lost":
                    self._drop()
                    return
                self._answer(answer.status, dict(answer.getheaders()), content, cut=fault == "cut")

            do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = do  # noqa: N815

            def _answer(self, status: int, headers: dict[str, str], content: bytes, *, cut: bool = False) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                is_head = self.command == "HEAD"
                self.send_header("Content-Length", headers.get("Content-Length", "0") if is_head else str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if cut else content)
                if cut:
                    self._drop()

            def _drop(self) -> None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

            def log_message(self, *arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *arguments: object) -> None:
                pass  # clients that were killed

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FaultyProxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def once() -> Callable[[object], bool]:
    """Return what is true the first time that it is asked about something."""
    seen: set[object] = set()

    def first(thing: object) -> bool:
        is_first = thing not in seen
        seen.add(thing)
        return is_first

    return first
