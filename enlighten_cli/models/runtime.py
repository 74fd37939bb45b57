"""ONNX Runtime: the one place that imports it, and the distributions that bring it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from enlighten_cli.errors import MissingDependencyError
from enlighten_cli.models.providers import NO_RUNTIME, PROVIDERS, RUNTIMES, Provider

if TYPE_CHECKING:
    import onnxruntime

SILENT = 4  # log severity: fatal errors only; others arrive as exceptions, or `session` reports them
# Read once, as the library is loaded. Without it, ONNX Runtime stores an id of the device and a queue of events
# below the user's cache folder, and looks up an address to send them to; `disable_telemetry_events` comes too late.
WITHOUT_TELEMETRY = "ORT_DISABLE_TELEMETRY"


def import_runtime() -> onnxruntime:
    """Import ONNX Runtime on first use, without its telemetry.

    Everything that needs ONNX Runtime gets it here. Processes that are started afterwards inherit the setting.

    Raises
    ------
    MissingDependencyError
        If it is not installed; the message names the command that installs it.
    """
    os.environ[WITHOUT_TELEMETRY] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(NO_RUNTIME) from error
    return onnxruntime


def installed_runtimes() -> dict[str, str]:
    """Return the installed distributions of ONNX Runtime, with their versions."""
    from importlib import metadata

    found = {}
    for name in RUNTIMES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def usable_providers(runtime: onnxruntime) -> list[Provider]:
    """Return the providers of the table that this ONNX Runtime was built with, the fastest first."""
    built = runtime.get_available_providers()
    return [provider for provider in PROVIDERS.values() if provider.name in built]
