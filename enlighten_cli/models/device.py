"""What computes: the words of ``--device``, and the ONNX Runtime that can do it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Self

from enlighten_cli.errors import MissingDependencyError, UsageError

if TYPE_CHECKING:
    import onnxruntime

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
ON_CPU, ON_CUDA = "onnxruntime", "onnxruntime-gpu"  # distributions; both install one package, over each other
INSTALL_CPU = "pip install onnxruntime"
INSTALL_CUDA = 'pip install "onnxruntime-gpu[cuda,cudnn]"'
NO_RUNTIME = f"no ONNX Runtime is installed; run: {INSTALL_CPU}   (with an NVIDIA GPU instead: {INSTALL_CUDA})"
SILENT = 4  # log severity: fatal errors only; others come as exceptions, or are told by us


@dataclass(frozen=True)
class Device:
    """Where the network is to run.

    Parameters
    ----------
    kind : str
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    number : int
        Which GPU.
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
            If it is something else.
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
        If it is not installed; the message has the command.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(NO_RUNTIME) from error
    return onnxruntime


def installed_runtimes() -> dict[str, str]:
    """Return the versions of the distributions of ONNX Runtime that are installed."""
    found = {}
    for name in (ON_CPU, ON_CUDA):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def repair(runtimes: dict[str, str]) -> str:
    """Return the command that gives this installation a runtime with CUDA."""
    spoilt = " ".join(runtimes)
    return f"pip uninstall -y {spoilt} && {INSTALL_CUDA}" if spoilt else INSTALL_CUDA


def prepare_cuda(runtime: Any) -> None:
    """Load the CUDA libraries that pip installed, which no linker's path leads to."""
    runtime.set_default_logger_severity(SILENT)
    if hasattr(runtime, "preload_dlls"):
        runtime.preload_dlls()


def cuda_options(number: int) -> dict[str, str]:
    """Return the settings of the CUDA provider.

    Shapes are few in tiled runs and many in folders of mixed photos: an exhaustive search of
    cuDNN's algorithms for each shape would cost more than it gives. Memory grows by what is
    asked for, not to the next power of two.
    """
    return {
        "device_id": str(number),
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
    }
