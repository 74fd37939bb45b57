"""The models that requests may name; each is opened once and shared by all requests."""

from __future__ import annotations

import threading
from pathlib import Path

from pydantic import BaseModel

from enlighten_cli.methods.network import BRIGHTENING, open_network
from enlighten_cli.models.network import NamedNetwork
from enlighten_cli.models.registry import MODELS
from enlighten_cli.models.store import imported_names
from enlighten_cli.photo import Rgb
from enlighten_cli.serve.problems import Problem, as_text
from enlighten_cli.serve.settings import Settings


class ModelRow(BaseModel):
    """The API's description of a model."""

    name: str
    default: bool
    licence: str
    origin: str
    verified: bool


class SharedNetwork:
    """A model that only one thread calls at a time, because each call uses all cores.

    Parameters
    ----------
    model : NamedNetwork
    turn : Lock
        Shared by all models.
    """

    def __init__(self, model: NamedNetwork, turn: threading.Lock) -> None:
        self._model, self._turn = model, turn

    @property
    def name(self) -> str:
        """Name of the model."""
        return self._model.name

    @property
    def provider(self) -> str:
        """The library or execution provider that runs it."""
        return self._model.provider

    @property
    def training_pixels(self) -> int:
        """See `Network`."""
        return self._model.training_pixels

    @property
    def receptive_field_px(self) -> int:
        """See `Network`."""
        return self._model.receptive_field_px

    @property
    def bytes_per_pixel(self) -> int:
        """See `Network`."""
        return self._model.bytes_per_pixel

    def __call__(self, rgb: Rgb, /) -> Rgb:
        """Wait for other threads, then brighten RGB."""
        with self._turn:
            return self._model(rgb)


class Networks:
    """The models that requests may use, by name only, never by path.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    ModelError
        If the default model cannot be loaded.
    MissingDependencyError
        If ONNX Runtime is not installed, or does not have the requested device.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turn, self._opening = threading.Lock(), threading.Lock()
        model = self._open(settings.model)
        self.default = settings.model if settings.model in _names() else as_text(Path(settings.model).stem)
        self.warning = model.warning
        self._opened = {self.default: SharedNetwork(model, self._turn)}

    def names(self) -> list[str]:
        """Return the names, the default one first."""
        return list(dict.fromkeys([self.default, *_names()]))

    def rows(self) -> list[ModelRow]:
        """Return the description of each model."""
        return [self._row(name) for name in self.names()]

    def _row(self, name: str) -> ModelRow:
        row = MODELS.get(name)
        is_method = row is None and name in BRIGHTENING and name not in imported_names()
        return ModelRow(
            name=name,
            default=name == self.default,
            licence=row.licence if row else "",
            origin=row.origin if row else BRIGHTENING[name].source if is_method else "",
            verified=row.verified if row else is_method,
        )

    def check(self, name: str) -> None:
        """Refuse a name that no model has; an empty one stands for the default model.

        Raises
        ------
        Problem
            422.
        """
        if name and name not in self.names():
            raise Problem(422, f"there is no model of this name; available: {', '.join(self.names())}")

    def network(self, name: str) -> SharedNetwork:
        """Return a model; open it on first use.

        Parameters
        ----------
        name : str
            Empty for the default model.
        """
        name = name or self.default
        with self._opening:
            if name in self._opened:
                return self._opened[name]
            self.check(name)
            self._opened[name] = SharedNetwork(self._open(name), self._turn)
            return self._opened[name]

    def _open(self, name: str) -> NamedNetwork:
        return open_network(name, threads=self._settings.threads, device=self._settings.device)


def _names() -> list[str]:
    """Return the names of the models on this machine, and of the methods."""
    here = [row.name for row in MODELS.values() if row.path().is_file()]
    models = sorted(here, key=lambda name: not MODELS[name].bundled) + imported_names()
    return list(dict.fromkeys([*models, *BRIGHTENING]))
