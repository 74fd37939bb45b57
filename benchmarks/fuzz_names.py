"""Odd names in every place that takes a path: `python benchmarks/fuzz_names.py` (POSIX).

Each name is given in each place to the command, which may fail in words, but never with an internal error (exit code
70), by a signal, with a traceback, or later than `MOST_SECONDS`. As root, it runs without capabilities, so that modes
bind it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from soak import ENLIGHTEN, identity_model, noise

from enlighten_cli.photo import Photo, encode

MOST_SECONDS = 20.0
INTERNAL_ERROR = 70
AT_ONCE = 3
NAMES = {
    "too long": b"n" * 300 + b".png",
    "too deep": b"d/" * 3000 + b"x.png",
    "loop": b"loop.png",
    "dangling": b"dangling.png",
    "below a file": b"good.png/x.png",
    "fifo": b"fifo.png",
    "locked": b"locked/x.png",
    "not UTF-8": b"latin\xe9.png",
    "deleted folder": b"good.png",  # a working folder that is gone
}
Words = list[bytes | str | Path]


def places(model: Path) -> dict[str, Callable[[bytes], Words]]:
    """Return the places by their names: each makes the words of a command from a name."""
    same: Words = ["--model", model]
    out: Words = ["-o", "out/", *same]
    score: Words = ["--method", "input"]
    return {
        "photo": lambda name: [name, *out],
        "photos": lambda name: ["good.png", name, *out],
        "--dry-run": lambda name: ["good.png", name, *out, "--dry-run"],
        "--json": lambda name: ["good.png", name, *out, "--json"],
        "in place": lambda name: [name, *same],
        "--files-from": lambda name: ["--files-from", name, *out],
        "-o file": lambda name: ["good.png", "-o", name, *same],
        "-o file --overwrite": lambda name: ["good.png", "-o", name, "--overwrite", *same],
        "-o folder": lambda name: ["good.png", "-o", name + b"/", *same],
        "-o --dry-run": lambda name: ["good.png", "-o", name, "--dry-run", *same],
        "stdin -o": lambda name: ["-", "-o", name, *same],
        "--report": lambda name: ["good.png", *out, "--report", name],
        "--report .html": lambda name: ["good.png", *out, "--report", name + b".html"],
        "--model": lambda name: ["good.png", "-o", "out/", "--model", name],
        "--model .onnx": lambda name: ["good.png", "-o", "out/", "--model", name + b".onnx"],
        "preview": lambda name: ["preview", "good.png", name, "-o", "sheet.png", *same],
        "preview -o": lambda name: ["preview", "good.png", "-o", name, *same],
        "preview --files-from": lambda name: ["preview", "--files-from", name, "-o", "sheet.png", *same],
        "evaluate": lambda name: ["evaluate", name, *score],
        "evaluate --reference": lambda name: ["evaluate", "photos", "--reference", name, *score],
        "evaluate --compare": lambda name: ["evaluate", "photos", "--compare", name, *score],
        "evaluate --outputs": lambda name: ["evaluate", "photos", "--outputs", b"a=" + name],
        "blind -o": lambda name: ["blind", "photos", "--method", "gamma", *score, "-o", name + b".html"],
        "votes": lambda name: ["votes", name],
        "models import": lambda name: ["models", "import", name],
        "ENLIGHTEN_CONFIG": lambda name: ["good.png", *out],
    }


def main() -> None:
    """Try every name in every place, and print what was wrong and how often each exit code came."""
    codes: Counter[int] = Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        model = identity_model(Path(folder))

        def attempt(trial: tuple[str, str]) -> tuple[str, int, float, bytes]:
            kind, place = trial
            words = places(model)[place](NAMES[kind])
            config = NAMES[kind] if place == "ENLIGHTEN_CONFIG" else None
            with _furnished(Path(tempfile.mkdtemp(dir=folder))) as here:
                return f"{kind}, {place}", *_tried(here, words, kind, config)

        for what, code, seconds, said in pool.map(attempt, product(NAMES, places(model))):
            codes[code] += 1
            if code == INTERNAL_ERROR or code < 0 or seconds > MOST_SECONDS or b"Traceback" in said:
                faults.append(f"{what}: exit {code}, {seconds:.1f} s: {said[-300:].decode(errors='replace')}")
    print(f"{codes.total()} tried; exit codes: {dict(sorted(codes.items()))}; faults: {len(faults)}")
    print(*faults, sep="\n")
    sys.exit(bool(faults))


@contextmanager
def _furnished(here: Path) -> Iterator[Path]:
    """Yield a folder with all the names in it; it can be removed at the end."""
    (here / "photos").mkdir()
    (here / "locked").mkdir()
    content = encode(Photo(noise(32, 48, 0), "PNG"))
    for name in (b"good.png", b"photos/good.png", b"locked/x.png", b"latin\xe9.png"):
        (here / os.fsdecode(name)).write_bytes(content)
    (here / "loop.png").symlink_to("loop2.png")
    (here / "loop2.png").symlink_to("loop.png")
    (here / "dangling.png").symlink_to("nowhere/x.png")
    os.mkfifo(here / "fifo.png")
    (here / "locked").chmod(0)
    try:
        yield here
    finally:
        (here / "locked").chmod(0o700)


def _tried(here: Path, words: Words, kind: str, config: bytes | None) -> tuple[int, float, bytes]:
    """Run the command in a folder; return its exit code, seconds, and what it said."""
    command: list[str | bytes | Path] = [*ENLIGHTEN, *words]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", *command]
    if kind == "deleted folder":
        command = ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh", *command]
    environment = {**os.environb}
    if config is not None:
        environment[b"ENLIGHTEN_CONFIG"] = config
    began = time.monotonic()
    try:
        done = subprocess.run(
            command, cwd=here, env=environment, input=b"", capture_output=True, timeout=MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as late:
        return -9, time.monotonic() - began + MOST_SECONDS, late.stderr or b""
    return done.returncode, time.monotonic() - began, done.stderr


if __name__ == "__main__":
    main()
