"""Batches under load: losses, scale, overlap and start-up.

    python benchmarks/batch.py mixed   [--photos 1000] [--kills 10]   bad files among good, killed and started again
    python benchmarks/batch.py originals [--photos 200] [--kills 10]  inputs mounted as output, rewritten, half of zeros
                                       [--hostile 0.01] [--seconds N] the part of bad ones; no kills after so long
                                       [--parts 1]                    in so many folders, one after the other
    python benchmarks/batch.py scale   [--photos 100000]              seconds to the first result, memory
    python benchmarks/batch.py overlap [--photos 40]                  photos/s, one at a time and overlapping
    python benchmarks/batch.py cores   [--photos 100] [--megapixels 24] photos/s of a batch on 1, 2... cores (Linux)
    python benchmarks/batch.py startup                                imports and milliseconds of --help, --version

`mixed` and `scale` use a network that does nothing, so that they measure the batch; `overlap` and `cores` use the
default model.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import speed
from library.soak import ENLIGHTEN, identity_model, mixed, noise
from library.soak_originals import originals
from speed import make_photos, measured

from enlighten_cli.photo import Photo, encode
from enlighten_cli.resources import available_cores


def scale(photos: int) -> None:
    """Watch a process over very many tiny photos."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = identity_model(folder)
        content = encode(Photo(noise(16, 16, 0), "PNG"))
        for number in range(photos):
            path = folder / "in" / f"{number // 1000:03d}" / f"{number:06d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        words = [*ENLIGHTEN, str(folder / "in"), "-o", str(folder / "out"), "--model", str(model)]
        began = time.monotonic()
        process = psutil.Popen(words, stderr=subprocess.PIPE, text=True)
        first = None
        memory: list[tuple[float, float]] = []
        while process.poll() is None:
            seconds = time.monotonic() - began
            if first is None and (folder / "out" / "000").exists() and any((folder / "out" / "000").glob("*.png")):
                first = seconds
            try:
                if size := process.memory_info().rss / 1e6:
                    memory.append((seconds, size))
            except psutil.NoSuchProcess:
                break
            time.sleep(0.01 if seconds < 5 else 0.5)
        print(process.stderr.read().strip())
        settled = [size for seconds, size in memory if seconds > (first or 0) + 2] or [size for _, size in memory]
        print(f"first result after {first:.2f} s; memory {settled[0]:.0f} MB early, {settled[-1]:.0f} MB at the end")


def overlap(photos: int, repeat: int) -> None:
    """Alternate between one photo at a time and overlapping photos, on the same files."""
    from enlighten_cli.batch.conflict import Conflict
    from enlighten_cli.batch.jobs import Job
    from enlighten_cli.batch.photo_work import AT_ONCE, BatchOptions
    from enlighten_cli.batch.runner import run_batch
    from enlighten_cli.models.registry import DEFAULT_MODEL
    from enlighten_cli.models.session import Model
    from enlighten_cli.models.store import locate

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        jobs = []
        for number in range(photos):
            rows, columns = np.mgrid[0:1224, 0:1632]
            light = (40 + 30 * np.sin(rows / (20 + number)) * np.cos(columns / 31))[..., None]
            pixels = (light + noise(1224, 1632, number) / 8).astype(np.uint8)
            (folder / "in" / f"{number}.jpg").write_bytes(encode(Photo(pixels, "JPEG"), quality=92))
            jobs.append(Job(folder / "in" / f"{number}.jpg", folder / "out" / f"{number}.jpg"))
        model = Model(locate(DEFAULT_MODEL))
        speeds: dict[int, list[float]] = {1: [], AT_ONCE: []}
        for _ in range(repeat):
            for at_once, values in speeds.items():
                began = time.monotonic()
                options = BatchOptions(conflict=Conflict.OVERWRITE, at_once=at_once)
                assert all(outcome.status.value == "done" for outcome in run_batch(jobs, model, options))
                values.append(photos / (time.monotonic() - began))
        alone, together = (max(values) for values in speeds.values())
        print(f"{photos} photos of 2 megapixels: {alone:.3f} photos/s one at a time, {together:.3f} overlapping")
        print(f"ratio {together / alone:.2f}")


def cores(photos: int, megapixels: float, repeat: int) -> None:
    """Give a batch of large, clean photos one core, two and so on, in turns, beside decoding and encoding by Pillow."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = make_photos(folder, megapixels)["clean"]
        (folder / "in").mkdir()
        for number in range(photos):
            os.link(photo, folder / "in" / f"{number:03d}.jpg")
        words = [*ENLIGHTEN, str(folder / "in"), "-o", str(folder / "out"), "--overwrite", "-q"]
        speeds: dict[int, list[float]] = {number + 1: [] for number in range(available_cores())}
        floors = []
        for _ in range(repeat):
            floors.append(measured([sys.executable, speed.__file__, "--child", "floor", str(photo), ""])["own_seconds"])
            for number, values in speeds.items():
                mine = ",".join(map(str, sorted(os.sched_getaffinity(0))[:number]))
                values.append(photos / measured(["taskset", "-c", mine, *words])["seconds"])
        print(
            f"{photos} photos of {megapixels:g} megapixels; Pillow decodes and encodes {1 / min(floors):.2f} a second"
        )
        for number, values in speeds.items():
            print(f"{number} cores: {', '.join(f'{value:.3f}' for value in values)} photos/s")


def startup() -> None:
    """Compare with a bare interpreter, alternating."""
    commands = {
        "bare interpreter": [sys.executable, "-c", "pass"],
        "--help": [*ENLIGHTEN, "--help"],
        "--version": [*ENLIGHTEN, "--version"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(15):
        for name, words in commands.items():
            began = time.perf_counter()
            subprocess.run(words, capture_output=True, check=True)
            times[name].append(time.perf_counter() - began)
    bare = statistics.median(times["bare interpreter"])
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name}: {median * 1000:.0f} ms, {1000 * (median - bare):.0f} ms above a bare interpreter")
    heavy = ("numpy", "PIL", "onnxruntime", "torch", "rich", "requests", "pyvips")
    code = f"import sys; from enlighten_cli.cli import main; print([m for m in {heavy} if m in sys.modules])"
    print(
        "heavy modules after importing the command:", subprocess.check_output([sys.executable, "-c", code], text=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["mixed", "originals", "scale", "overlap", "cores", "startup"])
    parser.add_argument("--photos", type=int)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--hostile", type=float, default=0.01)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--megapixels", type=float, default=24)
    arguments = parser.parse_args()
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    if arguments.what == "mixed":
        mixed(arguments.photos or 1000, arguments.kills, arguments.hostile, arguments.seconds, arguments.parts)
    elif arguments.what == "originals":
        originals(arguments.photos or 200, arguments.kills, arguments.seconds)
    elif arguments.what == "scale":
        scale(arguments.photos or 100_000)
    elif arguments.what == "overlap":
        overlap(arguments.photos or 40, arguments.repeat)
    elif arguments.what == "cores":
        cores(arguments.photos or 100, arguments.megapixels, arguments.repeat)
    else:
        startup()


if __name__ == "__main__":
    main()
