"""ONNX Runtime has telemetry of its own, which must neither write a file nor look up an address."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, write_photos

ENLIGHTEN = [sys.executable, "-m", "enlighten_cli"]
THROUGH_PYTHON = "import sys; from enlighten_cli import Enhancer; Enhancer(sys.argv[1]).enhance_file(*sys.argv[2:])"
# Sockets of the internet, and those by which the C library asks local services for names.
NETWORK = re.compile(r"socket\(AF_INET|nscd|systemd.resolve|sendto\(.*:53\b")


@pytest.mark.posix
@pytest.mark.parametrize(
    "words",
    [
        [*ENLIGHTEN, "in", "-o", "out", "--model", "{model}"],
        [*ENLIGHTEN, "evaluate", "in", "--model", "{model}"],
        [*ENLIGHTEN, "doctor"],
        [sys.executable, "-c", THROUGH_PYTHON, "{model}", "in/0.png", "out.png"],
    ],
    ids=["enhance", "evaluate", "doctor", "python"],
)
def test_a_run_leaves_nothing_in_a_fresh_home_and_opens_no_connection(tmp_path, tiny_model, words):
    home, trace = tmp_path / "home", tmp_path / "trace"
    home.mkdir()
    write_photos(tmp_path / "in", 1, exposure=0.2, size=(128, 128))
    words = [str(tiny_model) if word == "{model}" else word for word in words]
    if strace := shutil.which("strace"):
        words = [strace, "-f", "-qq", "-e", "trace=network", "-o", str(trace), *words]
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    settings |= {"HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(words, cwd=tmp_path, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [path for path in home.rglob("*") if path.is_file()] == []
    if strace:
        assert [line for line in trace.read_text().splitlines() if NETWORK.search(line)] == []


def imports(node):
    """Yield the packages that a module imports when it runs, which what stands below TYPE_CHECKING is not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (name.name.partition(".")[0] for name in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield (child.module or "").partition(".")[0]
        yield from imports(child)


def test_one_place_imports_the_runtime():
    """Whatever loads it elsewhere (a worker of a cluster, a bench) would load it with its telemetry."""
    files = [
        path for folder in ("enlighten_cli", "benchmarks", "examples") for path in (REPOSITORY / folder).rglob("*.py")
    ]
    importing = [path for path in files if "onnxruntime" in imports(ast.parse(path.read_text(encoding="utf-8")))]
    assert importing == [Path(REPOSITORY, "enlighten_cli", "models", "runtime.py")]
