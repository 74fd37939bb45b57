"""What the options of the command line mean to the layers below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

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
