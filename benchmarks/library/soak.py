"""Many photos, hostile ones among them, and a process killed again and again: `python benchmarks/batch.py mixed`."""

from __future__ import annotations

import io
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from enlighten_cli.photo import Photo, decode, encode

ENLIGHTEN = [sys.executable, "-m", "enlighten_cli"]
SIZE = (40, 60)
DIFFERENT = 60  # photos that differ; the others are copies
A_FOLDER = 500
SPARSE = 1
FORMATS = ("JPEG", "PNG", "WEBP")


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
    good, bomb = encode(Photo(noise(*SIZE, 0), "JPEG")), io.BytesIO()
    Image.new("1", (20000, 20000)).save(bomb, "PNG")
    return {
        "truncated.jpg": good[: len(good) // 2],
        "empty.png": b"",
        "text.jpg": b"this is no photo\n",
        "bomb.png": bomb.getvalue(),
        "float.tif": b"II*\0\x08\0\0\0\0\0",
        "document.webp": b"%PDF-1.7\n",
        "noise.avif": bytes(range(256)),
        "header.png": encode(Photo(noise(*SIZE, 0), "PNG"))[:33],
    }


@dataclass
class Soak:
    """A folder of photos, and what is known of their results.

    Parameters
    ----------
    folder : Path
    photos, hostile : int
        How many there are to be; the hostile ones come on top.
    """

    folder: Path
    photos: int
    hostile: int
    inputs: dict[Path, bytes] = field(default_factory=dict)
    results: dict[str, tuple[int, int]] = field(default_factory=dict)  # by path: size, time of the last change
    references: dict[bytes, bytes] = field(default_factory=dict)  # the result of each input
    faults: Counter[str] = field(default_factory=Counter)

    def write(self) -> None:
        """Write the photos, the hostile ones evenly among them, a huge file, a pipe and a dangling link."""
        good = [(FORMATS[seed % 3], encode(Photo(noise(*SIZE, seed), FORMATS[seed % 3]))) for seed in range(DIFFERENT)]
        bad = list(bad_files().items())
        source = self.folder / "in"
        for number in range(self.photos):
            format, content = good[number % DIFFERENT]
            self._add(number, f"{number:06d}.{format.lower()}", content)
        for number in range(self.hostile):
            name, content = bad[number % len(bad)]
            self._add(number * self.photos // self.hostile, f"{number:06d}-{name}", content)
        sparse = source / "0000" / "sparse.jpg"
        sparse.write_bytes(good[0][1])
        os.truncate(sparse, 2 << 30)  # takes no room, and would take all memory
        os.mkfifo(source / "0000" / "pipe.jpg")
        (source / "0000" / "link.jpg").symlink_to("nowhere.jpg")
        (source / "0000" / "notes.txt").write_text("not a photo, and not called one")

    def _add(self, place: int, name: str, content: bytes) -> None:
        path = self.folder / "in" / f"{place // A_FOLDER:04d}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.inputs[path] = content

    def check_new_results(self) -> None:
        """Look at the results that came since the last time: is each the whole of what its photo gives?"""
        for parent, _, names in os.walk(self.folder / "out"):
            for name in names:
                path = os.path.join(parent, name)
                if path in self.results or name.startswith("."):
                    continue
                status = os.stat(path)
                self.results[path] = status.st_size, status.st_mtime_ns
                self._check(Path(path))

    def _check(self, path: Path) -> None:
        source = self.inputs[self.folder / "in" / path.relative_to(self.folder / "out")]
        content = path.read_bytes()
        if source not in self.references:
            try:
                if decode(content).pixels.shape[:2] != SIZE:
                    raise ValueError
            except Exception:
                self.faults["half-written"] += 1
                return
            self.references[source] = content
        elif content != self.references[source]:
            self.faults["half-written"] += 1

    def check_all(self, failed: int) -> None:
        """Count what is missing, what was written twice, what was left behind, and inputs that changed."""
        self.check_new_results()
        for path, known in self.results.items():
            status = os.stat(path)
            self.faults["written again"] += (status.st_size, status.st_mtime_ns) != known
        self.faults["lost"] += self.photos - len(self.results)
        self.faults["hostile ones not refused"] += self.hostile + SPARSE - failed
        self.faults["temporaries left"] += len(list((self.folder / "out").rglob(".*")))
        self.faults["changed inputs"] += sum(path.read_bytes() != content for path, content in self.inputs.items())


@dataclass
class Tally:
    """What all parts of a soak come to."""

    kills: int = 0
    at_work: int = 0
    hostile: int = 0
    peak_mb: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


def mixed(photos: int, kills: int, hostile: float, most_seconds: float, parts: int) -> None:
    """Kill and start again, then let it end, and count what went wrong.

    A quarter of the kills come at any moment from the start on, the others while results are
    being written: after so many of them that the last kills meet the last photos. In several parts, each with its
    own folder, starting again takes less of the time, because a run looks at all that is done.
    """
    tally, moments, began = Tally(), random.Random(0), time.monotonic()
    for part in range(1, parts + 1):
        left = most_seconds - (time.monotonic() - began)
        _soak(tally, moments, photos // parts, kills // parts, hostile, left)
        seconds = time.monotonic() - began
        print(
            f"  part {part} of {parts}: {tally.kills} kills, {seconds:.0f} s, faults {dict(+tally.faults)}", flush=True
        )
    print(f"{photos} photos and {tally.hostile} hostile ones, {tally.kills} kills ({tally.at_work} of them at work)")
    for reason, count in tally.refused.most_common():
        print(f"  {count} refused: {reason}")
    print(f"{seconds:.0f} s, peak memory of a run {tally.peak_mb:.0f} MB")
    print(", ".join(f"{what}: {count}" for what, count in tally.faults.items()))


def _soak(tally: Tally, moments: random.Random, photos: int, kills: int, hostile: float, most_seconds: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        soak = Soak(Path(name), photos, max(len(bad_files()), round(photos * hostile)))
        soak.write()
        model = identity_model(soak.folder)
        words = [*ENLIGHTEN, str(soak.folder / "in"), "-o", str(soak.folder / "out"), "--model", str(model)]
        killed, began = 0, time.monotonic()
        while killed < kills and time.monotonic() - began < most_seconds:
            wanted = 0 if moments.random() < 0.25 else moments.uniform(0, 2 * photos / max(kills, 1))
            done, memory = _killed([*words, "--json", "-q"], wanted, moments)
            killed += 1
            tally.at_work += done > 0
            tally.peak_mb = max(tally.peak_mb, memory)
            soak.check_new_results()
        lines: list[bytes] = []
        with _started([*words, "--json", "-q"]) as last:
            assert last.stdout is not None
            for line in last.stdout:
                lines.append(line)
                if len(lines) % 100 == 0 or b'"summary"' in line:
                    tally.peak_mb = max(tally.peak_mb, _peak_mb(last))
        records = [json.loads(line) for line in lines]
        failed = [record for record in records[:-1] if record["status"] == "failed"]
        soak.check_all(len(failed))
        soak.faults["runs without a summary"] += not (records and records[-1].get("type") == "summary")
        tally.kills += killed
        tally.hostile += soak.hostile
        tally.refused.update(_reason(record) for record in failed)
        tally.faults.update(soak.faults)


def _reason(record: dict[str, str]) -> str:
    return f"{Path(record['source']).name.rpartition('-')[2]}: {record['reason']}"


def _started(words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _killed(words: list[str], wanted: float, moments: random.Random) -> tuple[int, float]:
    """Start a run and kill it: after so many new results, or somewhere in the first seconds.

    Returns how many results it told of until then, and its peak memory in MB.
    """
    done = 0
    with _started(words) as process:
        assert process.stdout is not None
        if wanted:
            for line in process.stdout:
                done += b'"status": "done"' in line
                if done >= wanted:
                    break
            time.sleep(moments.uniform(0, 0.02))
        else:
            time.sleep(moments.uniform(0, 3))
        peak = _peak_mb(process)
        process.kill()
    return done, peak


def _peak_mb(process: subprocess.Popen[bytes]) -> float:
    """Read what memory a process took at most so far; 0 if it has ended, or the system does not say."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0
