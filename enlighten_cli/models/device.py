"""Devices: the values of ``--device``, and the ONNX Runtime that each needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from enlighten_cli.errors import MissingDependencyError, UsageError

if TYPE_CHECKING:
    import onnxruntime

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
ON_CPU, ON_CUDA = "onnxruntime", "onnxruntime-gpu"  # distributions; each overwrites files of the other
INSTALL_CPU = "pip install onnxruntime"
INSTALL_CUDA = 'pip install "onnxruntime-gpu[cuda,cudnn]"'
NO_RUNTIME = f"no ONNX Runtime is installed; run: {INSTALL_CPU}   (with an NVIDIA GPU instead: {INSTALL_CUDA})"
SILENT = 4  # log severity: fatal errors only; others arrive as exceptions, or this module reports them


@dataclass(frozen=True)
class Device:
    """The device on which the network runs.

    Parameters
    ----------
    kind : str
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    number : int
        Index of the GPU.
    """

    kind: str = "auto"
    number: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}" if self.number else self.kind

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

        Raises
        ------
        UsageError
            If it is anything else.
        """
        kind, colon, number = text.partition(":")
        if kind not in ("auto", "cpu", "cuda") or (colon and not (kind == "cuda" and number.isdecimal())):
            raise UsageError(f"device is {text!r}; it must be auto, cpu, cuda or cuda:N")
        return cls(kind, int(number or 0))


def import_runtime() -> onnxruntime:
    """Import ONNX Runtime on first use.

    Raises
    ------
    MissingDependencyError
        If it is not installed; the message names the command that installs it.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(NO_RUNTIME) from error
    return onnxruntime


def installed_runtimes() -> dict[str, str]:
    """Return the installed distributions of ONNX Runtime, with their versions."""
    from importlib import metadata

    found = {}
    for name in (ON_CPU, ON_CUDA):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def repair(runtimes: dict[str, str]) -> str:
    """Return the command that installs an ONNX Runtime with CUDA."""
    spoilt = " ".join(runtimes)
    return f"pip uninstall -y {spoilt} && {INSTALL_CUDA}" if spoilt else INSTALL_CUDA


def prepare_cuda(runtime: Any) -> None:
    """Load the CUDA libraries that pip installed, which are not on the linker's path."""
    runtime.set_default_logger_severity(SILENT)
    if hasattr(runtime, "preload_dlls"):
        runtime.preload_dlls()


def cuda_options(number: int) -> dict[str, str]:
    """Return the settings of the CUDA provider.

    Tiled runs have few input shapes, folders of mixed photos have many: an exhaustive search of cuDNN's
    algorithms for each shape would cost more than it saves. Memory grows by the requested size, not to
    the next power of two.
    """
    return {
        "device_id": str(number),
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
    }
