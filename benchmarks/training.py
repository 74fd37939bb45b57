"""Measure how fast training goes, and what limits it: images a second, and how busy the processors are.

    python benchmarks/training.py [--device cpu|cuda] [--width 16 32] [--precision bf16] [--workers N] [--crop PX]

For each objective: its samples alone, from photos held in memory, and whole steps for each width, as `enlighten
train` takes them; frames and precision are those of `lite`'s recipe. Samples are made on a GPU where it holds the
photos, or by so many workers. `teacher`: what distillation's teacher takes of that, alone. Photos are drawn; VGG-16's
features have random weights, which take as long. Busy: of all cores, by this process and its workers, and of the GPU
where there is one (and nvidia-ml-py).
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import torch

from enlighten_cli.cli.train_options import workers_for
from enlighten_cli.photo import Photo, encode
from enlighten_cli.resources import available_cores
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.batches import batches
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.networks.vgg import CONVOLUTIONS, WIDTHS, VggFeatures
from enlighten_cli.training.objectives.teacher import teacher
from enlighten_cli.training.recipe import config_from, read_options, shared_options
from enlighten_cli.training.registry import OBJECTIVES

RECIPE = Path(__file__).parent.parent / "weights" / "lite.json"
BRIGHTENING = ("enlightengan", "distillation")  # objectives of the generator
PHOTOS, SIDE_PX, LONG = 24, 512, 1_000_000
NVML = importlib.util.find_spec("pynvml") is not None
WARM_UP_STEPS = 12  # what is done once, and samples that workers made before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--width", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="bf16")
    parser.add_argument("--crop", type=int, help="side of a frame, instead of the recipe's")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_flush_denormal(True)
    device = torch.device(arguments.device)
    with tempfile.TemporaryDirectory() as folder:
        options = shared_options(read_options(RECIPE)) | {
            "low": str(photos(Path(folder, "low"), 0.15)),
            "normal": str(photos(Path(folder, "normal"), 1.0)),
            "start": "weights that need not be known here",
            "images": LONG,
            "batch": arguments.batch,
            "precision": arguments.precision,
        }
        if arguments.crop:
            options |= {"crop_px": arguments.crop}
        configs = {
            (name, width): config_from({**options, "objective": name, "width": width}, str(RECIPE))
            for name in BRIGHTENING
            for width in arguments.width
        }
        config = next(iter(configs.values()))
        held = PhotoFolders(config)
        workers = workers_for(held, device, arguments.workers)
        descent = Descent(device, config.precision)
        features = descent.place(random_features())
        made = f"by {workers} workers" if workers else f"ahead, on {held.device}"
        print(f"{device}, crops of {config.crop_px} px, batches of {config.batch}, {config.precision}, samples {made}")
        print(f"{'what':32}{'images/s':>10}{'cores busy':>12}{'GPU busy':>10}")
        for (name, width), config in configs.items():
            objective = OBJECTIVES[name](config, descent, features)
            given = batches(objective.samples(held), config, 0, LONG, workers)
            if width == arguments.width[0]:
                report(f"{name}, samples alone", config, lambda given=given: next(given), device, arguments.steps)
            step = lambda objective=objective, given=given: objective.step(next(given), 0)  # noqa: E731
            report(f"{name}, width {width}", config, step, device, arguments.steps)
        frames = torch.rand(config.batch, 3, config.crop_px, config.crop_px, device=device)
        report("teacher", config, lambda: teacher(frames), device, arguments.steps)


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


def report(what: str, config: TrainConfig, work: Callable[[], object], device: torch.device, steps: int) -> None:
    busy = []

    def repeat(count: int) -> None:
        for _ in range(count):
            work()
            if device.type == "cuda" and NVML:
                busy.append(torch.cuda.utilization(device))
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    repeat(WARM_UP_STEPS)
    busy.clear()
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    before, began = busy_seconds(processes), time.perf_counter()
    repeat(steps)
    seconds = time.perf_counter() - began
    gpu = f"{sum(busy) / len(busy):.0f}%" if busy else "-"
    cores = (busy_seconds(processes) - before) / seconds / available_cores()
    print(f"{what:32}{steps * config.batch / seconds:10.1f}{cores:12.0%}{gpu:>10}", flush=True)


def busy_seconds(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


if __name__ == "__main__":
    main()
