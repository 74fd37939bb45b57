"""Many requests at once, some of them hostile: the right answers, and nothing kept."""

import gc
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
from clients import leftovers, picture
from conftest import scene

REQUESTS, AT_ONCE = 200, 16
MOST_GROWTH = 40_000_000  # bytes that may stay, of what 200 photos and networks took


def own_threads():
    """Count threads that Python started: those of libvips's pool are seen once they have logged a warning."""
    return sum(not isinstance(thread, threading._DummyThread) for thread in threading.enumerate())


def test_two_hundred_requests_at_sixteen_at_once(client):
    good = picture(scene(64, 80), "JPEG", quality=90)
    hostile = {
        "nothing": (b"", 422), "text": (b"<html>" * 1000, 415), "short": (good[: len(good) // 2], 422),
        "zeros": (bytes(1_000_000), 415), "bomb": (good[:160] + b"\xff" * 500, 422),
    }  # fmt: skip
    kinds = random.Random(0).sample([*["good"] * (REQUESTS * 9 // 10), *list(hostile) * (REQUESTS // 50)], REQUESTS)

    def ask(kind):
        content, status = hostile.get(kind, (good, 200))
        answer = client.enhance(content, strength=random.random())
        return kind, status, answer.status

    process = psutil.Process()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask, kinds[:32]))  # until pools of threads and memory are as large as they get
        gc.collect()
        before, threads = process.memory_info().rss, own_threads()
        results = list(pool.map(ask, kinds))
        gc.collect()
        after = process.memory_info().rss
        assert own_threads() <= threads + 2
    assert [(kind, got) for kind, wanted, got in results if got != wanted] == []
    assert after - before < MOST_GROWTH
    assert leftovers(client) == []
    assert client.get("/v1/health").json["photos"] == 0
