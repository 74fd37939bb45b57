"""Measure how fast training goes, and what limits it: images a second, and how busy the processors are.

    python benchmarks/training.py [--device cpu|cuda] [--width 16 32] [--precision bf16] [--workers N] [--crop PX]

For each width: samples alone, with what lifting makes of them and without, from photos held in memory; the lessons
of a warm start; and whole adversarial steps, by the recipe of `lite`. Samples are made as `enlighten train` has
them made (on a GPU, where it holds the photos), or by so many workers. Photos are drawn; VGG-16's features
have random weights, which take as long. Busy: of all cores, by this process and its workers, and of the GPU
where there is one (and nvidia-ml-py).
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import torch
from enlighten_cli.training.objectives.steps import step

from enlighten_cli.cli.train_options import workers_for
from enlighten_cli.photo import Photo, encode
from enlighten_cli.resources import available_cores
from enlighten_cli.training.checkpoint import TrainState
from enlighten_cli.training.config import TrainConfig, read_options
from enlighten_cli.training.data.dataset import UnpairedPhotos, batches
from enlighten_cli.training.networks.vgg import CONVOLUTIONS, WIDTHS, VggFeatures

RECIPE = Path(__file__).parent.parent / "weights" / "lite.json"
PHOTOS, SIDE_PX, LONG = 24, 512, 1_000_000
NVML = importlib.util.find_spec("pynvml") is not None
WARM_UP_STEPS = 12  # what is done once, and samples that workers made before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--width", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="bf16")
    parser.add_argument("--crop", type=int, help="crops of whole photos, as in the paper, instead of the recipe's")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_flush_denormal(True)
    device = torch.device(arguments.device)
    with tempfile.TemporaryDirectory() as folder:
        options = read_options(RECIPE) | {
            "low": str(photos(Path(folder, "low"), 0.15)),
            "normal": str(photos(Path(folder, "normal"), 1.0)),
            "start": "weights that need not be known here",
            "images": LONG,
            "warm_start_images": LONG,
            "batch": arguments.batch,
            "precision": arguments.precision,
            "lift_weight": 0.0,
            "well_lit_weight": 0.0,
        }
        if arguments.crop:
            options |= {"crop_px": arguments.crop, "frame": "photo", "frame_min": 1.0, "look_pixels": 0}
        config = TrainConfig.from_mapping(options, str(RECIPE))
        held = UnpairedPhotos(config)
        workers = workers_for(held, device, arguments.workers)
        features = random_features().to(device, memory_format=torch.channels_last)
        made = f"by {workers} workers" if workers else f"ahead, on {held.normal[0].device}"
        print(f"{device}, crops of {config.crop_px} px, batches of {config.batch}, {config.precision}, samples {made}")
        print(f"{'what':28}{'images/s':>10}{'cores busy':>12}{'GPU busy':>10}")
        for what, lessons in (("lifted", LONG), ("not lifted", 0)):
            held.config = replace(config, warm_start_images=lessons)
            report(f"samples alone, {what}", held, None, features, workers, arguments.steps)
        for width in arguments.width:
            for what, lessons in (("lessons", LONG), ("adversarial steps", 0)):
                held.config = replace(config, width=width, warm_start_images=lessons)
                state = TrainState(held.config, device)
                report(f"width {width}, {what}", held, state, features, workers, arguments.steps)


def photos(folder: Path, exposure: float) -> Path:
    """Draw photos: smooth light, edges and noise."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(PHOTOS):
        coarse = random.uniform(0, 255 * exposure, (9, 9, 3))
        rgb = np.kron(coarse, np.ones((57, 57, 1)))[:SIDE_PX, :SIDE_PX] + random.normal(0, 2, (SIDE_PX, SIDE_PX, 3))
        (folder / f"{number}.png").write_bytes(encode(Photo(rgb.clip(0, 255).astype(np.uint8), "PNG")))
    return folder


def random_features() -> VggFeatures:
    random = torch.Generator().manual_seed(0)
    inputs = (3, *WIDTHS[:-1])
    tensors = {}
    for name, before, after in zip(CONVOLUTIONS, inputs, WIDTHS, strict=True):
        tensors[f"{name}.weight"] = torch.randn((after, before, 3, 3), generator=random) * (2 / (9 * before)) ** 0.5
        tensors[f"{name}.bias"] = torch.zeros(after)
    return VggFeatures(tensors)


def report(
    what: str, held: UnpairedPhotos, state: TrainState | None, features: VggFeatures, workers: int, steps: int
) -> None:
    given = batches(held, 0, workers)
    busy = []

    def work(count: int) -> None:
        for _ in range(count):
            sample = next(given)
            if state:
                step(state, features, sample)
                if state.device.type == "cuda" and NVML:
                    busy.append(torch.cuda.utilization(state.device))
        if sample.low.is_cuda:
            torch.cuda.synchronize(sample.low.device)

    work(WARM_UP_STEPS)
    busy.clear()
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    before, began = busy_seconds(processes), time.perf_counter()
    work(steps)
    seconds = time.perf_counter() - began
    gpu = f"{sum(busy) / len(busy):.0f}%" if busy else "-"
    cores = (busy_seconds(processes) - before) / seconds / available_cores()
    print(f"{what:28}{steps * held.config.batch / seconds:10.1f}{cores:12.0%}{gpu:>10}", flush=True)


def busy_seconds(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


if __name__ == "__main__":
    main()
