"""An ONNX session as a function from RGB to RGB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from enlighten_cli.errors import EnlightenError, MissingDependencyError, ModelError, OutOfMemoryError
from enlighten_cli.models.device import Device
from enlighten_cli.models.metadata import checked_numbers
from enlighten_cli.models.network import RECEPTIVE_FIELD_PX
from enlighten_cli.models.providers import CPU, CUDA, PROVIDERS, Provider
from enlighten_cli.models.registry import HALF_SUFFIX, MODELS
from enlighten_cli.models.runtime import SILENT, import_runtime, installed_runtimes, usable_providers
from enlighten_cli.models.store import locate
from enlighten_cli.photo import Rgb
from enlighten_cli.resources import available_cores

if TYPE_CHECKING:
    import onnxruntime

# Parts of the messages with which runtimes report that memory ran out, in lower case.
OUT_OF_MEMORY = ("failed to allocate", "bad_alloc", "bad allocation", "out of memory")
# Bytes of a run for each pixel and each channel of the network's first level: 25 to 34 were measured
# for squares of 256 to 2048 px (benchmarks/session.py); a tenth is added.
BYTES_PER_PIXEL_AND_CHANNEL = 38
FREED_PIXELS = 1 << 19  # after pictures of at most so many pixels, which are thumbnails, memory is freed
UNKNOWN_WIDTH = 32
LARGEST = 1e9  # of what a network makes: any colour is far below, and no sum of larger numbers is to overflow

AUTO = Device()


class Model:
    """A brightening network, loaded from an ``.onnx`` file that keeps this project's contract.

    The contract: RGB in [0, 1] in, RGB (not clamped) out, same size; height and width multiples
    of 16.

    Parameters
    ----------
    path : Path
    name : str, optional
        Name for messages; by default that in the file's metadata, or else the file's own.
    metadata : mapping, optional
        Added to the file's metadata; replaces entries of the same key.
    output_range : tuple of float
        Values of black and white in the output.
    threads : int, optional
        Of one run on the CPU; by default all cores that this process may use.
    device : Device
        On CUDA, the fp16 version of the model is used if it lies beside the file.

    Attributes
    ----------
    training_pixels, receptive_field_px, bytes_per_pixel : int
        See `Network`; from the metadata.
    warning : str
        Why ``auto`` chose the CPU although the runtime was built for more; or empty.

    Raises
    ------
    MissingDependencyError
        If ONNX Runtime is not installed, or does not have the requested device.
    ModelError
        If the file cannot be read or breaks the contract.
    """

    def __init__(
        self,
        path: Path,
        name: str | None = None,
        *,
        metadata: Mapping[str, str] | None = None,
        output_range: tuple[float, float] = (0.0, 1.0),
        threads: int | None = None,
        device: Device = AUTO,
    ) -> None:
        runtime = import_runtime()
        self.warning = ""
        session = None
        for provider in usable_providers(runtime) if device.kind == "auto" else [PROVIDERS[device.kind]]:
            if session or provider is CPU:
                break
            session, cause = _accelerated_session(runtime, path, provider, device.number)
            if session is None and device.kind != "auto":
                raise MissingDependencyError(f"{device} is not available: {cause}")
            if session is None:
                self.warning = f"{provider.title} is not available, so the CPU computes: {cause}"
        if session:
            self.warning = ""
        self._session = session or _session(runtime, path, session_options(threads), [CPU.name])
        self._on_cpu = self.provider == CPU.name
        try:
            said = self._session.get_modelmeta().custom_metadata_map
            self._input, self._output = self._checked_signature(path)
        except UnicodeDecodeError as error:
            raise ModelError(f"{path}: its metadata or names are not UTF-8") from error
        self.metadata = {**said, **(metadata or {})}
        numbers = checked_numbers(self.metadata, str(path))
        self.training_pixels = numbers.get("training_pixels", 0) or numbers.get("look_pixels", 0)  # its former name
        self.receptive_field_px = numbers.get("reach", RECEPTIVE_FIELD_PX)
        estimate = BYTES_PER_PIXEL_AND_CHANNEL * numbers.get("width", UNKNOWN_WIDTH)
        self.bytes_per_pixel = numbers.get("bytes_per_pixel", estimate)
        self._black, self._white = output_range
        self.name = name or self.metadata.get("name") or path.stem

    def _run_options(self, batch: Rgb) -> Any:
        """Free the memory of the run after thumbnails, of which a photo has one; tiles need it again."""
        options = import_runtime().RunOptions()
        if self._on_cpu and batch[0, 0].size <= FREED_PIXELS:
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        return options

    def _checked_signature(self, path: Path) -> tuple[str, str]:
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        for ends in (inputs, outputs):
            if len(ends) != 1 or ends[0].type != "tensor(float)" or len(ends[0].shape) != 4 or ends[0].shape[1] != 3:
                raise ModelError(
                    f"{path}: not a model from RGB to RGB; it needs one input and one output: float, (N, 3, H, W)"
                )
        return inputs[0].name, outputs[0].name

    @property
    def provider(self) -> str:
        """ONNX Runtime's name of the execution provider."""
        return str(self._session.get_providers()[0])

    @property
    def tiles_exactly(self) -> bool:
        """Whether tiles give exactly the pixels of the whole photo."""
        return self.metadata.get("align_corners") != "true"

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
            If it needs more memory than is available.
        ModelError
            If it fails for another reason, or its result has another size or is not finite.
        """
        batch = np.ascontiguousarray(rgb.transpose(2, 0, 1))[None]
        try:
            (result,) = self._session.run([self._output], {self._input: batch}, self._run_options(batch))
        except Exception as error:
            raise failure_of(error, self.name, rgb) from error
        if result.shape != batch.shape:
            raise ModelError(f"{self.name} made {result.shape} of {batch.shape}; a model must keep the size")
        if not np.isfinite(result).all():
            height, width = rgb.shape[:2]
            raise ModelError(f"{self.name} returned NaN or infinity for {width} x {height} pixels; use another model")
        if max(-result.min(), result.max()) > LARGEST:
            result = result.clip(-LARGEST, LARGEST)
        enhanced = np.asarray(result[0].transpose(1, 2, 0))
        if (self._black, self._white) != (0.0, 1.0):
            enhanced = (enhanced - np.float32(self._black)) / np.float32(self._white - self._black)
        return enhanced


def open_model(model: str, *, threads: int | None = None, device: Device = AUTO) -> Model:
    """Load a model by its name, or by the path of an ``.onnx`` file.

    Raises
    ------
    MissingDependencyError
        If ONNX Runtime is not installed, or does not have the requested device.
    ModelError
        If there is no such model, or it is not downloaded or damaged.
    """
    path = locate(model)
    return loaded(path, None if path == Path(model) else model, threads=threads, device=device)


def loaded(path: Path, name: str | None, *, threads: int | None = None, device: Device = AUTO) -> Model:
    """Load a model from its file, which may be a copy.

    Parameters
    ----------
    path : Path
    name : str or None
        The model's name; None where it has none but the file's.
    threads, device
        See `Model`.

    Raises
    ------
    MissingDependencyError, ModelError
        See `Model`.
    """
    row = MODELS.get(name) if name else None
    if row is None:
        return Model(path, name, threads=threads, device=device)
    said = {"width": str(row.width), "align_corners": str(row.align_corners).lower()}
    return Model(path, row.name, metadata=said, output_range=row.output_range, threads=threads, device=device)


def open_session(path: Path, *, threads: int | None, inputs: Sequence[str]) -> onnxruntime.InferenceSession:
    """Load an ``.onnx`` file for the CPU, and check the names of its inputs.

    Raises
    ------
    MissingDependencyError
        If ONNX Runtime is not installed.
    ModelError
        If the file cannot be read, or has other inputs.
    """
    session = _session(import_runtime(), path, session_options(threads), [CPU.name])
    if [each.name for each in session.get_inputs()] != list(inputs):
        raise ModelError(f"{path}: not a model with the inputs {', '.join(inputs)}")
    return session


def failure_of(error: Exception, name: str, rgb: Rgb) -> EnlightenError:
    """Return the error to raise after a network failed on a photo."""
    height, width = rgb.shape[:2]
    pixels = f"{width} x {height} pixels"
    if is_out_of_memory(error):
        return OutOfMemoryError(f"{name} ran out of memory on {pixels}")
    reason = (str(error) or type(error).__name__).splitlines()[0][:200]
    return ModelError(f"{name} failed on {pixels}: {reason}")


def is_out_of_memory(error: Exception) -> bool:
    """Return whether memory ran out, by the runtime's whole text: it names the node first, at any length."""
    return isinstance(error, MemoryError) or any(part in str(error).lower() for part in OUT_OF_MEMORY)


def session_options(threads: int | None = None) -> onnxruntime.SessionOptions:
    """Return the settings of a session on the CPU (why: benchmarks/session.py)."""
    options = import_runtime().SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.enable_mem_pattern = False  # equally fast, with half the memory
    options.log_severity_level = SILENT
    return options


def _session(
    runtime: Any, path: Path, options: onnxruntime.SessionOptions, providers: Sequence[Any]
) -> onnxruntime.InferenceSession:
    try:
        # Loaded from bytes, so that a model cannot make ONNX Runtime read other files ("external data").
        return runtime.InferenceSession(path.read_bytes(), options, providers=providers, enable_fallback=0)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    except Exception as error:  # ONNX Runtime's own exceptions have no common base
        if is_out_of_memory(error):
            raise OutOfMemoryError(f"{path}: too little memory to load the model; close other programs") from error
        raise ModelError(f"{path}: not a model that ONNX Runtime can load") from error


def _accelerated_session(
    runtime: Any, path: Path, provider: Provider, number: int
) -> tuple[onnxruntime.InferenceSession | None, str]:
    """Return a session that runs on an accelerator; if that fails, None and a message with cause and remedy."""
    installed = installed_runtimes()
    if provider not in usable_providers(runtime):
        built = f"ONNX Runtime {runtime.__version__} is built without {provider.title}"
        return None, f"{built}; run: {provider.repair(installed)}"
    if len(installed) > 1:
        return None, f"{' and '.join(installed)} are both installed; run: {provider.repair(installed)}"
    runtime.set_default_logger_severity(SILENT)
    if provider is CUDA and hasattr(runtime, "preload_dlls"):
        runtime.preload_dlls()  # libraries that pip installed, which are not on the linker's path
    options = runtime.SessionOptions()
    options.log_severity_level = SILENT
    half = half_of(path)
    # Without its libraries or its device, ONNX Runtime silently falls back to the CPU: check which provider it uses.
    try:
        session = _session(runtime, half or path, options, [provider.request(number), CPU.name])
    except ModelError as error:
        reason = str(error.__cause__ or error).splitlines()[0][:200]
        # Either there is no such device, or the file is not a model; loading it on the CPU tells which.
        return None, f"{provider.word}:{number} cannot be used ({reason}); {provider.needs.rpartition('; ')[2]}"
    if session.get_providers()[0] != provider.name:
        return None, f"{provider.needs}, and run: {provider.install}"
    return session, ""


def half_of(path: Path) -> Path | None:
    """Return the fp16 version of a model, if it lies beside it."""
    half = path.with_name(f"{path.stem}{HALF_SUFFIX}{path.suffix}")
    return half if half.is_file() else None
