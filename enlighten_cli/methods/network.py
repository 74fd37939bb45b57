"""Methods in place of models: `--model lime` works like `--model lite`."""

from __future__ import annotations

from dataclasses import dataclass

from enlighten_cli.errors import ModelError, UnknownModelError, did_you_mean
from enlighten_cli.methods import METHODS, Method
from enlighten_cli.models.device import Device
from enlighten_cli.models.network import EVERYWHERE, NamedNetwork
from enlighten_cli.models.registry import MODELS
from enlighten_cli.models.session import AUTO, open_model
from enlighten_cli.models.store import imported_names, locate
from enlighten_cli.photo import Rgb

JUDGED_PIXELS = 400_000  # methods see larger photos reduced to this size
BYTES_PER_PIXEL = 400
UNCHANGED = "input"  # the method that returns the photo as it is

BRIGHTENING = {name: method for name, method in METHODS.items() if name != UNCHANGED}


@dataclass(frozen=True)
class MethodNetwork:
    """A method with the interface of a network. It sees the whole photo at once, reduced if it is large.

    Parameters
    ----------
    method : Method
    """

    method: Method
    training_pixels: int = JUDGED_PIXELS
    receptive_field_px: int = EVERYWHERE
    bytes_per_pixel: int = BYTES_PER_PIXEL
    provider: str = "NumPy"
    warning: str = ""
    tiles_exactly: bool = True

    @property
    def name(self) -> str:
        """Name of the method."""
        return self.method.name

    def __call__(self, rgb: Rgb, /) -> Rgb:
        """Enhance by the method."""
        return self.method.enhance(rgb)


def open_network(model: str, *, threads: int | None = None, device: Device = AUTO) -> NamedNetwork:
    """Load a model, or return a method as a network.

    Parameters
    ----------
    model : str
        Name of a model or method, or path of an ``.onnx`` file. A model has precedence over a method of
        the same name, and a method over a file.
    threads, device
        For models; a method runs on the CPU.

    Raises
    ------
    MissingDependencyError
        If ONNX Runtime is not installed, or does not have the requested device.
    ModelError
        If there is neither a model nor a method of that name, or the model is not downloaded or damaged.
    """
    if is_method(model):
        return MethodNetwork(BRIGHTENING[model])
    check_name(model)
    return open_model(model, threads=threads, device=device)


def check_name(model: str) -> None:
    """Refuse a name that `open_network` would refuse, without loading anything; the message suggests similar names.

    Raises
    ------
    ModelError
        If there is neither a model nor a method of that name, or the model is not downloaded or damaged.
    """
    if is_method(model):
        return
    try:
        locate(model)
    except UnknownModelError as error:
        models = [*MODELS, *imported_names()]
        near = did_you_mean(model, [*models, *BRIGHTENING])
        known = f"; models are: {', '.join(models)}; methods are: {', '.join(BRIGHTENING)}"
        raise ModelError(f"{model}: neither a file, a model nor a method{near or known}") from error


def is_method(name: str) -> bool:
    """Tell whether a name is a method's; a model of the same name has precedence."""
    return name in BRIGHTENING and name not in MODELS and name not in imported_names()
