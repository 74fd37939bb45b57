"""Recipes: the options of a run as a flat JSON object, both the shared ones and those of its objective."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enlighten_cli.errors import UsageError
from enlighten_cli.training.checkpoint import read_tensors
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.objectives import Objective
from enlighten_cli.training.registry import OBJECTIVES

DEFAULT_OBJECTIVE = "enlightengan"
SHARED = {field.name: field for field in dataclasses.fields(TrainConfig) if field.name != "options"}


def objective_class(options: Mapping[str, Any], source: str) -> type[Objective]:
    """Return the objective named in the options; by default the paper's.

    Raises
    ------
    UsageError
        If there is no objective of this name.
    """
    name = options.get("objective", DEFAULT_OBJECTIVE)
    if not isinstance(name, str) or name not in OBJECTIVES:
        raise UsageError(f"{source}: objective is {name!r}; it must be one of {', '.join(OBJECTIVES)}")
    return OBJECTIVES[name]


def objective_of(weights: Path) -> type[Objective] | None:
    """Return the objective that trained the network in a file, as far as the file says; None otherwise.

    Raises
    ------
    ModelError
        If the file cannot be read.
    """
    metadata = read_tensors(weights).metadata
    name = metadata.get("objective") or json.loads(metadata.get("config", "{}")).get("objective")
    return OBJECTIVES.get(name) if name else None


def config_from(options: Mapping[str, Any], source: str) -> TrainConfig:
    """Create a configuration from a mapping, and refuse options that its objective does not have.

    Parameters
    ----------
    options : mapping
        Values of options by name, ``objective`` among them; missing ones keep their defaults.
    source : str
        Origin of the options, for messages.

    Raises
    ------
    UsageError
        If a name is unknown, a value has the wrong type or is out of its range.
    """
    kind = objective_class(options, source)
    own = {field.name: field for field in dataclasses.fields(kind.Options)}
    for name, value in options.items():
        if name == "objective":
            continue
        field = SHARED.get(name) or own.get(name)
        if field is None:
            raise UsageError(f"{source}: {_unknown(name, kind)}")
        wanted = type(field.default)
        if isinstance(value, bool) is not (wanted is bool) or not isinstance(
            value, (wanted, int) if wanted is float else wanted
        ):
            raise UsageError(f"{source}: {name} is {value!r}; it must be of type {wanted.__name__}")
    return TrainConfig(
        kind.Options(**{name: options[name] for name in own if name in options}),
        **{name: options[name] for name in SHARED if name in options},
    )


def _unknown(name: str, kind: type[Objective]) -> str:
    knowing = [
        other.Options.objective
        for other in OBJECTIVES.values()
        if name in {field.name for field in dataclasses.fields(other.Options)}
    ]
    if knowing:
        return f"{name} is an option of the objective {' and of '.join(knowing)}, not of {kind.Options.objective}"
    return f"unknown option {name!r}"


def shared_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that all objectives share."""
    return {name: value for name, value in options.items() if name in SHARED}


def read_options(path: Path) -> dict[str, Any]:
    """Read a JSON file of options.

    Raises
    ------
    UsageError
        If the file cannot be read or is not a JSON object.
    """
    try:
        options = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: not a readable JSON file of options ({error})") from error
    if not isinstance(options, dict):
        raise UsageError(f"{path}: not a JSON object of options")
    return options
