"""The user's file of defaults and presets."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enlighten_cli.errors import UsageError, did_you_mean

VARIABLE = "ENLIGHTEN_CONFIG"
DEFAULTS, PRESETS = "enhance", "preset"


@dataclass(frozen=True)
class Configuration:
    """What the file says: options by their names on the command line, without hyphens in front.

    Parameters
    ----------
    path : Path
        The file, which need not be there.
    defaults : dict
        Of ``enlighten enhance``, from the table ``[enhance]``.
    presets : dict
        From names to options, from the tables ``[preset.NAME]``.
    """

    path: Path
    defaults: dict[str, Any] = field(default_factory=dict)
    presets: dict[str, dict[str, Any]] = field(default_factory=dict)

    def options(self, preset: str | None) -> dict[str, Any]:
        """Return the defaults, and over them what a preset says.

        Raises
        ------
        UsageError
            If there is no such preset.
        """
        if preset is None:
            return self.defaults
        if preset not in self.presets:
            there = f"there are: {', '.join(self.presets)}" if self.presets else "there are none"
            hint = did_you_mean(preset, self.presets) or f"; {there}; a table [{PRESETS}.{preset}] makes one"
            raise UsageError(f"--preset {preset}: no such preset in {self.path}{hint}")
        return {**self.defaults, **self.presets[preset]}


def configuration_file() -> Path:
    """Return where the file is, or would be: ``ENLIGHTEN_CONFIG``, or in the platform's folder of settings."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    from platformdirs import user_config_path

    return user_config_path("enlighten-cli") / "config.toml"


def read_configuration() -> Configuration:
    """Read the file; where there is none, nothing is set.

    Raises
    ------
    UsageError
        If it cannot be read, or is no file of defaults and presets.
    """
    path = configuration_file()
    try:
        text = path.read_text(encoding="utf-8")
        import tomllib  # most people have no such file

        content = tomllib.loads(text)
    except FileNotFoundError:
        if os.environ.get(VARIABLE):
            raise UsageError(f"{path}: no such file; {VARIABLE} names it") from None
        return Configuration(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # of UTF-8 too
        raise UsageError(f"{path}: not valid TOML: {' '.join(str(error).split())}") from error
    for name in content:
        if name not in (DEFAULTS, PRESETS):
            raise UsageError(f"{path}: no table [{name}]; there are [{DEFAULTS}] and [{PRESETS}.NAME]")
    defaults, presets = content.get(DEFAULTS, {}), content.get(PRESETS, {})
    if not isinstance(defaults, dict):
        raise UsageError(f"{path}: {DEFAULTS} must be a table: [{DEFAULTS}]")
    if not isinstance(presets, dict) or not all(isinstance(preset, dict) for preset in presets.values()):
        raise UsageError(f"{path}: each preset must be a table: [{PRESETS}.NAME]")
    return Configuration(path, defaults, presets)
