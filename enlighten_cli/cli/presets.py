"""Defaults and presets from the configuration file, for options that the command line leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from enlighten_cli.cli.choices import Suggested
from enlighten_cli.errors import EnlightenError, UsageError, did_you_mean

# Options of a single run, and --preset itself.
NOT_KEPT = ("preset", "files-from", "dry-run", "help", "preview", "watch")


def preset_names() -> Iterable[str]:
    """Return the names of all presets."""
    from enlighten_cli.configuration import read_configuration

    try:
        return read_configuration().presets
    except EnlightenError:
        return ()  # reported when the file is used


def apply_configuration(ctx: click.Context, param: click.Parameter, preset: str | None) -> str | None:
    """Use the configuration file as defaults of a command; a callback of its eager option --preset."""
    if ctx.resilient_parsing:
        return preset
    from enlighten_cli.configuration import read_configuration

    configuration = read_configuration()
    options = {
        opt.removeprefix("--"): each
        for each in ctx.command.params
        if isinstance(each, click.Option)
        for opt in each.opts
        if opt.startswith("--")
    }
    kept = [name for name in options if name not in NOT_KEPT]
    # All presets are checked, so that a mistake is found before its preset is used.
    for part in (configuration.defaults, *configuration.presets.values()):
        for name in part:
            if name not in kept:
                raise UsageError(
                    f"{configuration.path}: {name} is not an option that can be set here{did_you_mean(name, kept)}"
                )
    values = {}
    for name, value in configuration.options(preset).items():
        option = options[name]
        values[str(option.name)] = _checked(ctx, option, value, f"{configuration.path}: {name}")
    ctx.default_map = {**(ctx.default_map or {}), **values}
    return preset


def _checked(ctx: click.Context, option: click.Option, value: Any, where: str) -> Any:
    if option.is_flag and not option.count:
        if not isinstance(value, bool):
            raise UsageError(f"{where} is {value!r}; it must be true or false")
        return value
    if isinstance(value, (bool, dict, list)):
        raise UsageError(f"{where} is {value!r}; it must be a number or a word in quotes")
    try:
        option.type_cast_value(ctx, value)
    except click.BadParameter as error:
        raise UsageError(f"{where}: {error.message}") from error
    return value


PRESET = Suggested("preset", preset_names)
