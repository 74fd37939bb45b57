"""Originals mounted twice, rewritten while they are read, or half of zeros: `python benchmarks/batch.py originals`."""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enlighten_cli.photo import Photo, encode
from library.soak import ENLIGHTEN, FORMATS, SIZE, identity_model, noise

WRITTEN = 20  # photos that are rewritten in place
CHECKED = ("PNG", "WEBP", "BMP", "TIFF", "JPEG")
LARGER = (400, 600)  # of the rewritten ones, so that reading takes a while
KILLED_WITHIN_SECONDS = 6.0


def originals(photos: int, kills: int, most_seconds: float) -> None:
    """Try each kind in turn until the time is over, and count what went wrong."""
    faults: Counter[str] = Counter({"originals changed": 0, "damaged accepted": 0, "mixed results": 0})
    counts: Counter[str] = Counter()
    moments, began = random.Random(0), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = identity_model(folder)
        _zero_tails(folder / "zeros", model, faults, counts)
        while time.monotonic() - began < most_seconds and counts["kills"] < kills:
            _mounted_twice(folder / "mounts", model, photos, moments, faults, counts)
            _rewritten(folder / f"written{counts['rounds']}", model, moments, faults, counts)
            counts["rounds"] += 1
    print(f"{time.monotonic() - began:.0f} s; {', '.join(f'{what}: {count}' for what, count in counts.items())}")
    print(", ".join(f"{what}: {count}" for what, count in faults.items()))


@contextmanager
def _mounted(folder: Path, place: Path) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--bind", folder, place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def _run(words: list[str | Path], moments: random.Random | None = None) -> tuple[int | None, list[dict[str, object]]]:
    """Run the command, or kill it at any moment; return its exit code, and its records."""
    with subprocess.Popen([*ENLIGHTEN, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            timeout = moments.uniform(0, KILLED_WITHIN_SECONDS) if moments else None
            lines = process.communicate(timeout=timeout)[0].splitlines()
        except subprocess.TimeoutExpired:
            process.kill()
            return None, []
    return process.returncode, [json.loads(line) for line in lines]


def _mounted_twice(
    folder: Path, model: Path, photos: int, moments: random.Random, faults: Counter[str], counts: Counter[str]
) -> None:
    """Send results into a second mount of the photos, by each way to answer a conflict; kill some runs."""
    source, inputs = folder / "in", {}
    for number in range(photos):
        format = FORMATS[number % len(FORMATS)]
        path = source / f"{number % 7}" / f"{number:05d}.{format.lower()}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(encode(Photo(noise(*SIZE, number), format)))
        inputs[path] = path.read_bytes()
    (folder / "out").mkdir(exist_ok=True)
    first = next(iter(inputs))
    (source / "6" / "link.png").unlink(missing_ok=True)
    (folder / "out" / "0").mkdir(exist_ok=True)
    (folder / "out" / "0" / first.name).write_bytes(inputs[first])
    (source / "6" / "link.png").symlink_to(folder / "out" / "0" / first.name)
    with _mounted(source, folder / "copy"):
        for target in ("copy", "out"):
            words = [source, "-o", folder / target, "--overwrite", "--model", model, "--json", "-q"]
            for killer in (moments, None):
                code, records = _run(words, killer)
                counts["kills" if code is None else "runs"] += 1
                counts["replacements refused"] += sum("would replace" in str(each.get("reason")) for each in records)
                counts["runs refused"] += code == 2
    faults["originals changed"] += sum(path.read_bytes() != content for path, content in inputs.items())
    faults["originals changed"] += (folder / "out" / "0" / first.name).read_bytes() != inputs[first]


def _rewritten(folder: Path, model: Path, moments: random.Random, faults: Counter[str], counts: Counter[str]) -> None:
    """Rewrite photos in place while they are enhanced; each result is that of one version, or there is none."""
    versions = [encode(Photo(noise(*LARGER, seed), "BMP")) for seed in (1, 2)]
    for each, content in enumerate(versions):
        (folder / "versions").mkdir(parents=True, exist_ok=True)
        (folder / "versions" / f"{each}.bmp").write_bytes(content)
    words = ["--model", model, "--json", "-q"]
    _run([folder / "versions", "-o", folder / "whole", *words])
    whole = {path.read_bytes() for path in (folder / "whole").iterdir()}
    paths = [folder / "in" / f"{number}.bmp" for number in range(WRITTEN)]
    (folder / "in").mkdir()
    for path in paths:
        path.write_bytes(versions[0])
    stop = threading.Event()

    def write() -> None:
        hands, half = random.Random(1), len(versions[0]) // 2
        while not stop.is_set():
            with hands.choice(paths).open("r+b", buffering=0) as file:
                version = hands.choice(versions)
                file.write(version[:half])
                stop.wait(hands.uniform(0, 0.005))
                file.write(version[half:])
            stop.wait(hands.uniform(0, 0.5))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for killer in (moments, None):
            code, records = _run([folder / "in", "-o", folder / "out", *words], killer)
            counts["kills" if code is None else "runs"] += 1
            counts["rewritten: refused in words"] += sum("changes while" in str(each.get("reason")) for each in records)
    finally:
        stop.set()
        writer.join()
    results = [path.read_bytes() for path in (folder / "out").glob("*.bmp")]
    counts["rewritten: results"] += len(results)
    faults["mixed results"] += sum(result not in whole for result in results)


def _zero_tails(folder: Path, model: Path, faults: Counter[str], counts: Counter[str]) -> None:
    """Enhance photos whose second half is zeros, as a full disk or a broken copy leaves them."""
    (folder / "in").mkdir(parents=True)
    for number in range(8):
        for format in CHECKED:
            content = encode(Photo(noise(*LARGER, number), format))
            kept = len(content) * (number + 1) // 10
            path = folder / "in" / f"{number}.{format.lower()}"
            path.write_bytes(content[:kept] + bytes(len(content) - kept))
    _, records = _run([folder / "in", "-o", folder / "out", "--model", model, "--json", "-q"])
    for record in records[:-1]:
        counts["zero tails"] += 1
        if record["status"] == "done" and not record["notes"]:
            faults["damaged accepted"] += 1
            counts[f"zero tails accepted: {Path(str(record['source'])).suffix}"] += 1
