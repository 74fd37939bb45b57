"""The user's file of defaults and presets."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enlighten_cli.errors import UsageError, did_you_mean

VARIABLE = "ENLIGHTEN_CONFIG"
MOST_BYTES = 1 << 20
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
    fault : str
        Why the file, which nobody named, could not be read; empty where it was, or where there is none.
    """

    path: Path
    defaults: dict[str, Any] = field(default_factory=dict)
    presets: dict[str, dict[str, Any]] = field(default_factory=dict)
    fault: str = ""

    def options(self, preset: str | None) -> dict[str, Any]:
        """Return the defaults, and over them what a preset says.

        Raises
        ------
        UsageError
            If there is no such preset.
        """
        if preset is None:
            return self.defaults
        if preset not in self.presets and self.fault:
            raise UsageError(f"--preset {preset}: {self.path}: {self.fault}")
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
        If `ENLIGHTEN_CONFIG` names a file that cannot be read, or the file is no file of defaults and presets.
    """
    path, is_named = configuration_file(), bool(os.environ.get(VARIABLE))
    try:
        text = _text(path)
        import tomllib  # most people have no such file

        content = tomllib.loads(text)
    except FileNotFoundError:
        if is_named:
            raise UsageError(f"{path}: no such file; {VARIABLE} names it") from None
        return Configuration(path)
    except OSError as error:
        fault = f"cannot be read: {error.strerror}"
        if is_named:
            raise UsageError(f"{path}: {fault}; {VARIABLE} names it") from error
        return Configuration(path, fault=fault)
    except RecursionError as error:
        raise UsageError(f"{path}: not a file of defaults and presets: nested too deeply") from error
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


def _text(path: Path) -> str:
    """Read the file; nothing that waits, and nothing without an end.

    Raises
    ------
    OSError
    UsageError
        If it is a pipe, or too large.
    """
    # Opening a FIFO would wait for somebody to write into it.
    with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISCHR(mode)):  # /dev/null sets nothing
            raise UsageError(f"{path}: not a regular file")
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UsageError(f"{path}: more than {MOST_BYTES:,} bytes: not a file of defaults and presets")
    return content.decode("utf-8-sig")
