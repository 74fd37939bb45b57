"""Diagnose an installation: whether it can enhance photos, and what is wrong if it cannot."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from enlighten_cli import __version__
from enlighten_cli.configuration import configuration_file
from enlighten_cli.errors import EnlightenError
from enlighten_cli.models.device import Device
from enlighten_cli.models.folders import cache_folder, imported_folder
from enlighten_cli.models.providers import CPU, CUDA
from enlighten_cli.models.registry import DEFAULT_MODEL, MODELS
from enlighten_cli.models.runtime import import_runtime, installed_runtimes, usable_providers
from enlighten_cli.models.session import open_model
from enlighten_cli.models.store import damage_of, imported_names
from enlighten_cli.resources import available_cores, available_memory

PACKAGES = ("numpy", "pillow", "pyvips", "click", "requests", "torch", "onnx", "pillow-heif", "rawpy")
NVIDIA_SMI = ("nvidia-smi", "--query-gpu=name,memory.free,memory.total,driver_version", "--format=csv,noheader")


@dataclass
class Diagnosis:
    """The findings about an installation.

    Parameters
    ----------
    facts : dict
        By section; each maps names to text.
    problems : list of str
        What prevents enhancing.
    advice : list of str
        What could be better, with the command that helps.
    """

    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)

    @property
    def is_able(self) -> bool:
        """Whether this installation can enhance photos."""
        return not self.problems

    @property
    def next_step(self) -> str:
        """What to do next: the command that solves a problem, else one that is advised, else to enhance a photo."""
        if self.problems:
            return f"{_remedy(self.problems)}; then: enlighten doctor"
        if self.advice:
            return f"enlighten PHOTO -o OUT/ works; better still: {_remedy(self.advice)}"
        return "enlighten PHOTO -o OUT/"

    def record(self) -> dict[str, Any]:
        """Return all findings for JSON."""
        return {
            "able": self.is_able,
            **self.facts,
            "problems": self.problems,
            "advice": self.advice,
            "next": self.next_step,
        }


def _remedy(findings: list[str]) -> str:
    """Return the first command that findings end with, or the first finding where none has one."""
    commands = (finding.partition("run: ")[2].partition("   (")[0] for finding in findings)
    return next(filter(None, commands), findings[0])


def diagnose() -> Diagnosis:
    """Check versions, runtimes, devices, limits, folders and models, and run the default model on each device."""
    diagnosis = Diagnosis()
    diagnosis.facts["versions"] = _versions()
    diagnosis.facts["machine"] = _machine()
    diagnosis.facts["gpu"] = _gpu()
    diagnosis.facts["runtime"] = _runtime(diagnosis)
    diagnosis.facts["folders"] = _folders(diagnosis)
    diagnosis.facts["models"] = _models(diagnosis)
    return diagnosis


def _versions() -> dict[str, str]:
    versions = {"enlighten": __version__, "python": platform.python_version(), "system": platform.platform()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def _machine() -> dict[str, str]:
    return {
        "cores": f"{available_cores()} of {os.cpu_count()} may be used",
        "memory": f"{available_memory() / 1e9:.1f} GB are free for this process",
    }


def _gpu() -> dict[str, str]:
    try:
        done = subprocess.run(NVIDIA_SMI, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return {"nvidia": "none found by nvidia-smi"}
    return {f"cuda:{number}": line.strip() for number, line in enumerate(done.stdout.splitlines())}


def _runtime(diagnosis: Diagnosis) -> dict[str, str]:
    """List the execution providers, and run the default model on each."""
    installed = installed_runtimes()
    facts = dict(installed) or {"onnxruntime": "not installed"}
    # Where several are installed, the one for a GPU is what was wanted: it computes on the CPU too.
    if len(installed) > 1:
        diagnosis.advice.append(
            f"{' and '.join(installed)} are both installed and overwrite each other's files; "
            f"run: {CUDA.repair(installed)}"
            f"   (or, without a GPU: {CPU.repair(installed)})"
        )
    try:
        runtime = import_runtime()
    except EnlightenError as error:
        diagnosis.problems.append(str(error))
        return facts
    offered = usable_providers(runtime)
    facts["offered"] = ", ".join(runtime.get_available_providers())
    for provider in reversed(offered):
        kind = provider.word
        try:
            model = open_model(DEFAULT_MODEL, device=Device(kind))
            enhanced = model(np.full((64, 64, 3), 0.1, np.float32))
            able = model.provider == provider.name and bool(np.isfinite(enhanced).all())
            facts[kind] = "works" if able else "ran on another device, or returned NaN or infinity"
        except EnlightenError as error:
            facts[kind] = f"does not work: {error}"
        if facts[kind] != "works":
            (diagnosis.problems if provider is CPU else diagnosis.advice).append(f"{kind}: {facts[kind]}")
    if CUDA not in offered and _gpu().get("cuda:0"):
        diagnosis.advice.append(f"there is a GPU, but this ONNX Runtime cannot use it; run: {CUDA.repair(installed)}")
    return facts


def _folders(diagnosis: Diagnosis) -> dict[str, str]:
    facts = {}
    for name, folder in (("cache", cache_folder()), ("models", imported_folder())):
        nearest = next(path for path in (folder, *folder.parents) if os.path.exists(path))
        able = os.access(nearest, os.W_OK | os.X_OK) and os.path.isdir(nearest)
        state = "does not exist yet" if nearest != folder else "exists"
        facts[name] = f"{folder} ({state}, {'writable' if able else 'not writable'})"
        if not able:
            diagnosis.advice.append(
                f"{folder} cannot be written, so models cannot be fetched or imported; change its permissions"
            )
    configuration = configuration_file()
    facts["configuration"] = (
        f"{configuration} ({'exists' if os.path.isfile(configuration) else 'does not exist: nothing is set'})"
    )
    facts["python"] = str(Path(sys.executable))
    return facts


def _models(diagnosis: Diagnosis) -> dict[str, str]:
    facts = {}
    for name in [*MODELS, *imported_names()]:
        if name in MODELS and not MODELS[name].bundled and not os.path.isfile(MODELS[name].path()):
            continue  # never fetched, which is no finding
        try:
            damage = damage_of(name)
        except EnlightenError as error:
            damage = str(error)
        facts[name] = damage or "intact"
        if damage:
            cure = _cure(name)
            (diagnosis.problems if name == DEFAULT_MODEL else diagnosis.advice).append(f"{name}: {damage}; run: {cure}")
    return facts


def _cure(name: str) -> str:
    """Return the command that brings a good copy of a model."""
    if name not in MODELS:
        return f"enlighten models import FILE --name {name} --replace"
    if MODELS[name].bundled:
        return "pip install --force-reinstall --no-deps .   (in a checkout; this package is not on PyPI)"
    return f"enlighten models fetch {name}"
