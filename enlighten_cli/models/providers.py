"""The table of execution providers: what a device is called, and which ONNX Runtime computes on it.

A row is all that a new kind of accelerator needs here: `Device` parses its word, sessions try it, ``doctor`` runs the
default model on it, shells complete it, and messages name its remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Provider:
    """An execution provider of ONNX Runtime.

    Parameters
    ----------
    word : str
        Of ``--device``.
    name : str
        ONNX Runtime's.
    title : str
        For messages.
    runtime : str
        The distribution of ONNX Runtime that has it.
    requirement : str
        What pip installs: the distribution, and the extras with what it needs.
    is_numbered : bool
        Whether a machine may have several, ``word:0``, ``word:1``...
    options : callable
        Given the number, returns the provider's settings.
    needs : str
        What is missing where it does not come although its runtime is installed, and how to see it.
    """

    word: str
    name: str
    title: str
    runtime: str
    requirement: str
    is_numbered: bool = False
    options: Callable[[int], dict[str, str]] = lambda number: {}
    needs: str = ""

    @property
    def install(self) -> str:
        """The command that installs its runtime."""
        return f"pip install {self.requirement}"

    def repair(self, installed: Iterable[str]) -> str:
        """Return the command that replaces the installed runtimes, which overwrite each other's files, by its own."""
        spoilt = " ".join(installed)
        return f"pip uninstall -y {spoilt} && {self.install}" if spoilt else self.install

    def request(self, number: int) -> Any:
        """Return what a session is given: the name, with the settings where it has any."""
        options = self.options(number)
        return (self.name, options) if options else self.name


def _cuda_options(number: int) -> dict[str, str]:
    """Return the settings of CUDA.

    Tiled runs have few input shapes, folders of mixed photos have many: an exhaustive search of cuDNN's
    algorithms for each shape would cost more than it saves. Memory grows by the requested size, not to
    the next power of two.
    """
    return {
        "device_id": str(number),
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
    }


CUDA = Provider(
    "cuda",
    "CUDAExecutionProvider",
    "CUDA",
    "onnxruntime-gpu",
    '"onnxruntime-gpu[cuda,cudnn]"',
    is_numbered=True,
    options=_cuda_options,
    needs="CUDA's libraries or a GPU are missing; see: nvidia-smi",
)
CPU = Provider("cpu", "CPUExecutionProvider", "the CPU", "onnxruntime", "onnxruntime")

# The fastest first, as `auto` tries them; the last works everywhere.
PROVIDERS = {provider.word: provider for provider in (CUDA, CPU)}
RUNTIMES = tuple(dict.fromkeys(provider.runtime for provider in (CPU, CUDA)))  # of which only one may be installed
WORDS = ("auto", *reversed(PROVIDERS))
NO_RUNTIME = f"no ONNX Runtime is installed; run: {CPU.install}   (with an NVIDIA GPU instead: {CUDA.install})"
