"""A model as it is sent to workers, whose machines need not have its file."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from enlighten_cli.methods.network import BRIGHTENING, MethodNetwork, check_name, is_method
from enlighten_cli.models.device import Device
from enlighten_cli.models.network import NamedNetwork
from enlighten_cli.models.session import half_of, loaded
from enlighten_cli.models.store import locate


@dataclass(frozen=True)
class SentModel:
    """A model, or a method.

    Parameters
    ----------
    word : str
        The value of ``--model``.
    name : str or None
        The model's name; None where it has none but the file's.
    files : dict
        The bytes of its files by their names, the ``.onnx`` file first; empty for a method.
    """

    word: str
    name: str | None
    files: dict[str, bytes]

    @classmethod
    def packed(cls, word: str) -> Self:
        """Read a model's files on this machine.

        Raises
        ------
        ModelError
            If there is no such model or method, or it is damaged.
        """
        check_name(word)
        if is_method(word):
            return cls(word, None, {})
        path = locate(word)
        name = None if path == Path(word) else word
        return cls(word, name, {each.name: each.read_bytes() for each in (path, half_of(path)) if each})

    def opened(self, *, threads: int, device: Device) -> NamedNetwork:
        """Load it on this machine.

        Raises
        ------
        MissingDependencyError
            If ONNX Runtime is not installed, or does not have the requested device.
        ModelError
            If the file is no model.
        """
        if not self.files:
            return MethodNetwork(BRIGHTENING[self.word])
        with tempfile.TemporaryDirectory(prefix="enlighten-model-") as folder:
            for name, content in self.files.items():
                Path(folder, name).write_bytes(content)
            return loaded(Path(folder, next(iter(self.files))), self.name, threads=threads, device=device)
