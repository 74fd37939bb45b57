"""Types of options: the values that they accept, and those that a shell completes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from glob import escape
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from enlighten_cli.errors import did_you_mean
from enlighten_cli.models.providers import WORDS


class Registered(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3
    """A name from a registry, which is imported only if the option is given, so that the command starts fast.

    Parameters
    ----------
    name : str
        Name of the type.
    names : callable
        Returns the accepted names.
    aliases : mapping, optional
        Names by their other spellings.
    """

    def __init__(self, name: str, names: Callable[[], Iterable[str]], aliases: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._registry = names
        self._aliases = aliases or {}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse an unknown name; resolve an alias."""
        word = self._aliases.get(value, str(value))
        if word not in self._names():
            near = did_you_mean(word, self._names())
            self.fail(f"{value!r} is not one of {', '.join(self._names())}{near}", param, ctx)
        return word

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Suggest the names."""
        return [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]

    def _names(self) -> list[str]:
        return list(self._registry())


class Suggested(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3
    """Any word; a shell completes those that are known. The command itself checks the word.

    Parameters
    ----------
    name : str
        Name of the type.
    names : callable
        Returns the words to suggest.
    ending : str, optional
        Suffix of files to suggest too; by default none are.
    """

    def __init__(self, name: str, names: Callable[[], Iterable[str]], ending: str | None = None) -> None:
        self.name = name
        self._names = names
        self._ending = ending

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Suggest the words, and files with the ending."""
        items = [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]
        return items if self._ending is None else with_paths(items, incomplete, ending=self._ending)


def with_paths(items: list[CompletionItem], incomplete: str, *, ending: str = "") -> list[CompletionItem]:
    """Add files and folders to suggestions that are not paths.

    Without such suggestions, the shell completes paths itself, and handles `~`, quotes and slashes. It cannot do
    both, so beside other suggestions the paths are listed here.

    Parameters
    ----------
    items : list of CompletionItem
    incomplete : str
    ending : str
        Suffix of the files to list; folders are always listed.
    """
    if not items:
        return [CompletionItem(incomplete, type="file")]
    taken = {item.value for item in items}
    paths = []
    for path in sorted(Path().glob(f"{escape(incomplete)}*")):
        name = f"{path}/" if path.is_dir() else str(path)
        hidden = name.startswith(".") and not incomplete.startswith(".")
        if name.isprintable() and not hidden and name not in taken and name.endswith((ending, "/")):
            paths.append(CompletionItem(name))
    return [*items, *paths]


class Denoise(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3
    """Factor on the measured noise: auto (1), off (0) or a number."""

    name = "denoise"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the factor; its range is checked later."""
        from enlighten_cli.enhancement.enhance import DENOISE_WORDS

        try:
            factor = DENOISE_WORDS[value] if value in DENOISE_WORDS else float(value)
        except (TypeError, ValueError, OverflowError):
            factor = math.nan
        if not math.isfinite(factor):
            self.fail(f"{value!r} is not auto, off or a number", param, ctx)
        return factor

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Suggest the words."""
        from enlighten_cli.enhancement.enhance import DENOISE_WORDS

        return [CompletionItem(word) for word in DENOISE_WORDS if word.startswith(incomplete)]


def model_names() -> Iterable[str]:
    """Return the names of all models."""
    from enlighten_cli.models.registry import MODELS
    from enlighten_cli.models.store import imported_names

    return [*MODELS, *imported_names()]


def network_names() -> Iterable[str]:
    """Return the names of all models, and of the methods that --model accepts."""
    from enlighten_cli.methods.network import BRIGHTENING

    return [*model_names(), *BRIGHTENING]


def fetched_names() -> Iterable[str]:
    """Return the names of the models that are downloaded on demand."""
    from enlighten_cli.models.registry import MODELS

    return [row.name for row in MODELS.values() if not row.bundled]


def method_names() -> Iterable[str]:
    """Return the names of all methods."""
    from enlighten_cli.methods import METHODS

    return METHODS


def format_names() -> Iterable[str]:
    """Return the formats that can be written."""
    from enlighten_cli.photo import CHOICES

    return CHOICES


def optional_metric_names() -> Iterable[str]:
    """Return the metrics that are measured only on request."""
    from enlighten_cli.metrics import METRICS

    return (name for name, metric in METRICS.items() if metric.is_optional)


MODEL = Suggested("model", network_names, ending=".onnx")
FORMAT = Registered("format", format_names, {"jpeg": "jpg", "tif": "tiff"})
DEVICE = Suggested("device", lambda: WORDS)
