"""Fuzz what comes from outside for as long as you like: it is taken, or refused with one line.

    python benchmarks/fuzz.py SECONDS [--seed N] [--what photos metadata models]

`photos`: small files of every kind, their bytes changed. `metadata`: XMP, IPTC, PNG texts, EXIF and
TIFF tags, changed where their structure is. `models`: ONNX files, safetensors headers, records. A
surprise (another exception than ours, a crash of the process, seconds on one input) is counted,
and the input written to fuzz-findings/.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

sys.path[:0] = [str(Path(__file__).parent.parent / "tests" / "photo")]

from library import fuzz_metadata
from samples import SRGB, XMP, deep_png, deep_tiff, exif, icc_profile, multi_frame_tiff, saved

from enlighten_cli.errors import EnlightenError, PhotoError
from enlighten_cli.photo import Limits, Metadata, Photo, Strip, as_srgb, decode, encode
from enlighten_cli.photo.gain_map import GainMap, Scale

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "BMP", "HEIF", "JXL")
INTERESTING = np.array([0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF], np.uint8)
HANG_SECONDS = 300.0  # of the clock; the process says where, and ends
SLOW_SECONDS = 5.0  # of this process on one input
PROCESS_SECONDS = 60.0  # then another one goes on, so that a crash costs no more
MOST_MEMORY = 6 << 30
FINDINGS = Path("fuzz-findings")


def seeds() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 255, (12, 16, 3)).astype(np.uint8)
    metadata = Metadata(exif=exif(6, thumbnail=True), xmp=XMP, icc_profile=icc_profile("Display P3"), dpi=(72.0, 72.0))
    photos = [encode(Photo(pixels, format, metadata=metadata)) for format in FORMATS]
    with_alpha = [encode(Photo(pixels, format, alpha=pixels[..., 0])) for format in ("PNG", "WEBP", "TIFF", "AVIF")]
    deep = [deep_png(pixels.astype(np.uint16) * 9), deep_tiff(pixels.astype(np.uint16) * 9, compression="zlib")]
    gain_map = GainMap(pixels[:6, :8], Scale((2.0,) * 3), {"quality": 95})
    odd = [
        encode(Photo(pixels, "JPEG", metadata=metadata, gain_map=gain_map)),
        multi_frame_tiff(),
        saved(Image.fromarray(pixels).convert("CMYK"), "JPEG", icc_profile=SRGB),
        saved(Image.fromarray(pixels).quantize(8), "PNG"),
        saved(Image.fromarray(pixels), "JPEG", progressive=True),
    ]
    return [*photos, *with_alpha, *deep, *odd]


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    data = np.frombuffer(content, np.uint8).copy()
    for _ in range(int(random.integers(1, 9))):
        at = int(random.integers(len(data)))
        kind = random.integers(4)
        if kind == 0:
            data[at] = random.integers(256)
        elif kind == 1:
            data[at : at + 4] = random.choice(INTERESTING)
        elif kind == 2:
            data = data[: max(1, at)]
        else:
            data = np.insert(data, at, data[at : at + int(random.integers(1, 32))])
    return data.tobytes()


def try_photo(content: bytes, random: np.random.Generator) -> None:
    """Read it, leave places out, write it as something else, and read that."""
    photo = decode(content, Limits(max_mpixels=1, allow_truncated=bool(random.integers(2))))
    as_srgb(photo)
    stripped = photo.stripped(Strip.GPS)
    again = stripped.stripped(Strip.GPS)
    if again.metadata != stripped.metadata:
        raise AssertionError("leaving places out twice is not leaving them out once")
    for format in ("PNG", fuzz_metadata.pick(random, ["JPEG", "TIFF", "WEBP"])):
        try:
            written = encode(stripped, format)
        except PhotoError:
            continue  # what it carries does not fit
        decode(written)


class Fuzzer:
    """Tries inputs of one kind in this process, and counts what comes of them.

    Parameters
    ----------
    what : str
    seed : int
    folder : Path
        For files; the input that is being tried is `current` in it.
    """

    def __init__(self, what: str, seed: int, folder: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._what, self._folder = what, folder
        self._random = np.random.default_rng(seed)
        self._seed = seed
        if what == "photos":
            samples = seeds()
            self._makers = [lambda random: mutated(samples[int(random.integers(len(samples)))], random)]
        elif what == "metadata":
            self._makers = list(fuzz_metadata.SAMPLES.values())

    def warm_up(self) -> None:
        """Try each kind once: what is imported takes seconds, for which no input is to be blamed."""
        if self._what == "models":
            from library import fuzz_models

            for trial in fuzz_models.TRIALS.values():
                with contextlib.suppress(Exception):
                    trial(self._folder, self._random)

    def try_one(self) -> None:
        """Make an input and try it; whatever is wrong is kept."""
        began = time.process_time()
        try:
            if self._what == "models":
                from library import fuzz_models

                fuzz_metadata.pick(self._random, list(fuzz_models.TRIALS.values()))(self._folder, self._random)
            else:
                content = fuzz_metadata.pick(self._random, self._makers)(self._random)
                (self._folder / "current").write_bytes(content)
                try_photo(content, self._random)
            self.counts["taken"] += 1
        except EnlightenError as error:
            self.counts["refused"] += 1
            if len(str(error).splitlines()) != 1:
                self._keep("more than a line", str(error))
        except Exception:
            self._keep("surprises", traceback.format_exc())
        if time.process_time() - began > SLOW_SECONDS:
            self._keep("slow", f"{time.process_time() - began:.1f} s")

    def _keep(self, why: str, text: str) -> None:
        self.counts[why] += 1
        keep(self._folder, f"{self._what}-{self._seed}-{why}-{self.counts[why]}", text)


def keep(folder: Path, name: str, text: str) -> None:
    """Write down a finding with the files that it is about."""
    target = FINDINGS / name.replace(" ", "-")
    shutil.copytree(folder, target, dirs_exist_ok=True)
    (target / "why.txt").write_text(text)
    print(f"{name}: {text}", file=sys.stderr)


def work(what: str, seed: int, seconds: float, folder: Path) -> None:
    """Fuzz in a process of its own, writing the counts down as they come."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    fuzzer = Fuzzer(what, seed, folder)
    fuzzer.warm_up()
    began = time.monotonic()
    while True:
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        fuzzer.try_one()
        (folder.parent / "counts.json").write_text(json.dumps(fuzzer.counts))
        if time.monotonic() - began >= seconds:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    kinds = ["photos", "metadata", "models"]
    parser.add_argument("--what", nargs="+", choices=kinds, default=kinds)
    arguments = parser.parse_args()
    totals: dict[str, Counter[str]] = {what: Counter() for what in arguments.what}
    began, seed = time.monotonic(), arguments.seed * 1_000_000
    spawn = multiprocessing.get_context("spawn")  # a fork would share what a crash may have spoilt
    while time.monotonic() - began < arguments.seconds:
        for what in arguments.what:
            seed += 1
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name, "inputs")
                folder.mkdir()
                seconds = min(PROCESS_SECONDS, arguments.seconds / len(arguments.what))
                process = spawn.Process(target=work, args=(what, seed, seconds, folder))
                process.start()
                process.join()
                if process.exitcode:
                    totals[what]["crashes"] += 1
                    keep(folder, f"{what}-{seed}-crash", f"hung, or crashed: exit code {process.exitcode}")
                if (counts := Path(name, "counts.json")).exists():
                    totals[what].update(json.loads(counts.read_text()))
    seconds = time.monotonic() - began
    for what, counts in totals.items():
        print(f"{what}: {counts.total()} inputs: {dict(counts)}")
    print(f"{sum(counts.total() for counts in totals.values())} inputs in {seconds:.0f} s")


if __name__ == "__main__":
    main()
