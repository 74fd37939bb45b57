"""What a Ray cluster costs: seconds a photo against a local run, time to the first result, memory of the head.

    python benchmarks/cluster.py                            # 20,000 photos of 96 x 64 px on 1, 2 and 4 workers
    python benchmarks/cluster.py --photos 2000 --model lite --workers 2

All workers run on this machine, each with one thread, more of them than cores if need be: that shows the cost of
handing photos out, and not how fast a real cluster is. The million names of --names are an iterator of made-up jobs
whose result exists, so that each is skipped: that is what a run sees that continues an earlier one.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from enlighten_cli.batch.executors.local import LocalExecutor
from enlighten_cli.batch.executors.ray import RayExecutor
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.outcome import Status
from enlighten_cli.batch.photo_work import BatchOptions, PhotoWork
from enlighten_cli.batch.runner import run_jobs
from enlighten_cli.cluster.address import ClusterAddress
from enlighten_cli.cluster.connection import connected
from enlighten_cli.cluster.sent_model import SentModel
from enlighten_cli.cluster.shared_files import marked
from enlighten_cli.methods.network import open_network
from enlighten_cli.models.device import Device
from enlighten_cli.photo import Photo, encode

DIFFERENT = 20  # photos; the others are links to them


def photos(folder: Path, count: int) -> list[Path]:
    random = np.random.default_rng(0)
    folder.mkdir()
    paths = []
    for number in range(count):
        path = folder / f"{number:06}.png"
        if number < DIFFERENT:
            path.write_bytes(encode(Photo(random.integers(0, 60, (64, 96, 3), dtype=np.uint8), "PNG")))
        else:
            os.link(paths[number % DIFFERENT], path)
        paths.append(path)
    return paths


def timed(jobs: list[Job], executor: LocalExecutor | RayExecutor, options: BatchOptions) -> tuple[float, float]:
    """Return the seconds to the first result, and of all."""
    began = time.perf_counter()
    outcomes = run_jobs(jobs, executor, options)
    assert next(outcomes).status is Status.DONE
    first = time.perf_counter() - began
    assert all(outcome.status is Status.DONE for outcome in outcomes)
    return first, time.perf_counter() - began


def memory_of_names(ray: object, names: int, folder: Path) -> str:
    done = folder / "done.png"
    done.write_bytes(b"")
    options = BatchOptions()

    def jobs() -> Iterator[Job]:
        for number in range(names):
            yield Job(folder / f"{number:07}.png", done)

    process, most, over = psutil.Process(), [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            most[0] = max(most[0], process.memory_info().rss)

    with marked(done, done) as files:
        executor = RayExecutor(ray, SentModel.packed("gamma"), options, files, device=Device("cpu"), threads=1)
        before = process.memory_info().rss
        threading.Thread(target=watch, daemon=True).start()
        began = time.perf_counter()
        skipped = sum(outcome.status is Status.SKIPPED for outcome in run_jobs(jobs(), executor, options))
        over.set()
    assert skipped == names
    seconds = time.perf_counter() - began
    memory = f"{before / 1e6:.0f} MB before, {most[0] / 1e6:.0f} MB at most"
    return f"{names:,} names in {seconds:.0f} s; memory of the head {memory}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--model", default="gamma")
    parser.add_argument("--names", type=int, default=1_000_000)
    given = parser.parse_args()
    options = BatchOptions()
    with tempfile.TemporaryDirectory(prefix="cluster-") as name:
        folder = Path(name)
        paths = photos(folder / "in", given.photos)

        def jobs(run: str) -> list[Job]:
            return [Job(path, folder / run / path.name) for path in paths]

        work = PhotoWork(open_network(given.model, threads=1), options)
        first, local = timed(jobs("local"), LocalExecutor(work, options.at_once), options)
        print(f"{given.photos:,} photos of 96 x 64 px, {given.model}, {os.cpu_count()} cores")
        print(f"local: first after {first:.2f} s, all after {local:.1f} s, {1e3 * local / given.photos:.2f} ms a photo")
        for workers in given.workers:
            began = time.perf_counter()
            with connected(ClusterAddress("local"), cores=workers) as ray:
                up = time.perf_counter() - began
                planned = jobs(f"ray-{workers}")
                with marked(planned[0].source, planned[0].output) as files:
                    model = SentModel.packed(given.model)
                    executor = RayExecutor(ray, model, options, files, device=Device("cpu"), threads=1)
                    ready = time.perf_counter() - began
                    first, seconds = timed(planned, executor, options)
                more = 1e3 * (seconds - local) / given.photos
                print(
                    f"ray, {workers} workers: cluster up after {up:.1f} s, first worker after {ready:.1f} s, "
                    f"first result {first:.2f} s later; "
                    f"all in {seconds:.1f} s, {1e3 * seconds / given.photos:.2f} ms a photo "
                    f"({more:+.2f} ms against local)"
                )
                sys.stdout.flush()
        if given.names:
            with connected(ClusterAddress("local"), cores=1) as ray:
                print(memory_of_names(ray, given.names, folder))


if __name__ == "__main__":
    main()
