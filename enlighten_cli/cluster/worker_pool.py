"""The workers of a run: hire them, hand out tasks, replace the dead, and let all go."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from enlighten_cli.cluster.address import ClusterError
from enlighten_cli.cluster.connection import head_of
from enlighten_cli.cluster.needs import Needs
from enlighten_cli.cluster.worker import OpenedModel, Worker, WorkerSpec, disagreement
from enlighten_cli.errors import EnlightenError

MOST_DEATHS = 3  # workers that one task may take with it
MOST_FAILED_STARTS = 3
TASKS_A_SLOT = 4  # in flight for each task in work, so that a slow one does not keep the others from going on
TICK_SECONDS = 0.05
LOOK_SECONDS = 2.0  # between looks at the size of the cluster
START_SECONDS = 120.0  # for the first worker; an autoscaler may have to start a machine
STOP_SECONDS = 3.0


@dataclass(eq=False)
class _Assignment:
    """A task, and the workers that died with it."""

    task: Any
    future: Future[Any] = field(default_factory=Future)
    deaths: int = 0


@dataclass(eq=False)
class WorkerHandle:
    """A worker, and what it does."""

    actor: Any
    starting: Any
    models: tuple[OpenedModel, ...] | None = None
    work: dict[Any, _Assignment] = field(default_factory=dict)

    @property
    def has_suspect(self) -> bool:
        """Whether its only task is one that a worker died with."""
        return any(each.deaths for each in self.work.values())


class WorkerPool:
    """Workers on a cluster. One thread talks to Ray.

    Tasks that a worker died with are given to others, each alone, so that a task which kills its workers takes no
    others with it.

    Parameters
    ----------
    ray : module
        Connected.
    spec : WorkerSpec
    needs : Needs
    at_once : int
        Tasks that a worker does side by side.
    stopping : callable
        Once it returns true, all workers stop.
    died : callable
        Called with every task whose worker died or was killed; maybe it left something half-done.
    lost : callable
        Given a task that took `MOST_DEATHS` workers with it, returns its result, or raises.
    dropped : callable
        Returns the error of a task that is not done because the pool was stopped.
    """

    def __init__(
        self,
        ray: Any,
        spec: WorkerSpec,
        needs: Needs,
        *,
        at_once: int,
        stopping: Callable[[], bool],
        died: Callable[[Any], None],
        lost: Callable[[Any], Any],
        dropped: Callable[[], Exception],
    ) -> None:
        self._ray, self._needs, self._at_once = ray, needs, at_once
        self._stopping, self._died, self._lost, self._dropped = stopping, died, lost, dropped
        self._spec = ray.put(spec)
        self._head = head_of(ray)
        self._unopened = tuple(OpenedModel(each.name or each.word, "", "", True) for each in spec.models)
        self._actors = ray.remote(Worker).options(
            num_cpus=needs.cores, num_gpus=needs.gpus, max_concurrency=at_once + 1, scheduling_strategy="SPREAD"
        )
        self._handles: list[WorkerHandle] = []
        self._new: queue.SimpleQueue[_Assignment] = queue.SimpleQueue()
        self._waiting: deque[_Assignment] = deque()
        self._suspects: deque[_Assignment] = deque()
        self._first: Future[tuple[OpenedModel, ...]] = Future()
        self._failed_starts = 0
        self._fit = max(1, needs.fitting(ray.nodes()))
        self._looked = self._began = time.monotonic()
        self._closing = threading.Event()
        self._ended: Exception | None = None
        self.in_flight = self._fit * at_once * TASKS_A_SLOT
        self._thread = threading.Thread(target=self._lead, name="worker pool", daemon=True)
        self._thread.start()

    def models(self) -> tuple[OpenedModel, ...]:
        """Wait for the first worker, and return its models; their names alone if the pool is stopped before.

        Raises
        ------
        EnlightenError
            If none can be started.
        """
        return self._first.result()

    def submit(self, task: Any) -> Future[Any]:
        """Hand in a task, which is pickled."""
        assignment = _Assignment(task)
        self._new.put(assignment)
        if self._ended is not None:
            self._drain(self._ended)
        return assignment.future

    def close(self) -> None:
        """Stop the tasks in work, end all workers, and wait for it."""
        self._closing.set()
        self._thread.join()

    def _lead(self) -> None:
        reason: Exception | None = None
        try:
            while not (self._closing.is_set() or self._stopping()):
                self._hire()
                self._assign()
                self._attend()
        except EnlightenError as error:
            reason = error
        except Exception as error:  # Ray's, after its head has gone
            words = " ".join(str(error).split())[:300]
            reason = ClusterError(f"the cluster is lost: {type(error).__name__}: {words}; run the same command again")
        finally:
            if reason is None:
                self._let_finish()
            self._dismiss_all()
            self._ended = reason or self._dropped()
            if not self._first.done() and reason:
                self._first.set_exception(reason)
            elif not self._first.done():  # stopped before it began
                self._first.set_result(self._unopened)
            self._drain(self._ended)

    def _drain(self, error: Exception) -> None:
        """Answer everything that is left."""
        with suppress(queue.Empty):
            while True:
                self._waiting.append(self._new.get_nowait())
        in_work = (each for handle in self._handles for each in handle.work.values())
        left = [*self._waiting, *self._suspects, *in_work]
        for each in left:
            with suppress(InvalidStateError):  # two threads may find the last one
                each.future.set_exception(error)

    def _hire(self) -> None:
        """Start as many workers as there is work for, and as fit into the cluster as it is now."""
        now = time.monotonic()
        if now - self._looked > LOOK_SECONDS:
            self._looked = now
            self._check_head()
            self._fit = max(1, self._needs.fitting(self._ray.nodes()))
        with suppress(queue.Empty):
            while True:
                self._waiting.append(self._new.get_nowait())
        tasks = len(self._waiting) + len(self._suspects) + sum(len(handle.work) for handle in self._handles)
        for _ in range(min(self._fit, max(1, tasks)) - len(self._handles)):
            actor = self._actors.remote()
            self._handles.append(WorkerHandle(actor, actor.start.remote(self._spec)))
        if not self._first.done() and now - self._began > START_SECONDS:
            raise ClusterError(
                f"no worker was started within {START_SECONDS:.0f} s; each needs {self._needs.cores} free cores"
                f"{f' and {self._needs.gpus} GPU' if self._needs.gpus else ''} on one machine (see: ray status)"
            )

    def _check_head(self) -> None:
        """Notice early that the head has gone: Ray would end this process after a minute."""
        try:
            if self._head:
                self._head.check_reachable()
        except ClusterError as error:
            raise ClusterError(
                "the head of the cluster is gone; run the same command on another to continue"
            ) from error

    def _assign(self) -> None:
        ready = sorted((each for each in self._handles if each.models is not None), key=lambda each: len(each.work))
        for handle in ready:
            if not self._suspects:
                break
            if not handle.work:
                self._give(handle, self._suspects.popleft())
        # The workers that will be free first take no more, for the suspects.
        open_handles = [handle for handle in ready if not handle.has_suspect][len(self._suspects) :]
        while self._waiting and open_handles:
            handle = min(open_handles, key=lambda handle: len(handle.work))
            if len(handle.work) >= self._at_once:
                break
            self._give(handle, self._waiting.popleft())

    def _give(self, handle: WorkerHandle, assignment: _Assignment) -> None:
        handle.work[handle.actor.run.remote(assignment.task, assignment.deaths > 0)] = assignment

    def _attend(self) -> None:
        """Wait for a worker that has done something."""
        by_reference: dict[Any, WorkerHandle] = {}
        for handle in self._handles:
            by_reference |= dict.fromkeys([*handle.work, *([handle.starting] if handle.models is None else [])], handle)
        for reference in self._ray.wait([*by_reference], num_returns=1, timeout=TICK_SECONDS)[0]:
            self._settle(by_reference[reference], reference)

    def _settle(self, handle: WorkerHandle, reference: Any) -> None:
        errors = self._ray.exceptions
        try:
            result = self._ray.get(reference)
        except errors.RayTaskError as error:
            cause = getattr(error, "cause", None) or error
            if reference == handle.starting:
                raise cause if isinstance(cause, EnlightenError) else ClusterError(_one_line(cause)) from error
            handle.work.pop(reference).future.set_exception(cause)
        except errors.RayError as error:
            self._replace(handle, error)
        else:
            if reference != handle.starting:
                handle.work.pop(reference).future.set_result(result)
                return
            handle.models = result
            self._failed_starts = 0
            if not self._first.done():
                self._first.set_result(result)
            first = self._first.result()
            if result != first:
                raise disagreement(first, result)

    def _replace(self, handle: WorkerHandle, error: Exception) -> None:
        """Replace a worker that died."""
        self._dismiss(handle)
        self._handles.remove(handle)
        if handle.models is None:
            self._failed_starts += 1
            if "enlighten_cli" in str(error) and "No module" in str(error):
                raise ClusterError("a machine of the cluster has no enlighten-cli; install it on all") from error
            if self._failed_starts >= MOST_FAILED_STARTS:
                raise ClusterError(f"workers die as they start: {_one_line(error)}") from error
        for each in handle.work.values():
            each.deaths += 1
            self._died(each.task)
            if each.deaths < MOST_DEATHS:
                self._suspects.append(each)
                continue
            try:
                each.future.set_result(self._lost(each.task))
            except EnlightenError as lost:
                each.future.set_exception(lost)

    def _let_finish(self) -> None:
        """Tell the workers to stop, and take what they still finish."""
        with suppress(Exception):
            for handle in self._handles:
                if handle.work:
                    handle.actor.stop.remote()
            end = time.monotonic() + STOP_SECONDS
            while (left := end - time.monotonic()) > 0:
                by_reference = {reference: handle for handle in self._handles for reference in handle.work}
                if not by_reference:
                    return
                for reference in self._ray.wait([*by_reference], num_returns=1, timeout=left)[0]:
                    self._settle(by_reference[reference], reference)

    def _dismiss_all(self) -> None:
        for handle in self._handles:
            self._dismiss(handle)
        references = [reference for handle in self._handles for reference in handle.work]
        if references:
            with suppress(Exception):  # until the processes have ended
                self._ray.wait(references, num_returns=len(references), timeout=STOP_SECONDS)
        for handle in self._handles:
            for each in handle.work.values():
                self._died(each.task)

    def _dismiss(self, handle: WorkerHandle) -> None:
        with suppress(Exception):
            self._ray.kill(handle.actor)


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
