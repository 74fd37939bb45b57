"""An ONNX session as a function from RGB to RGB."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from enlighten_cli.errors import MissingDependencyError, ModelError, OutOfMemoryError
from enlighten_cli.machine import available_cores
from enlighten_cli.photo import Rgb

if TYPE_CHECKING:
    import onnxruntime

# What runtimes say when memory runs out, in lower case.
OUT_OF_MEMORY = ("failed to allocate", "bad_alloc", "bad allocation", "out of memory")
# Bytes that a run takes for each pixel and each channel of the network's first level: 28 were measured
# with 4 megapixels at widths 16 and 32 (benchmarks/speed.py, ways whole and published); a fifth is added.
BYTES_PER_PIXEL_AND_CHANNEL = 34
UNKNOWN_WIDTH = 32

NO_RUNTIME = (
    "no ONNX Runtime is installed; run: pip install onnxruntime"
    '   (with an NVIDIA GPU instead: pip install "onnxruntime-gpu[cuda,cudnn]")'
)


class Model:
    """A brightening network, loaded from an ``.onnx`` file of this project's contract.

    The contract: RGB in [0, 1] in, RGB (not clamped) out, same size; height and width multiples
    of 16.

    Parameters
    ----------
    path : Path
    name : str, optional
        How messages call it; the name in the file, or the file's own, by default.
    threads : int, optional
        Of one run; every core that this process may use by default.

    Raises
    ------
    MissingDependencyError
        If ONNX Runtime is not installed.
    ModelError
        If the file cannot be read or breaks the contract.
    """

    def __init__(self, path: Path, name: str | None = None, *, threads: int | None = None) -> None:
        ort = import_runtime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.log_severity_level = 3  # errors only; they come as exceptions as well
        try:
            # From bytes, so that a file that names others ("external data") cannot read them.
            self._session = ort.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror}") from error
        except Exception as error:  # ONNX Runtime's own exceptions have no common base
            raise ModelError(f"{path}: not a model that ONNX Runtime can load") from error
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self.name = name or self.metadata.get("name") or path.stem
        self._input, self._output = self._checked_signature(path)

    def _checked_signature(self, path: Path) -> tuple[str, str]:
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        for ends in (inputs, outputs):
            if len(ends) != 1 or ends[0].type != "tensor(float)" or len(ends[0].shape) != 4 or ends[0].shape[1] != 3:
                raise ModelError(f"{path}: not a model from RGB to RGB: one float tensor (N, 3, H, W) in and out")
        return inputs[0].name, outputs[0].name

    @property
    def provider(self) -> str:
        """ONNX Runtime's name of what computes."""
        return str(self._session.get_providers()[0])

    @property
    def tiles_exactly(self) -> bool:
        """Whether tiles give the pixels of the whole photo."""
        return self.metadata.get("align_corners") != "true"

    @property
    def bytes_per_pixel(self) -> int:
        """About how much memory a run takes for each pixel of its input."""
        width = self.metadata.get("width", "")
        return BYTES_PER_PIXEL_AND_CHANNEL * (int(width) if width.isdecimal() else UNKNOWN_WIDTH)

    def __call__(self, rgb: Rgb) -> Rgb:
        """Brighten RGB.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), float32, range [0, 1]
            H and W multiples of 16.

        Returns
        -------
        ndarray, shape (H, W, 3), float32
            Not clamped.

        Raises
        ------
        OutOfMemoryError
            If it wants more memory than there is.
        ModelError
            If it fails otherwise, or breaks the contract.
        """
        batch = np.ascontiguousarray(rgb.transpose(2, 0, 1))[None]
        try:
            (result,) = self._session.run([self._output], {self._input: batch})
        except Exception as error:
            height, width = rgb.shape[:2]
            reason = (str(error) or type(error).__name__).splitlines()[0][:200]
            out_of_memory = isinstance(error, MemoryError) or any(word in reason.lower() for word in OUT_OF_MEMORY)
            kind = OutOfMemoryError if out_of_memory else ModelError
            raise kind(f"{self.name} failed on {width} x {height} pixels: {reason}") from error
        if result.shape != batch.shape:
            raise ModelError(f"{self.name} made {result.shape} of {batch.shape}; a model keeps the size")
        return np.asarray(result[0].transpose(1, 2, 0))


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
