"""What a command imports is what its user waits for."""

import subprocess
import sys

import pytest
from conftest import write_photos

import enlighten_cli
from enlighten_cli.cli.commands import DEFAULT, NAMES


def modules_after(*arguments):
    program = (
        "import atexit, sys; atexit.register(lambda: print('loaded:', *sys.modules, file=sys.stderr));"
        "from enlighten_cli.cli import main; main(sys.argv[1:], prog_name='enlighten')"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rsplit("loaded:", 1)[1].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["enhance", "--help"], ["train", "--help"], ["serve", "--help"]]
)
def test_help_and_version_import_nothing_heavy(arguments):
    heavy = {
        "starlette",
        "fastapi",
        "pydantic",
        "uvicorn",
        "numpy",
        "PIL",
        "onnxruntime",
        "torch",
        "onnx",
        "requests",
        "rich",
        "fsspec",
    }
    assert not modules_after(*arguments) & heavy


def test_enhancing_imports_neither_torch_nor_onnx(tmp_path, tiny_model):
    photos = write_photos(tmp_path / "in", 1, exposure=0.2)
    loaded = modules_after(str(photos), "-o", str(tmp_path / "out"), "--model", str(tiny_model))
    assert "onnxruntime" in loaded
    assert not loaded & {"torch", "onnx", "onnxscript", "fsspec"}
    assert not loaded & {f"enlighten_cli.cli.commands.{name}" for name in NAMES if name != DEFAULT}
    assert not loaded & {"enlighten_cli.cluster", "enlighten_cli.evaluation", "enlighten_cli.cli.batch_report"}
    assert (tmp_path / "out" / "0.png").exists()


def test_the_command_tells_the_packages_version():
    words = [sys.executable, "-m", "enlighten_cli", "--version"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said == f"enlighten, version {enlighten_cli.__version__}\n"
