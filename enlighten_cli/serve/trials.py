"""Try whether a photo can be decoded in time, in a process that can be killed.

A decoder cannot be interrupted: a small file made for the purpose can keep it busy for minutes. So the bytes of
strangers are decoded for a trial before this process decodes them.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from enlighten_cli.batch.memory import MemoryBudget
from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Limits
from enlighten_cli.serve.work import Stop, StoppedError

DECODER = (sys.executable, "-P", "-m", "enlighten_cli.serve.trial_decoder")
LOOK_SECONDS = 0.05  # between two looks at whether to stop
MOST_IDLE = 4  # processes that are kept for the next photos
MOST_REMEMBERED = 10_000

Version = tuple[str, int, int, Limits]


class Trials:
    """Processes that decode photos for a trial; thread-safe.

    Parameters
    ----------
    budget : MemoryBudget
        The memory of a trial is reserved from it.
    command : tuple of str
        Of a process that does as `trial_decoder` says.
    """

    def __init__(self, budget: MemoryBudget, command: tuple[str, ...] = DECODER) -> None:
        self._budget, self._command = budget, command
        self._lock = threading.Lock()
        self._idle: list[_Decoder] = []
        self._busy: set[_Decoder] = set()
        self._passed: OrderedDict[Version, None] = OrderedDict()
        self._is_closed = False

    def start(self) -> None:
        """Start a process, so that the first photo need not wait for it."""
        self._give_back(self._taken())

    def decode(self, path: Path, limits: Limits, stop: Stop) -> None:
        """Return once a photo was decoded, or found damaged; a file that has passed is not tried again.

        Raises
        ------
        StoppedError
            If the work is to stop; the process is killed then.
        PhotoError
            If the process died of the photo.
        """
        stop.check()
        try:
            status = path.stat()
        except OSError as error:
            raise PhotoError(error.strerror or str(error)) from error
        version = (str(path), status.st_mtime_ns, status.st_size, limits)
        if version in self._passed:
            return
        decoder = self._taken()
        try:
            decoder.decode(path, limits, self._budget, stop)
        except BaseException:
            decoder.kill()
            raise
        finally:
            self._give_back(decoder)
        with self._lock:
            self._passed[version] = None
            while len(self._passed) > MOST_REMEMBERED:
                self._passed.popitem(last=False)

    def close(self) -> None:
        """Kill all processes."""
        with self._lock:
            self._is_closed = True
            idle, busy = [*self._idle], [*self._busy]
            self._idle.clear()
        for decoder in busy:
            decoder.kill()  # the thread that uses it finds out, and clears up
        for decoder in idle:
            decoder.clear_up()

    def _taken(self) -> _Decoder:
        with self._lock:
            if self._is_closed:
                raise StoppedError
            decoder = self._idle.pop() if self._idle else _Decoder(self._command)
            self._busy.add(decoder)
            return decoder

    def _give_back(self, decoder: _Decoder) -> None:
        with self._lock:
            self._busy.discard(decoder)
            is_kept = decoder.is_alive and len(self._idle) < MOST_IDLE and not self._is_closed
            if is_kept:
                self._idle.append(decoder)
        if not is_kept:
            decoder.clear_up()


class _Decoder:
    """One process; one thread at a time uses it."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._is_killed = False
        # A session of its own: Ctrl-C is for the server, which ends its processes.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=os.name == "posix",
        )

    @property
    def is_alive(self) -> bool:
        return not self._is_killed and self._process.poll() is None

    def decode(self, path: Path, limits: Limits, budget: MemoryBudget, stop: Stop) -> None:
        done = threading.Event()
        watch = threading.Thread(target=self._kill_on, args=(stop, done), name="trial")
        watch.start()
        try:
            self._tell(pickle.dumps((str(path), limits)))
            with budget.reserved(int(self._answer())):
                self._tell(b"\n")
                self._answer()
        except (OSError, ValueError) as error:
            stop.check()
            raise PhotoError("damaged: its decoder crashed") from error
        finally:
            done.set()
            watch.join()

    def kill(self) -> None:
        self._is_killed = True
        self._process.kill()

    def clear_up(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # of what was not sent any more
                if pipe:
                    pipe.close()

    def _kill_on(self, stop: Stop, done: threading.Event) -> None:
        while not done.wait(LOOK_SECONDS):
            if stop.is_set():
                self.kill()
                return

    def _tell(self, content: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(content)
        self._process.stdin.flush()

    def _answer(self) -> bytes:
        assert self._process.stdout
        answer = self._process.stdout.readline()
        if not answer:
            raise OSError("the process has ended")
        return answer
