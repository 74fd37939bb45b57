"""Measure seconds and memory against megapixels, from the command line to the finished photo.

    python benchmarks/speed.py [--megapixels 1 4 24 100] [--repeat 3] [--ways NAME ...] [--output FOLDER]
    python benchmarks/speed.py --tiff 1000        one TIFF file of so many megapixels, compressed, from file to file

Ways:
    floor       the same JPEG decoded and encoded by Pillow, without the start of Python
    start       a photo of 64 x 48 pixels: what is left is the start
    off         fast mode, a clean photo, without denoising
    clean       the same, with the default: --denoise auto
    turned      the same as off, of a photo that is stored turned by a quarter, as cameras do
    noisy       the same as clean, of a photo with visible noise
    tiled       full mode, tiles in 1 GB (up to 24 megapixels)
    published   the published architecture at width 32 (random weights serve for speed), whole, in a default session
                of ONNX Runtime, as EnlightenGAN-inference runs it (up to 4 megapixels)
All ways take turns, so that other load on the machine hits all of them; a ratio is that of one turn. Printed are
medians, and the least and the greatest ratio. Each measurement is a process of its own, started by launcher.py. Photos
are made from an example: reduced, which removes its noise, and enlarged. Writes speed.csv and speed.png (log-log).
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from enlighten_cli.models.providers import CPU
from enlighten_cli.models.runtime import import_runtime

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "examples" / "path.jpg"
ENLIGHTEN = [sys.executable, "-m", "enlighten_cli"]
LAUNCHER = [sys.executable, "-I", "-S", str(HERE / "launcher.py")]
MOST_MEGAPIXELS = {"published": 4.0, "tiled": 24.0}
REDUCED = 4  # times, each side
NOISE = 4.0  # standard deviation, in steps of 255
QUALITY = 92
ORIENTATION, UPRIGHT, QUARTER = 0x0112, 1, 6  # a tag of EXIF, and two of its values

Measured = dict[str, float]


def commands(photos: dict[str, Path], model: Path, result: Path) -> dict[str, list[str]]:
    """Return the command of each way."""

    def enhance(photo: str, *options: str) -> list[str]:
        return [*ENLIGHTEN, str(photos[photo]), "-o", str(result), "--overwrite", "-q", *options]

    def child(name: str) -> list[str]:
        return [sys.executable, __file__, "--child", name, str(photos["clean"]), str(model)]

    return {
        "floor": child("floor"),
        "start": enhance("small"),
        "off": enhance("clean", "--denoise", "off"),
        "clean": enhance("clean"),
        "turned": enhance("turned", "--denoise", "off"),
        "noisy": enhance("noisy"),
        "tiled": enhance("clean", "--mode", "full", "--memory", "1000"),
        "published": child("published"),
    }


def make_photos(folder: Path, megapixels: float) -> dict[str, Path]:
    """Write a clean photo of this size, the same stored turned, a noisy one, and a small one."""
    with Image.open(EXAMPLE) as image:
        small = image.convert("RGB").reduce(REDUCED)
    scale = (megapixels * 1e6 / (small.width * small.height)) ** 0.5
    clean = small.resize((round(small.width * scale), round(small.height * scale)), Image.Resampling.BICUBIC)
    random = np.random.default_rng(0)
    noisy = np.asarray(clean).copy()
    for band in np.array_split(noisy, max(1, len(noisy) // 256)):  # views
        band[:] = np.rint(band + random.normal(0, NOISE, band.shape).astype(np.float32)).clip(0, 255)
    photos = {"clean": clean, "turned": clean, "noisy": Image.fromarray(noisy), "small": small.resize((64, 48))}
    paths = {name: folder / f"{name}-{megapixels:g}.jpg" for name in photos}
    exif = Image.Exif()
    for name, photo in photos.items():
        exif[ORIENTATION] = QUARTER if name == "turned" else UPRIGHT
        photo.save(paths[name], quality=QUALITY, subsampling=2, exif=exif)
    return paths


def floor(photo: Path, _: Path) -> None:
    """Decode and encode a photo with Pillow, and print the seconds."""
    began = time.perf_counter()
    with Image.open(io.BytesIO(photo.read_bytes())) as image:
        image.load()
        image.save(io.BytesIO(), "JPEG", qtables=image.quantization, subsampling=2)
    print(time.perf_counter() - began)


def published(photo: Path, model: Path) -> None:
    """Enhance a photo with the published architecture, and print the seconds."""
    session = import_runtime().InferenceSession(model, providers=[CPU.name])
    began = time.perf_counter()
    with Image.open(photo) as image:
        pixels = np.asarray(image)
    height, width = (length // 16 * 16 for length in pixels.shape[:2])
    batch = (pixels[:height, :width].astype(np.float32) / 255).transpose(2, 0, 1)[None]
    result = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(batch)})[0]
    bright = (result[0].transpose(1, 2, 0).clip(0, 1) * 255).astype(np.uint8)
    Image.fromarray(bright).save(io.BytesIO(), "JPEG", quality=QUALITY)
    print(time.perf_counter() - began)


CHILDREN: dict[str, Callable[[Path, Path], None]] = {"floor": floor, "published": published}


def published_model(path: Path) -> None:
    """Export the published architecture with random weights."""
    from enlighten_cli.training.checkpoint import write_weights
    from enlighten_cli.training.export import export_onnx
    from enlighten_cli.training.networks.generator import EnlightenNet, initialise

    generator = EnlightenNet(32)
    initialise(generator, 0)
    write_weights(path.with_suffix(".safetensors"), generator, {}, {})
    export_onnx(path.with_suffix(".safetensors"), path, name="published architecture", licence="none")


def show_tiff(megapixels: float) -> None:
    """Print the seconds and the peak memory of one compressed TIFF file, which is never in memory as a whole."""
    import pyvips

    with tempfile.TemporaryDirectory() as name:
        small = pyvips.Image.new_from_file(str(EXAMPLE)).shrink(REDUCED, REDUCED)
        scale = (megapixels * 1e6 / (small.width * small.height)) ** 0.5
        photo, result = Path(name, "photo.tif"), Path(name, "result.tif")
        small.resize(scale, kernel="linear").cast("uchar").tiffsave(str(photo), compression="deflate")
        values = measured(
            [*ENLIGHTEN, str(photo), "-o", str(result), "-q", "--max-mpixels", str(int(1.1 * megapixels) + 1)]
        )
        sizes = " to ".join(f"{path.stat().st_size / 1e6:.0f} MB" for path in (photo, result))
        print(f"{megapixels:g} megapixels, {sizes}: {values['seconds']:.1f} s, {values['peak_bytes'] / 1e6:.0f} MB")


def measured(command: list[str]) -> Measured:
    # An installed package is compiled; this variable would have a checkout compiled anew at each start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([*LAUNCHER, *command], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    values = json.loads(done.stdout)
    said = values.pop("said").strip()
    return {**values, "own_seconds": float(said) if said else values["seconds"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 4, 24, 100])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--ways", nargs="+", help="only these, and the floor")
    parser.add_argument("--output", type=Path, default=Path("."))
    parser.add_argument("--tiff", type=float, metavar="MEGAPIXELS")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        way, photo, model = arguments.child
        CHILDREN[way](Path(photo), Path(model))
        return
    if arguments.tiff:
        show_tiff(arguments.tiff)
        return
    rows: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as name:
        model = Path(name, "published.onnx")
        published_model(model)
        for megapixels in arguments.megapixels:
            ways = commands(make_photos(Path(name), megapixels), model, Path(name, "result.jpg"))
            turns = [
                {
                    way: measured(command)
                    for way, command in ways.items()
                    if megapixels <= MOST_MEGAPIXELS.get(way, 1e9)
                    and (not arguments.ways or way in ("floor", *arguments.ways))
                }
                for _ in range(arguments.repeat)
            ]
            for way in turns[0]:
                rows.append(row(megapixels, way, turns))
                print("  ".join(f"{value:>14}" for value in rows[-1].values()), flush=True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    with (arguments.output / "speed.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    plot(rows, arguments.output / "speed.png")


def row(megapixels: float, way: str, turns: list[dict[str, Measured]]) -> dict[str, str]:
    """Lay out what was measured of one way at one size."""

    def middle(key: str) -> float:
        return median(turn[way][key] for turn in turns)

    seconds = "own_seconds" if way in CHILDREN else "seconds"
    ratios = [turn[way][seconds] / turn["floor"]["own_seconds"] for turn in turns]
    to_off = [turn[way]["seconds"] / turn["off"]["seconds"] for turn in turns if "off" in turn]
    return {
        "megapixels": f"{megapixels:g}",
        "way": way,
        "seconds": f"{middle(seconds):.2f}",
        "CPU seconds": f"{middle('cpu_seconds'):.2f}",
        "peak MB": f"{max(turn[way]['peak_bytes'] for turn in turns) / 1e6:.0f}",
        "x floor": f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
        "x off": f"{median(to_off):.2f} ({min(to_off):.2f}-{max(to_off):.2f})" if to_off else "",
    }


def plot(rows: list[dict[str, str]], path: Path) -> None:
    """Draw seconds and memory against megapixels, if matplotlib is here."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no plot: matplotlib is not installed")
        return
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    for axes, key in zip(figure.subplots(1, 2), ("seconds", "peak MB"), strict=True):
        for way in dict.fromkeys(row["way"] for row in rows):
            points = [(float(row["megapixels"]), float(row[key])) for row in rows if row["way"] == way]
            axes.loglog(*zip(*points, strict=True), marker="o", label=way)
        axes.set(xlabel="megapixels", title=key)
        axes.grid(visible=True, which="both", alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
