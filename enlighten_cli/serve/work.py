"""Work in threads: so many at once, so many waiting, stopped when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import anyio
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from enlighten_cli.serve.problems import Problem, tell_of

T = TypeVar("T")

SLOWEST_READER_SECONDS = 60.0  # that a client may take for a part of a response


class StoppedError(Problem):
    """The work is not wanted any more: its client is gone, or the server ends."""

    def __init__(self) -> None:
        super().__init__(503, "stopped")


class Flag(Protocol):
    """What can be asked whether it was set."""

    def is_set(self) -> bool:
        """Tell whether it was set."""
        ...


class Stop:
    """A flag that work looks at between its steps.

    Parameters
    ----------
    *others : Flag
        That stop it too.
    """

    def __init__(self, *others: Flag) -> None:
        self._others = others
        self._own = threading.Event()

    def set(self) -> None:
        """Ask the work to end."""
        self._own.set()

    def is_set(self) -> bool:
        """Tell whether it is to end."""
        return self._own.is_set() or any(other.is_set() for other in self._others)

    def check(self, done: int = 0, total: int = 0) -> None:
        """End the work if it is to end; takes what progress is told with.

        Raises
        ------
        StoppedError
            If so.
        """
        if self.is_set():
            raise StoppedError


class Queue:
    """A few threads, and a line before them that is not endless.

    Parameters
    ----------
    at_once : int
        Threads.
    waiting : int
        Requests that may wait; more are refused.
    seconds : float
        That one may take, waiting included.
    closing : Event
    """

    def __init__(self, at_once: int, waiting: int, seconds: float, closing: threading.Event) -> None:
        self._limiter = anyio.CapacityLimiter(at_once)
        self._most, self._seconds, self._closing = at_once + waiting, seconds, closing
        self.inside = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Take a place in the line.

        Raises
        ------
        Problem
            If it is full.
        """
        if self.inside >= self._most:
            raise Problem(429, "too many photos at once; try again in a moment")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def run(self, request: Request, work: Callable[[Stop], T]) -> T:
        """Run work in a thread, until it is done, its time is over or the client is gone.

        Raises
        ------
        Problem
            If it took too long.
        StoppedError
            If the client is gone.
        """
        stop, late = Stop(self._closing), threading.Event()
        results: list[T] = []
        errors: list[Exception] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_stop_when_gone, request.receive, stop, tasks.cancel_scope)
            tasks.start_soon(_stop_after, self._seconds, stop, late, tasks.cancel_scope)
            try:  # an exception that leaves the group would come out as a group
                results.append(await anyio.to_thread.run_sync(work, stop, limiter=self._limiter))
            except Exception as error:
                errors.append(error)
            tasks.cancel_scope.cancel()
        if results:
            return results[0]
        if late.is_set():
            raise Problem(503, f"this photo would take more than {self._seconds:g} s (--seconds)")
        raise errors[0] if errors else StoppedError()


async def _stop_after(seconds: float, stop: Stop, late: threading.Event, scope: anyio.CancelScope) -> None:
    await anyio.sleep(seconds)
    late.set()
    stop.set()
    scope.cancel()


async def _stop_when_gone(receive: Receive, stop: Stop, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stop.set()
    scope.cancel()


class Streamed:
    """A response whose parts a thread gives out as it works.

    Parameters
    ----------
    work : callable
        Receives what sends a part, and the flag to look at. It may raise `StoppedError`; the
        connection is then broken off, so that nobody takes a part for the whole.
    limiter : CapacityLimiter
        Of its threads.
    closing : Event
    headers : dict
    on_end : callable
        Called at the end, however it came.
    """

    def __init__(
        self,
        work: Callable[[Callable[[bytes], None], Stop], None],
        limiter: anyio.CapacityLimiter,
        closing: threading.Event,
        headers: dict[str, str],
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._work, self._limiter, self.stop, self._on_end = work, limiter, Stop(closing), on_end
        self._headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})

        loop = asyncio.get_running_loop()

        def give(part: bytes) -> None:
            self.stop.check()
            message = {"type": "http.response.body", "body": part, "more_body": True}
            sent = asyncio.run_coroutine_threadsafe(_sent(send, message), loop)
            try:
                sent.result(SLOWEST_READER_SECONDS)
            except TimeoutError as error:
                raise StoppedError from error

        whole = False
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch, receive)
                try:
                    # Once asked to stop, the thread ends soon; till then it is waited for.
                    await anyio.to_thread.run_sync(self._work, give, self.stop, limiter=self._limiter)
                    whole = True
                except StoppedError:
                    pass
                except Exception as error:
                    tell_of(error)
                tasks.cancel_scope.cancel()
        finally:
            self.stop.set()
            self._on_end()
        if whole:  # else the connection is broken off
            await send({"type": "http.response.body", "body": b""})

    async def _watch(self, receive: Receive) -> None:
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self.stop.set()


async def _sent(send: Callable[[Message], Awaitable[None]], message: Message) -> None:
    await send(message)
