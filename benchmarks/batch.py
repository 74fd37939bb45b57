"""Batches under load: losses, scale, overlap and start-up.

    python benchmarks/batch.py mixed   [--photos 1000] [--kills 10]   bad files among good, killed and rerun
    python benchmarks/batch.py scale   [--photos 100000]              seconds to the first result, memory
    python benchmarks/batch.py overlap [--photos 40]                  photos/s, one at a time and overlapping
    python benchmarks/batch.py startup                                imports and milliseconds of --help, --version

`mixed` and `scale` use a network that does nothing, so that they measure the batch; `overlap` uses
the default model.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil

from enlighten_cli.photo import Photo, decode, encode

ENLIGHTEN = [sys.executable, "-m", "enlighten_cli"]


def identity_model(folder: Path) -> Path:
    """Write a model that gives its input back."""
    import onnx
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"]) for name in ("a", "b")]
    graph = helper.make_graph([helper.make_node("Identity", ["a"], ["b"])], "same", ends[:1], ends[1:])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), folder / "same.onnx"
    )
    return folder / "same.onnx"


def noise(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 80, (height, width, 3)).astype(np.uint8)


def bad_files() -> dict[str, bytes]:
    good = encode(Photo(noise(40, 60, 0), "JPEG"))
    return {
        "truncated.jpg": good[: len(good) // 2],
        "empty.png": b"",
        "text.jpg": b"this is no photo\n",
        "bomb.png": encode(Photo(np.zeros((20000, 20000, 1), np.uint8), "PNG")),
        "float.tif": b"II*\0\x08\0\0\0\0\0",
        "document.webp": b"%PDF-1.7\n",
        "noise.avif": bytes(range(256)),
    }


def mixed(photos: int, kills: int) -> None:
    """Mix every kind of bad file in, run once for the counts, then anew with kills."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = identity_model(folder)
        for number in range(photos):
            path = folder / "in" / f"{number % 7}" / f"{number:05d}.{('jpg', 'png', 'webp')[number % 3]}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(Photo(noise(40, 60, number), ("JPEG", "PNG", "WEBP")[number % 3])))
        for number, (bad, content) in enumerate(bad_files().items()):
            (folder / "in" / f"{number % 7}" / bad).write_bytes(content)
        (folder / "in" / "notes.txt").write_text("not a photo, and not called one")
        inputs = {path: path.read_bytes() for path in (folder / "in").rglob("*") if path.is_file()}
        words = [*ENLIGHTEN, str(folder / "in"), "-o", str(folder / "out"), "--model", str(model), "--json", "-q"]

        began = time.monotonic()
        done = subprocess.run(words, capture_output=True, check=False)
        seconds = time.monotonic() - began
        records = [json.loads(line) for line in done.stdout.splitlines()]
        print(f"one run: exit {done.returncode}, {seconds:.1f} s, {records[-1]}")
        for record in records[:-1]:
            if record["status"] == "failed":
                print(f"  {Path(record['source']).name}: {record['reason']}")

        shutil.rmtree(folder / "out")
        moments, written = random.Random(0), Counter[str]()
        for _ in range(kills):
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(moments.uniform(0.5, max(1.0, seconds / 3)))
            process.kill()
            process.wait()
            half = [path for path in results(folder) if not is_whole(path)]
            print(f"  killed with {len(results(folder))} results, half-written: {len(half)}")
        done = subprocess.run(words, capture_output=True, check=False)
        records = [json.loads(line) for line in done.stdout.splitlines()]
        written.update(record["output"] for record in records[:-1] if record["status"] == "done")
        missing = photos - len(results(folder))
        temporaries = list((folder / "out").rglob("*.part"))
        changed = [path for path, content in inputs.items() if path.read_bytes() != content]
        print(f"after {kills} kills and a last run: exit {done.returncode}, {records[-1]}")
        print(f"missing: {missing}, temporaries left: {len(temporaries)}, inputs changed: {len(changed)}")


def results(folder: Path) -> list[Path]:
    return [path for path in (folder / "out").rglob("*") if path.is_file() and not path.name.startswith(".")]


def is_whole(path: Path) -> bool:
    return decode(path).pixels.shape == (40, 60, 3)


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
    from enlighten_cli.batch.runner import AT_ONCE, BatchOptions, run_batch
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
    parser.add_argument("what", choices=["mixed", "scale", "overlap", "startup"])
    parser.add_argument("--photos", type=int)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=2)
    arguments = parser.parse_args()
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    if arguments.what == "mixed":
        mixed(arguments.photos or 1000, arguments.kills)
    elif arguments.what == "scale":
        scale(arguments.photos or 100_000)
    elif arguments.what == "overlap":
        overlap(arguments.photos or 40, arguments.repeat)
    else:
        startup()


if __name__ == "__main__":
    main()
