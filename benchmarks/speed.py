"""Measure seconds and memory against megapixels, all ways in one run, alternating.

    python benchmarks/speed.py [--megapixels 0.25 1 4 12 24 100] [--repeat 2] [--output FOLDER]

Ways:
    published   the published architecture at width 32 (random weights serve for speed), the whole photo in
                a default ONNX Runtime session, as EnlightenGAN-inference runs it; up to 4 megapixels, and
                linear beyond, marked with ~
    whole       our model, the whole photo at once (up to 12 megapixels)
    tiled       our model, tiles as 1 GB of memory allows
    fast        our model on a reduced look, its light carried to full size
    floor       decoding and encoding alone
Each measurement is a process of its own. Seconds are without the process's start; `start` adds it, from
the command line to the finished picture. Writes speed.csv and speed.png (log-log).
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

EXAMPLE = Path(__file__).parent.parent / "examples" / "path.jpg"
WAYS = ("published", "whole", "tiled", "fast", "floor")
MOST_MEGAPIXELS = {"published": 4.0, "whole": 12.0}
TILED_BYTES = 10**9


def published_model(path: Path) -> None:
    """Export the published architecture with random weights."""
    from enlighten_cli.training.checkpoint import write_weights
    from enlighten_cli.training.export import export_onnx
    from enlighten_cli.training.networks.generator import EnlightenNet, initialise

    generator = EnlightenNet(32)
    initialise(generator, 0)
    write_weights(path.with_suffix(".safetensors"), generator, {}, {})
    export_onnx(path.with_suffix(".safetensors"), path, name="published architecture", licence="none")


def child(way: str, photo: Path, model: Path) -> None:
    """Measure one way on one photo, and print it as JSON."""
    from enlighten_cli.enhancement.enhance import Mode, Options, enhance
    from enlighten_cli.models.registry import DEFAULT_MODEL
    from enlighten_cli.models.session import Model
    from enlighten_cli.models.store import locate
    from enlighten_cli.photo import decode, encode

    options = {
        "whole": Options(tile_px=0),
        "tiled": Options(mode=Mode.FULL, memory_bytes=TILED_BYTES),
        "fast": Options(mode=Mode.FAST),
    }
    if way == "published":
        import onnxruntime

        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        began = time.perf_counter()
        pixels = decode(photo).pixels
        height, width = (length // 16 * 16 for length in pixels.shape[:2])
        batch = (pixels[:height, :width].astype(np.float32) / 255).transpose(2, 0, 1)[None]
        result = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(batch)})[0]
        bright = (result[0].transpose(1, 2, 0).clip(0, 1) * 255).astype(np.uint8)
        Image.fromarray(bright).save(photo.with_suffix(".out.jpg"), quality=95)
    else:
        network = Model(locate(DEFAULT_MODEL)) if way != "floor" else None
        began = time.perf_counter()
        decoded = decode(photo)
        if network is not None:
            decoded = enhance(decoded, network, options[way], in_place=True)
        photo.with_suffix(".out.jpg").write_bytes(encode(decoded))
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes()}))


def peak_bytes() -> int:
    """Return the most memory that this process had; not what it inherited from whoever started it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measured(way: str, photo: Path, model: Path) -> dict[str, float]:
    words = [sys.executable, __file__, "--child", way, str(photo), str(model)]
    began = time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return {**json.loads(done.stdout.splitlines()[-1]), "start": time.perf_counter() - began}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.25, 1, 4, 12, 24, 100])
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("."))
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        way, photo, model = arguments.child
        child(way, Path(photo), Path(model))
        return
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        model = Path(name, "published.onnx")
        published_model(model)
        best: dict[tuple[str, float], dict[str, float]] = {}
        for megapixels in arguments.megapixels:
            photo = Path(name, f"{megapixels}.jpg")
            with Image.open(EXAMPLE) as image:
                scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
                size = (round(image.width * scale), round(image.height * scale))
                image.resize(size, Image.Resampling.BICUBIC).save(photo, quality=92)
            ways = [way for way in WAYS if megapixels <= MOST_MEGAPIXELS.get(way, 1000)]
            for _ in range(arguments.repeat):
                for way in ways:
                    values = measured(way, photo, model)
                    known = best.setdefault((way, megapixels), values)
                    best[way, megapixels] = {key: min(known[key], value) for key, value in values.items()}
            rows += table(best, megapixels)
            for row in rows[-len(WAYS) :]:
                print("  ".join(f"{value!s:>10}" for value in row.values()), flush=True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    with (arguments.output / "speed.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    plot(best, arguments.output / "speed.png")


def table(best: dict[tuple[str, float], dict[str, float]], megapixels: float) -> list[dict[str, object]]:
    """Lay out what was measured at one size, with the ratios."""
    rows: list[dict[str, object]] = []
    largest = max(size for way, size in best if way == "published")
    published = best["published", min(largest, megapixels)]["seconds"] * max(1.0, megapixels / largest)
    floor = best["floor", megapixels]["seconds"]
    for way in WAYS:
        values = best.get((way, megapixels))
        if values is None and way != "published":
            continue
        seconds = values["seconds"] if values else published
        rows.append(
            {
                "megapixels": megapixels,
                "way": way if values else f"~{way}",
                "seconds": f"{seconds:.2f}",
                "start": f"{values['start']:.2f}" if values else "",
                "peak MB": f"{values['peak_bytes'] / 1e6:.0f}" if values else "",
                "megapixels/s": f"{megapixels / seconds:.2f}",
                "times faster than published": f"{published / seconds:.1f}",
                "times decode + encode": f"{seconds / floor:.1f}",
            }
        )
    return rows


def plot(best: dict[tuple[str, float], dict[str, float]], path: Path) -> None:
    """Draw seconds and memory against megapixels, if matplotlib is here."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no plot: matplotlib is not installed")
        return
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    for axes, key, scale, title in zip(
        figure.subplots(1, 2), ("seconds", "peak_bytes"), (1, 1e6), ("seconds", "peak memory, MB"), strict=True
    ):
        for way in WAYS:
            sizes = sorted(size for each, size in best if each == way)
            axes.loglog(sizes, [best[way, size][key] / scale for size in sizes], marker="o", label=way)
        axes.set(xlabel="megapixels", title=title)
        axes.grid(visible=True, which="both", alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
