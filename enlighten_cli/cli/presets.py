"""Defaults and presets from the configuration file, for options that the command line leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from enlighten_cli.cli.choices import Suggested
from enlighten_cli.cli.commands import DEFAULT
from enlighten_cli.cli.console import say
from enlighten_cli.errors import EnlightenError, UsageError, did_you_mean

# Options of a single run, and --preset itself.
NOT_KEPT = ("preset", "files-from", "dry-run", "help")


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
    if configuration.fault:
        say(f"enlighten: {configuration.path}: {configuration.fault}; its defaults and presets are not used")
    options = _options(_default_command(ctx))
    kept = [name for name in options if name not in NOT_KEPT]
    # All presets are checked, so that a mistake is found before its preset is used.
    for part in (configuration.defaults, *configuration.presets.values()):
        for name in part:
            if name not in kept:
                raise UsageError(
                    f"{configuration.path}: {name} is not an option that can be set here{did_you_mean(name, kept)}"
                )
    values, own = {}, _options(ctx.command)
    for name, value in configuration.options(preset).items():
        option = options[name]
        checked = _checked(ctx, option, value, f"{configuration.path}: {name}")
        # A command that takes an option otherwise (a sheet's strengths), or not at all, keeps its own default.
        if name in own and own[name].name == option.name:
            values[str(option.name)] = checked
    ctx.default_map = {**(ctx.default_map or {}), **values}
    return preset


def _default_command(ctx: click.Context) -> click.Command:
    """Return the command whose options a configuration sets."""
    group = ctx.find_root().command
    found = group.get_command(ctx, DEFAULT) if isinstance(group, click.Group) else None
    return found or ctx.command


def _options(command: click.Command) -> dict[str, click.Option]:
    return {
        opt.removeprefix("--"): each
        for each in command.params
        if isinstance(each, click.Option)
        for opt in each.opts
        if opt.startswith("--")
    }


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
