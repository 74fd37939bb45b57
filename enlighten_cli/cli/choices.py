"""What the options of the command line mean to the layers below."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from enlighten_cli.cli.console import say

if TYPE_CHECKING:
    from enlighten_cli.models.network import NamedNetwork


def opened_model(model: str | None, *, device: str, threads: int | None, quiet: bool) -> NamedNetwork:
    """Load the model or method of this name, or the file; the default one if None, where it is to compute."""
    from enlighten_cli.methods.network import open_network
    from enlighten_cli.models.device import Device
    from enlighten_cli.models.registry import DEFAULT_MODEL

    network = open_network(model or DEFAULT_MODEL, threads=threads, device=Device.parse(device))
    if network.warning and not quiet:
        say(f"enlighten: {network.warning}")
    return network


class Registered(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3
    """A name in a registry, which is read when one is given, not when the command starts.

    Parameters
    ----------
    name : str
        Of what is chosen.
    names : callable
        Returns those that there are.
    """

    def __init__(self, name: str, names: Callable[[], Iterable[str]]) -> None:
        self.name = name
        self._registry = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse a name that no method has."""
        if value not in self._names():
            self.fail(f"{value!r} is none of {', '.join(self._names())}", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the names."""
        return [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]

    def _names(self) -> list[str]:
        return list(self._registry())


class Denoise(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3
    """How strong noise is taken to be: auto (1), off (0) or a number."""

    name = "denoise"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; its range is the option's own."""
        from enlighten_cli.enhancement.enhance import DENOISE_WORDS

        try:
            return DENOISE_WORDS[value] if value in DENOISE_WORDS else float(value)
        except (TypeError, ValueError):
            self.fail(f"{value!r} is neither auto nor off nor a number", param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the words."""
        from enlighten_cli.enhancement.enhance import DENOISE_WORDS

        return [CompletionItem(word) for word in DENOISE_WORDS if word.startswith(incomplete)]


def method_names() -> Iterable[str]:
    """Return the names of the methods that need no model."""
    from enlighten_cli.methods import METHODS

    return METHODS


def format_names() -> Iterable[str]:
    """Return the formats that results may have."""
    from enlighten_cli.photo import CHOICES

    return CHOICES


def optional_metric_names() -> Iterable[str]:
    """Return the metrics that are measured only when they are asked for."""
    from enlighten_cli.metrics import METRICS

    return (name for name, metric in METRICS.items() if metric.is_optional)
