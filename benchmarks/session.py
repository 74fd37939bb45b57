"""Measure what settings of an ONNX Runtime session on the CPU cost and give, and memory a pixel.

    python benchmarks/session.py [--model NAME|FILE]... [--side 768] [--repeat 3]

First table: seconds to load, seconds a run and peak memory above the loaded model, for each setting,
in processes of their own, alternating, the best of all repeats. Second table: peak memory a pixel and a channel of
the first level, for growing squares; `BYTES_PER_PIXEL_AND_CHANNEL` in `enlighten_cli/models/session.py` is
meant to lie above all of them.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.models.runtime import import_runtime
from enlighten_cli.models.session import BYTES_PER_PIXEL_AND_CHANNEL, Model, session_options
from enlighten_cli.models.store import locate

SETTINGS = (
    "ONNX Runtime's own", "no arena", "no memory pattern", "neither", "no spinning", "denormals to zero",
    "basic optimisation", "optimised beforehand", "as shipped",
)  # fmt: skip
SIDES = (256, 512, 1024, 1536, 2048)


def peak_bytes() -> int:
    """Return the most memory that this process had; not what it inherited from whoever started it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def child(setting: str, model: str, side: int, runs: int) -> None:
    """Load a session with one setting, run it, and print what that took as JSON."""
    ort = import_runtime()

    options = session_options() if setting == "as shipped" else ort.SessionOptions()
    options.intra_op_num_threads = session_options().intra_op_num_threads
    if setting in ("no arena", "neither"):
        options.enable_cpu_mem_arena = False
    if setting in ("no memory pattern", "neither"):
        options.enable_mem_pattern = False
    if setting == "no spinning":
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if setting == "denormals to zero":
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
    if setting == "basic optimisation":
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    graph = Path(model).read_bytes()
    if setting == "optimised beforehand":
        optimised = Path(model).with_suffix(".optimised.tmp.onnx")
        options.optimized_model_filepath = str(optimised)
        ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        graph = optimised.read_bytes()
        optimised.unlink()
        options = session_options()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    began = time.perf_counter()
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    load = time.perf_counter() - began
    batch = np.random.default_rng(0).random((1, 3, side, side), np.float32) * np.float32(0.2)
    before = peak_bytes()
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        session.run(None, {session.get_inputs()[0].name: batch})
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"load": load, "run": min(seconds), "first": seconds[0], "peak": peak_bytes() - before}))


def measured(setting: str, model: Path, side: int, runs: int) -> dict[str, float]:
    words = [sys.executable, __file__, "--child", setting, str(model), str(side), str(runs)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    values: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append")
    parser.add_argument("--side", type=int, default=768)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        setting, model, side, runs = arguments.child
        child(setting, model, int(side), int(runs))
        return
    for name in arguments.model or [DEFAULT_MODEL]:
        path = locate(name)
        best: dict[str, dict[str, float]] = {}
        for _ in range(arguments.repeat):
            for setting in SETTINGS:
                values = measured(setting, path, arguments.side, 4)
                known = best.setdefault(setting, values)
                best[setting] = {key: min(known[key], value) for key, value in values.items()}
        print(f"{name}, {arguments.side} x {arguments.side}\n{'':26}     load    first      run    peak MB")
        for setting, values in best.items():
            seconds = " ".join(f"{values[key]:8.3f}" for key in ("load", "first", "run"))
            print(f"{setting:26} {seconds} {values['peak'] / 1e6:10.0f}")
        width = Model(path).bytes_per_pixel / BYTES_PER_PIXEL_AND_CHANNEL
        for side in arguments.sides:
            peak = measured("as shipped", path, side, 2)["peak"]
            print(f"{side:5} x {side:<5} {peak / side**2 / width:6.1f} bytes a pixel and channel")


if __name__ == "__main__":
    main()
