"""What the options of the command line mean to the layers below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from enlighten_cli.errors import UsageError

if TYPE_CHECKING:
    from enlighten_cli.batch.runner import BatchOptions
    from enlighten_cli.models.session import Model


def options_of(given: dict[str, Any]) -> BatchOptions:
    """Return how photos are treated, from the options of the command line."""
    from enlighten_cli.batch.runner import BatchOptions, Conflict
    from enlighten_cli.enhancement.enhance import Mode, Options
    from enlighten_cli.photo import Limits, Strip

    if given["fast"] and given["mode"] == "full":
        raise UsageError("--fast and --mode full contradict each other")
    memory = given["memory"] * 10**6 if given["memory"] else None

    return BatchOptions(
        enhance=Options(
            strength=given["strength"],
            mode=Mode.FAST if given["fast"] else Mode(given["mode"]),
            tile_px=given["tile"],
            memory_bytes=memory,
        ),
        limits=Limits(max_mpixels=given["max_mpixels"], allow_truncated=given["allow_truncated"]),
        conflict=Conflict(given["on_conflict"]),
        quality=given["quality"],
        strip=Strip(given["strip"]) if given["strip"] else Strip.NOTHING,
        preserve=given["preserve"],
        skip_brighter_than=given["skip_brighter_than"],
        memory_bytes=memory,
    )


def model_of(model: str | None, given: dict[str, Any]) -> Model:
    """Load the model of this name or file, the default one if None, where it is to compute."""
    from enlighten_cli.models.device import Device
    from enlighten_cli.models.registry import DEFAULT_MODEL
    from enlighten_cli.models.session import open_model

    network = open_model(model or DEFAULT_MODEL, threads=given["threads"], device=Device.parse(given["device"]))
    if network.warning and not given["quiet"]:
        click.echo(f"enlighten: {network.warning}", err=True)
    return network


class MethodName(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3
    """The name of a method; the registry is read when one is given, not when the command starts."""

    name = "method"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return the names, for the help."""
        return "[" + "|".join(self._names()) + "]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse a name that no method has."""
        if value not in self._names():
            self.fail(f"{value!r} is none of {', '.join(self._names())}", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the names."""
        return [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]

    @staticmethod
    def _names() -> list[str]:
        from enlighten_cli.methods import METHODS

        return list(METHODS)
