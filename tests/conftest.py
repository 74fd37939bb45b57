"""Small photos, networks and models that the tests make themselves."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from enlighten_cli.photo import Photo, Pixels, encode

os.environ["ENLIGHTEN_CONFIG"] = os.devnull  # that of whoever runs the tests must not matter
if "PYTEST_XDIST_WORKER" in os.environ:  # as many as cores; PyTorch would start as many threads in each
    os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

REPOSITORY = Path(__file__).parent.parent
# Research data that may not be committed; tests that need it skip where it is absent.
SHARED = Path(os.environ.get("ENLIGHTEN_SHARED", REPOSITORY.parent / "shared"))


@pytest.fixture(autouse=True)
def subnormal_numbers() -> Iterator[None]:
    """Give the next test subnormal numbers back: training flushes them to zero, and hypothesis needs them."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


def scene(height: int, width: int, *, seed: int = 0, exposure: float = 0.2) -> Pixels:
    """Draw a scene with edges, gradients and a little noise."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    light = 0.5 + 0.4 * np.sin(rows / 17 + seed) * np.cos(columns / 23)
    rgb = light[..., None] * random.uniform(0.4, 1.0, 3)
    top, left = height // 4, width // 4
    rgb[top : 2 * top + 1, left : 2 * left + 1] = random.uniform(0.2, 1, 3)
    rgb = rgb * exposure + random.normal(0, 0.01, rgb.shape)
    return (rgb.clip(0, 1) * 255).astype(np.uint8)


def write_photos(folder: Path, count: int, *, exposure: float, size: tuple[int, int] = (48, 64)) -> Path:
    """Fill a folder with scenes."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        (folder / f"{seed}.png").write_bytes(encode(Photo(scene(*size, seed=seed, exposure=exposure), "PNG")))
    return folder


def noisy(deviation: float, *, light: float = 0.1) -> np.ndarray:
    """Draw a grey wall with noise of this deviation, in steps of 255."""
    random = np.random.default_rng(0)
    smooth = np.full((300, 400, 3), 255 * light) + random.normal(0, deviation, (300, 400, 1))
    return np.rint(smooth).clip(0, 255).astype(np.uint8)


# Modules that test training, or make their models with its packages, are skipped where those are not installed.
TRAINING = re.compile(r"^(?:import|from) (?:torch|onnx|safetensors|enlighten_cli\.training)\b", re.MULTILINE)
ABSENT = [name for name in ("torch", "onnx", "onnxscript", "safetensors") if find_spec(name) is None]


class WithoutTraining(pytest.Module):
    """A module of tests that cannot be imported here."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Skip it."""
        pytest.skip(f"needs the extra train: no {', '.join(ABSENT)} here", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Skip a module that needs what is not installed."""
    if ABSENT and TRAINING.search(module_path.read_text(encoding="utf-8")):
        return WithoutTraining.from_parent(parent, path=module_path)
    return None


def require_training() -> None:
    """Skip what needs a network that training's packages make."""
    for name in ABSENT:
        pytest.importorskip(name)


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser, where there is one."""
    if not CHROMIUM:
        pytest.skip("no chromium here, so that pages were not opened in a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a network of width 2 whose every layer does something."""
    require_training()
    import torch

    from enlighten_cli.training.checkpoint import write_weights
    from enlighten_cli.training.networks.generator import EnlightenNet

    generator = EnlightenNet(width=2)
    random = torch.Generator().manual_seed(0)
    for name, tensor in generator.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=random)
        elif tensor.is_floating_point():
            tensor.normal_(0.0, 0.4, generator=random)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    write_weights(path, generator, {}, {"name": "tiny"})
    return path


@pytest.fixture(scope="session")
def tiny_model(tiny_weights: Path) -> Path:
    """The same network as an ONNX file."""
    from enlighten_cli.training.export import export_onnx

    path = tiny_weights.with_suffix(".onnx")
    export_onnx(tiny_weights, path, name="tiny", licence="none")
    return path


@pytest.fixture(scope="session")
def vgg_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG-16 weights of the right shapes, drawn at random so that activations neither fade nor grow."""
    require_training()
    import torch

    from enlighten_cli.training.checkpoint import write_tensors
    from enlighten_cli.training.networks.vgg import CONVOLUTIONS, WIDTHS

    random = torch.Generator().manual_seed(0)
    tensors, before = {}, 3
    for name, width in zip(CONVOLUTIONS, WIDTHS, strict=True):
        scale = (2 / (9 * before)) ** 0.5
        tensors[f"{name}.weight"] = torch.empty(width, before, 3, 3).normal_(0, scale, generator=random).half()
        tensors[f"{name}.bias"] = torch.zeros(width).half()
        before = width
    path = tmp_path_factory.mktemp("vgg") / "vgg.safetensors"
    write_tensors(path, tensors, {})
    return path


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser; leave out on Windows what only POSIX has."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    if os.name == "nt":
        for item in items:
            if item.get_closest_marker("posix"):
                item.add_marker(pytest.mark.skip(reason="needs POSIX"))


OBSERVED = pytest.StashKey[list[tuple[str, str]]]()


@pytest.fixture
def observed(request: pytest.FixtureRequest) -> list[tuple[str, str]]:
    """What a server did, and what the user saw: shown at the end of the tests."""
    return request.config.stash.setdefault(OBSERVED, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the table of server misbehaviours that the tests of fetching produced."""
    if rows := terminalreporter.config.stash.get(OBSERVED, []):
        terminalreporter.section("what a server did, and what the user saw")
        for did, saw in rows:
            terminalreporter.write_line(f"{did:42} {saw}")
