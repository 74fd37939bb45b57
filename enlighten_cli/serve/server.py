"""The running server: its socket, its thread, and timeouts of idle connections."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
import time
from types import TracebackType
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from enlighten_cli.errors import UsageError
from enlighten_cli.serve.app import application
from enlighten_cli.serve.shared import Shared

HEAD_SECONDS = 5.0  # for the headers of a request to arrive
MOST_CONNECTIONS = 400
MOST_WAITING = 300  # connections of one client on which no request is being answered; the oldest are closed
END_SECONDS = 3  # for work to end
LEFT_SECONDS = 1.0  # for its threads then
START_SECONDS = 30.0


def listening(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 chooses a free port.

    Raises
    ------
    UsageError
        If the port is in use, or the host is not an address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError(f"--host {host}: {error.strerror}") from error
    try:
        if os.name == "posix":  # on Windows the option would let another program use the port too
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {port} is in use; choose another --port, or leave it out for a free one") from error
        raise UsageError(f"--host {host} --port {port}: {error.strerror}") from error
    return listener


class Waiting:
    """The connections on which no request is being answered: their headers are incomplete, or they are kept alive.

    Whoever opens many of them, with or without a token, would take those of others. So a client has only so many, and
    the oldest go first: a request that arrives at once is not affected.
    """

    def __init__(self) -> None:
        self._of_client: dict[str, dict[_Protocol, None]] = {}

    def add(self, connection: _Protocol) -> None:
        """Add a connection, or make it the most recent one."""
        of_client = self._of_client.setdefault(connection.client_address, {})
        of_client.pop(connection, None)
        of_client[connection] = None
        for oldest in list(of_client)[:-MOST_WAITING]:
            del of_client[oldest]
            oldest.transport.close()

    def remove(self, connection: _Protocol) -> None:
        """Remove a connection, if it is there."""
        of_client = self._of_client.get(connection.client_address, {})
        of_client.pop(connection, None)
        if not of_client:
            self._of_client.pop(connection.client_address, None)


class _Protocol(H11Protocol):
    """HTTP/1.1 that closes connections whose headers do not arrive in time, and those that are too many."""

    waiting: Waiting  # of the server
    client_address = ""
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.client_address = self.client[0] if self.client else ""
        self.waiting.add(self)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self.waiting.remove(self)
            self._stop_timer()
        elif self._timer is None:
            self._start_timer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
            self.waiting.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.waiting.remove(self)
        self._stop_timer()
        super().connection_lost(exc)

    def _start_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class RunningServer:
    """A server that runs in its own thread.

    Parameters
    ----------
    shared : Shared
    listener : socket
    host : str
        As given by the user; it determines the names to which the server answers.
    """

    def __init__(self, shared: Shared, listener: socket.socket, host: str) -> None:
        self._shared, self._listener = shared, listener
        self.port = int(listener.getsockname()[1])
        config = uvicorn.Config(
            application(shared, host),
            http=type("Protocol", (_Protocol,), {"waiting": Waiting()}),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=END_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="server")

    def __enter__(self) -> RunningServer:
        """Start the server, and wait until it answers."""
        self._thread.start()
        self._shared.trials.start()
        end = time.monotonic() + START_SECONDS
        while not self._server.started and self._thread.is_alive() and time.monotonic() < end:
            time.sleep(0.01)
        return self

    def wait(self, seconds: float) -> bool:
        """Wait up to this long, and tell whether the server still runs."""
        self._thread.join(seconds)
        return self._thread.is_alive()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all work, then the server itself; work that does not stop is left behind."""
        self._shared.closing.set()
        self._shared.trials.close()
        self._server.should_exit = True
        self._thread.join(END_SECONDS + 1)
        self._listener.close()


def is_work_left(seconds: float = LEFT_SECONDS) -> bool:
    """Wait so long for the threads of a server that has ended, and tell whether one is still at work.

    A library that does not return cannot be stopped, and Python would wait for its thread at the end of the process.
    """
    end = time.monotonic() + seconds
    threads = [each for each in threading.enumerate() if each is not threading.current_thread() and not each.daemon]
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return any(thread.is_alive() for thread in threads)


def address(host: str, port: int, token: str) -> str:
    """Return the address for the browser; the loopback address if the server listens on all interfaces."""
    name: Any = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)
    if ":" in name and not name.startswith("["):
        name = f"[{name}]"
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")
