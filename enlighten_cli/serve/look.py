"""The options of a request, validated: strength, model, format and others."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enlighten_cli.enhancement.encoded import Treatment
from enlighten_cli.enhancement.enhance import DENOISE_WORDS, MAX_DENOISE, MAX_STRENGTH, Mode, Options
from enlighten_cli.errors import UsageError
from enlighten_cli.photo import CHOICES, Limits, Strip
from enlighten_cli.serve.problems import Problem


@dataclass(frozen=True)
class Look:
    """The options that a person sets while looking at the photo.

    Parameters
    ----------
    strength : float
    mode : Mode
    model : str
        A model's name; empty for the default.
    denoise : float
        See `Options`.
    """

    strength: float = 1.0
    mode: Mode = Mode.AUTO
    model: str = ""
    denoise: float = 1.0

    def options(self, **more: Any) -> Options:
        """Return the options of the enhancement.

        Raises
        ------
        UsageError
            If a number is out of its range.
        """
        return Options(strength=self.strength, mode=self.mode, denoise=self.denoise, **more)


LOOK_NAMES = ("strength", "mode", "model", "denoise")
OTHER_NAMES = ("tile", "format", "quality", "strip", "skip_brighter_than", "allow_truncated")


def look_of(words: Mapping[str, Any]) -> Look:
    """Read a look from a request; other names are ignored.

    Raises
    ------
    Problem
        If a value is invalid.
    """
    look = Look(
        strength=number(words, "strength", 1.0, 0, MAX_STRENGTH),
        mode=Mode(one_of(words, "mode", [mode.value for mode in Mode], Mode.AUTO.value)),
        model=str(words.get("model", "")),
        denoise=_denoise(words.get("denoise", "auto")),
    )
    try:
        look.options()
    except UsageError as error:
        raise Problem(422, str(error)) from error
    return look


def treatment_of(words: Mapping[str, Any], limits: Limits, memory_bytes: int | None) -> tuple[Look, Treatment, str]:
    """Read all options of the API.

    Returns
    -------
    look : Look
    treatment : Treatment
    format : str
        A name in `photo.FORMATS`; empty keeps the photo's own.

    Raises
    ------
    Problem
        If an option is unknown, or a value is invalid.
    """
    for name in words:
        if name not in (*LOOK_NAMES, *OTHER_NAMES, "name"):
            known = ", ".join((*LOOK_NAMES, *OTHER_NAMES))
            raise Problem(422, f"unknown option {name[:40]!r}; the options are {known}")
    look = look_of(words)
    tile = int(number(words, "tile", 0, 0, 1 << 20)) if "tile" in words else None
    quality = int(number(words, "quality", 0, 1, 100)) if "quality" in words else None
    brighter = number(words, "skip_brighter_than", 1, 0, 1) if "skip_brighter_than" in words else None
    truncated = one_of(words, "allow_truncated", ["true", "false"], "false") == "true"
    try:
        options = look.options(tile_px=tile, memory_bytes=memory_bytes)
    except UsageError as error:
        raise Problem(422, str(error)) from error
    treatment = Treatment(
        enhance=options,
        limits=dataclasses.replace(limits, allow_truncated=truncated or limits.allow_truncated),
        quality=quality,
        strip=Strip(one_of(words, "strip", [strip.value for strip in Strip], Strip.NOTHING.value)),
        skip_brighter_than=brighter,
    )
    format = CHOICES[one_of(words, "format", CHOICES, "")] if "format" in words else ""
    return look, treatment, format


def number(words: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    """Read a number within a range.

    Raises
    ------
    Problem
        If it is not a number, or out of range.
    """
    try:
        value = float(words.get(name, default))
    except (TypeError, ValueError):
        value = float("nan")
    if not low <= value <= high:
        raise Problem(422, f"{name} must be a number from {low:g} to {high:g}")
    return value


def one_of(words: Mapping[str, Any], name: str, choices: Any, default: str) -> str:
    """Read a word that must be one of the choices.

    Raises
    ------
    Problem
        If it is another word.
    """
    value = words.get(name, default)
    if value not in choices and value != default:
        raise Problem(422, f"{name} must be one of {', '.join(map(str, choices))}")
    return str(value)


def _denoise(given: Any) -> float:
    if isinstance(given, str) and given in DENOISE_WORDS:
        return DENOISE_WORDS[given]
    return number({"denoise": given}, "denoise", 0, 0, MAX_DENOISE)
