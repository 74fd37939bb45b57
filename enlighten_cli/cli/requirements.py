"""Check the packages that a command needs, before it begins."""

from __future__ import annotations

from importlib.util import find_spec

from enlighten_cli.errors import MissingDependencyError, how_to_install

SERVING_PACKAGES = {"fastapi": "fastapi", "uvicorn": "uvicorn", "python_multipart": "python-multipart"}
TRAINING_PACKAGES = ("torch", "onnx", "onnxscript", "safetensors")


def require_training() -> None:
    """Refuse to begin without PyTorch, the exporter, and ONNX Runtime, which checks the exported file.

    Raises
    ------
    MissingDependencyError
        If one is absent; the message has the command.
    """
    missing = [name for name in TRAINING_PACKAGES if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(f"training needs {' '.join(missing)}; {how_to_install('train', *missing)}")
    from enlighten_cli.models.runtime import import_runtime

    import_runtime()


def require_tensorboard() -> None:
    """Refuse to begin without the package that writes TensorBoard's event files.

    Raises
    ------
    MissingDependencyError
        If it is absent; the message has the command.
    """
    if find_spec("tensorboard") is None:
        raise MissingDependencyError(f"--tensorboard needs tensorboard; {how_to_install('tensorboard', 'tensorboard')}")


def require_serving() -> None:
    """Refuse to begin without the packages of the server.

    Raises
    ------
    MissingDependencyError
        If one is absent; the message has the command.
    """
    missing = [package for module, package in SERVING_PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise MissingDependencyError(f"serving needs {' '.join(missing)}; {how_to_install('serve', *missing)}")
    from enlighten_cli.models.runtime import import_runtime

    import_runtime()
