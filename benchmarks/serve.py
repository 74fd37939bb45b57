"""How long a person waits for the page, and what the API carries.

    python benchmarks/serve.py look --megapixels 2 24 100     # first look, strength, model, at the size of a window
    python benchmarks/serve.py load --requests 200 --at-once 16

Photos are made; times are what a client waits at 127.0.0.1, medians of --repeat.
"""

import argparse
import http.client
import io
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from enlighten_cli.serve.private_folder import PrivateFolder
from enlighten_cli.serve.server import RunningServer, listening
from enlighten_cli.serve.settings import Settings
from enlighten_cli.serve.shared import share

Ask = Callable[..., tuple[int, bytes]]
WINDOW_PIXELS = 1_000_000  # of a photo that fills a window of 1280 x 800


def dark_photo(megapixels: float) -> bytes:
    """Draw a dark photo, with detail at every scale, as a JPEG."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    width = round(height * 1.5)
    random = np.random.default_rng(0)
    rgb = np.zeros((height, width, 3), np.float32)
    for cells in (4, 32, 256):
        noise = random.uniform(0, 40 / cells**0.3, (cells, round(cells * 1.5), 3)).astype(np.float32)
        planes = [
            Image.fromarray(noise[..., each]).resize((width, height), Image.Resampling.BICUBIC) for each in range(3)
        ]
        for each, plane in enumerate(planes):
            rgb[..., each] += np.asarray(plane)
    buffer = io.BytesIO()
    Image.fromarray(rgb.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


@contextmanager
def serving(parent: str) -> Iterator[Ask]:
    """Serve, and yield what asks."""
    with PrivateFolder(Path(parent)) as folder, listening("127.0.0.1", 0) as listener:
        shared = share(Settings(), folder)
        with RunningServer(shared, listener, "127.0.0.1") as server:

            def ask(method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
                connection.request(method, path, body, {"Content-Type": "application/octet-stream"})
                response = connection.getresponse()
                content = response.read()
                connection.close()
                return response.status, content

            yield ask


def timed(ask: Ask, path: str) -> float:
    """Return the milliseconds that an answer takes."""
    began = time.perf_counter()
    status, _ = ask("GET", path)
    assert status == 200, (path, status)
    return 1000 * (time.perf_counter() - began)


def look(arguments: argparse.Namespace, parent: str) -> None:
    """Measure what a person waits for."""
    print(f"| MP | first look | another strength (p95) | at 100 % | strength there | {arguments.other} | back |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for megapixels in arguments.megapixels:
        content, rows = dark_photo(megapixels), []
        strengths, strengths_there = [], []
        for _ in range(arguments.repeat):
            with serving(parent) as ask:
                visit = f"/visits/{json.loads(ask('POST', '/visits')[1])['visit']}"
                photo = json.loads(ask("POST", f"{visit}/photos?name=a.jpg", content)[1])["id"]
                facts = timed(ask, f"{visit}/photos/{photo}")
                view = f"{visit}/photos/{photo}/view?pixels={WINDOW_PIXELS}"
                part = f"{view}&left=300&top=300&width=1280&height=800"
                first = facts + timed(ask, f"{view}&side=before") + timed(ask, view)
                strengths += [timed(ask, f"{view}&strength={each / 40}") for each in range(40)]
                at_full = timed(ask, part)
                strengths_there += [timed(ask, f"{part}&strength={each / 40}") for each in range(40)]
                other = timed(ask, f"{view}&model={arguments.other}") if arguments.other else float("nan")
                back = timed(ask, view)
                rows.append((first, at_full, other, back))
        first, at_full, other, back = (statistics.median(column) for column in zip(*rows, strict=True))
        late = sorted(strengths)[int(0.95 * len(strengths))]
        there = statistics.median(strengths_there)
        words = f"| {megapixels:g} | {first:.0f} ms | {statistics.median(strengths):.0f} ms ({late:.0f}) "
        print(f"{words}| {at_full:.0f} ms | {there:.0f} ms | {other:.0f} ms | {back:.0f} ms |", flush=True)


def load(arguments: argparse.Namespace, parent: str) -> None:
    """Measure what the API carries, and whether it keeps anything."""
    content = dark_photo(arguments.megapixels[0])
    process = psutil.Process()
    with serving(parent) as ask:

        def one(number: int) -> int:
            body = content[: len(content) // 2] if number % 10 == 0 else content
            return ask("POST", f"/v1/enhance?strength={0.5 + number % 10 / 10}", body)[0]

        with ThreadPoolExecutor(arguments.at_once) as pool:
            list(pool.map(one, range(2 * arguments.at_once)))
            before, began = process.memory_info().rss, time.perf_counter()
            statuses = list(pool.map(one, range(arguments.requests)))
            seconds, after = time.perf_counter() - began, process.memory_info().rss
    counts = {status: statuses.count(status) for status in sorted(set(statuses))}
    print(f"{arguments.megapixels[0]:g} MP, {arguments.requests} requests, {arguments.at_once} at once: {counts}")
    print(f"{arguments.requests / seconds:.2f} requests a second; {threading.active_count()} threads afterwards")
    print(f"memory: {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["look", "load"])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[2, 24, 100])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--other", default="", help="another model, to measure a change to it and back")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=16)
    arguments = parser.parse_args()
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as parent:
        {"look": look, "load": load}[arguments.what](arguments, parent)
