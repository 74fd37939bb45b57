"""Open the model that a command line names."""

from __future__ import annotations

from enlighten_cli.cli.console import say
from enlighten_cli.methods.network import open_network
from enlighten_cli.models.device import Device
from enlighten_cli.models.network import NamedNetwork
from enlighten_cli.models.registry import DEFAULT_MODEL


def opened_model(model: str | None, *, device: str, threads: int | None, quiet: bool) -> NamedNetwork:
    """Load a model, or a method, on the given device; None is the default model."""
    network = open_network(model or DEFAULT_MODEL, threads=threads, device=Device.parse(device))
    if network.warning and not quiet:
        say(f"enlighten: {network.warning}")
    return network
