"""Import SciPy only when a method that needs it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from enlighten_cli.errors import MissingDependencyError


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
        raise MissingDependencyError(
            "this method needs SciPy, which is in the extra `methods`; run: pip install scipy"
        ) from error
