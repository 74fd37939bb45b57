"""Import SciPy only when a method that needs it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from enlighten_cli.errors import MissingDependencyError, how_to_install


def scipy_part(name: str) -> Any:
    """Import a part of SciPy by its name, such as ``fft``.

    Raises
    ------
    MissingDependencyError
        If SciPy is not installed.
    """
    try:
        return import_module(f"scipy.{name}")
    except ImportError as error:
        raise MissingDependencyError(f"this method needs SciPy; {how_to_install('methods', 'scipy')}") from error
