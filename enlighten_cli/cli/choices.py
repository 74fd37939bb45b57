"""What the options of the command line mean to the layers below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from enlighten_cli.cli.console import say
from enlighten_cli.errors import did_you_mean

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
    aliases : mapping, optional
        Other words for them.
    """

    def __init__(self, name: str, names: Callable[[], Iterable[str]], aliases: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._registry = names
        self._aliases = aliases or {}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse a name that there is not."""
        word = self._aliases.get(value, str(value))
        if word not in self._names():
            near = did_you_mean(word, self._names())
            self.fail(f"{value!r} is none of {', '.join(self._names())}{near}", param, ctx)
        return word

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the names."""
        return [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]

    def _names(self) -> list[str]:
        return list(self._registry())


class Suggested(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3
    """Any word, of which a shell completes some; whether it makes sense is seen when it is used.

    Parameters
    ----------
    name : str
        Of what is chosen.
    names : callable
        Returns the words that are offered.
    ending : str, optional
        Of files that the word may name too; without it, it names none.
    """

    def __init__(self, name: str, names: Callable[[], Iterable[str]], ending: str | None = None) -> None:
        self.name = name
        self._names = names
        self._ending = ending

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the words, and files where it may name one."""
        items = [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]
        return items if self._ending is None else with_paths(items, incomplete, ending=self._ending)


def with_paths(items: list[CompletionItem], incomplete: str, *, ending: str = "") -> list[CompletionItem]:
    """Add the files and folders that a word may become to words that are no paths.

    Where there are no such words, the shell is left to complete paths in its own way: it knows of `~`, quotes and
    slashes. It cannot do both, so that next to words each path is listed; what they have in common is then a part
    of a word, so that nothing in a path needs quotes.

    Parameters
    ----------
    items : list of CompletionItem
    incomplete : str
    ending : str
        That files must have to be listed.
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


def model_names() -> Iterable[str]:
    """Return the names of the models that there are."""
    from enlighten_cli.models.registry import MODELS
    from enlighten_cli.models.store import imported_names

    return [*MODELS, *imported_names()]


def network_names() -> Iterable[str]:
    """Return the names of the models, and of the methods that brighten as a model does."""
    from enlighten_cli.methods.network import BRIGHTENING

    return [*model_names(), *BRIGHTENING]


def fetched_names() -> Iterable[str]:
    """Return the names of the models that can be fetched."""
    from enlighten_cli.models.registry import MODELS

    return [row.name for row in MODELS.values() if not row.bundled]


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


MODEL = Suggested("model", network_names, ending=".onnx")
FORMAT = Registered("format", format_names, {"jpeg": "jpg", "tif": "tiff"})
DEVICE = Suggested("device", lambda: ("auto", "cpu", "cuda"))
