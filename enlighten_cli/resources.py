"""Cores and memory that this process may use, within the limits of a container."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

CGROUP, MEMORY = Path("/sys/fs/cgroup"), Path("/proc/meminfo")
UNLIMITED = "max"
PART_OF_FREE_MEMORY = 0.5  # that the photos in work may take, where the user does not say
T = TypeVar("T")
R = TypeVar("R")


def available_cores() -> int:
    """Return the number of cores that this process may use, at least 1.

    CPU affinity and a container's quota (cgroup v2), rounded up, are respected.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read("cpu.max").partition(" ")
    if quota.isdecimal() and period.isdecimal() and int(period):
        cores = min(cores, -(-int(quota) // int(period)))
    return max(1, cores)


def available_memory() -> int:
    """Return the bytes that are free without swapping, within a container's limit (cgroup v2)."""
    free = _free_memory()
    limit, used = _read("memory.max"), _read("memory.current")
    if limit.isdecimal() and used.isdecimal():
        free = min(free, int(limit) - int(used))
    return max(0, free)


def give_back_memory() -> None:
    """Return freed memory to the system; glibc would keep tens of megabytes of it for later."""
    import ctypes

    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # another C library
        return


def mapped(function: Callable[[T], R], items: Iterable[T]) -> Generator[R]:
    """Call a function with each item, on all cores, and yield the results in order.

    No more items are in work, or done and not yet asked for, than there are cores, so that few are in memory.
    """
    cores, pending = available_cores(), deque[Future[R]]()
    items = iter(items)
    first = list(islice(items, 2))
    if len(first) == 1:  # no thread is worth its while
        yield function(first[0])
        return
    with ThreadPoolExecutor(cores) as pool:
        for item in chain(first, items):
            if len(pending) == cores:
                yield pending.popleft().result()
            pending.append(pool.submit(function, item))
        while pending:
            yield pending.popleft().result()


def _free_memory() -> int:
    # Linux says it itself; psutil knows other systems, but takes long to import.
    try:
        found = re.search(rb"^MemAvailable:\s*(\d+) kB$", MEMORY.read_bytes(), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return 1024 * int(found[1])
    import psutil

    return int(psutil.virtual_memory().available)


def _read(name: str) -> str:
    try:
        return (CGROUP / name).read_text().strip()
    except OSError:
        return UNLIMITED
