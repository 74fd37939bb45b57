"""A training run that may take several commands: it stops after some time, and goes on where it stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def trained(folder: Path, until: float, begin: Callable[[], list[str]], always: list[str] | None = None) -> Path | None:
    """Train in a folder, or go on with it; return the model, or nothing if the time is over.

    Parameters
    ----------
    folder : Path
        Of the run.
    until : float
        When to stop, in seconds of `time.monotonic`.
    begin : callable
        Returns the options of a new run.
    always : list of str, optional
        Options of a run that goes on as well.
    """
    model = folder / "model.onnx"
    if model.is_file():
        return model
    if time.monotonic() >= until:
        return None
    resumes = (folder / "checkpoint.safetensors").is_file()
    words = [sys.executable, "-m", "enlighten_cli", "train", "-o", str(folder)]
    process = subprocess.Popen([*words, *(["--resume"] if resumes else begin()), *(always or [])])
    try:
        process.wait(None if until == float("inf") else max(until - time.monotonic(), 1))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # writes a checkpoint
        process.wait()
    return model if model.is_file() else None
