"""Work in threads: a limited number runs, a limited number waits, and work stops when its client has gone."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol, TypeVar

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from enlighten_cli.serve.problems import Problem, tell_of

T = TypeVar("T")

SLOWEST_READER_SECONDS = 60.0  # for a client to receive one part of a response


class StoppedError(Problem):
    """The work was stopped, because its client has gone or the server ends."""

    def __init__(self) -> None:
        super().__init__(503, "stopped")


class Flag(Protocol):
    """Anything with a method that tells whether it was set."""

    def is_set(self) -> bool:
        """Tell whether it was set."""
        ...


class Stop:
    """A flag that work checks between its steps.

    Parameters
    ----------
    *others : Flag
        Any of them stops the work too.
    """

    def __init__(self, *others: Flag) -> None:
        self._others = others
        self._own = threading.Event()

    def set(self) -> None:
        """Ask the work to stop."""
        self._own.set()

    def is_set(self) -> bool:
        """Tell whether the work is to stop."""
        return self._own.is_set() or any(other.is_set() for other in self._others)

    def check(self, done: int = 0, total: int = 0) -> None:
        """Stop the work if it is to stop; the arguments let this method serve as a progress callback.

        Raises
        ------
        StoppedError
            If the work is to stop.
        """
        if self.is_set():
            raise StoppedError


class Deadline:
    """A flag that is set once its time is over.

    Parameters
    ----------
    seconds : float
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def is_set(self) -> bool:
        """Tell whether the time is over."""
        return time.monotonic() > self._end


class Queue:
    """A few threads, and a bounded queue of requests.

    Parameters
    ----------
    at_once : int
        Number of threads.
    waiting : int
        Requests that may wait; more are refused.
    seconds : float
        Time limit of a request, waiting included.
    closing : Event
    """

    def __init__(self, at_once: int, waiting: int, seconds: float, closing: threading.Event) -> None:
        self._limiter = anyio.CapacityLimiter(at_once)
        self._most, self._seconds, self._closing = at_once + waiting, seconds, closing
        self.inside = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Take a place in the queue.

        Raises
        ------
        Problem
            If the queue is full.
        """
        if self.inside >= self._most:
            raise Problem(429, "too many photos at once; try again in a moment")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def run(self, request: Request, work: Callable[[Stop], T]) -> T:
        """Run work in a thread until it is done, its time is up or the client has gone.

        Raises
        ------
        Problem
            If it took too long.
        StoppedError
            If the client has gone.
        """
        stop, late = Stop(self._closing), threading.Event()
        results: list[T] = []
        errors: list[Exception] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_stop_when_gone, request.receive, stop, tasks.cancel_scope)
            tasks.start_soon(_stop_after, self._seconds, stop, late, tasks.cancel_scope)
            try:  # the task group would wrap an exception in an ExceptionGroup
                results.append(await anyio.to_thread.run_sync(work, stop, limiter=self._limiter))
            except Exception as error:
                errors.append(error)
            tasks.cancel_scope.cancel()
        if results:
            return results[0]
        if late.is_set():
            raise Problem(503, f"this photo took longer than {self._seconds:g} s (--seconds)")
        raise errors[0] if errors else StoppedError()


async def _stop_after(seconds: float, stop: Stop, late: threading.Event, scope: anyio.CancelScope) -> None:
    await anyio.sleep(seconds)
    late.set()
    stop.set()
    scope.cancel()


async def _stop_when_gone(receive: Receive, stop: Stop, scope: anyio.CancelScope) -> None:
    await _until_gone(receive)
    stop.set()
    scope.cancel()


async def _until_gone(receive: Receive) -> None:
    with suppress(Problem):  # of a body that nobody reads: too large, or too slow
        while (await receive())["type"] != "http.disconnect":
            pass


class Streamed(Response):
    """A response that a thread sends in parts while it works.

    Parameters
    ----------
    work : callable
        Receives a function that sends a part, and the flag to check. It may raise `StoppedError`; the
        connection is then aborted, so that no client takes a part for the whole.
    limiter : CapacityLimiter
        Limits the threads.
    closing : Event
    headers : dict
    on_end : callable
        Called at the end, whether it succeeded or not.
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
        self.status_code, self.background = 200, None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

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
                    # The thread ends soon after it was asked to stop; wait for it.
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
        if whole:  # else the connection is aborted
            await send({"type": "http.response.body", "body": b""})

    async def _watch(self, receive: Receive) -> None:
        try:
            await _until_gone(receive)
        finally:
            self.stop.set()


async def _sent(send: Callable[[Message], Awaitable[None]], message: Message) -> None:
    await send(message)
