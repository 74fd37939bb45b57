"""What ``enlighten evaluate`` compares, ready to run here or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.cli.console import say
from enlighten_cli.cli.networks import opened_model
from enlighten_cli.cluster.worker import OpenedModel
from enlighten_cli.enhancement.enhance import Mode, Options
from enlighten_cli.errors import PhotoError, UsageError
from enlighten_cli.evaluation.runner import (
    INPUT,
    Candidate,
    PhotoSet,
    Task,
    by_method,
    by_network,
    by_outputs,
    evaluate,
)
from enlighten_cli.evaluation.tables import Scores
from enlighten_cli.methods import METHODS
from enlighten_cli.methods.network import is_method
from enlighten_cli.models.download import sha256_of
from enlighten_cli.models.network import NamedNetwork
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.models.store import locate
from enlighten_cli.originals import Originals
from enlighten_cli.photo import Pixels


@dataclass(frozen=True, kw_only=True)
class ComparedArguments:
    """What is compared, and on what."""

    folders: tuple[Path, ...]
    models: tuple[str, ...]
    methods: tuple[str, ...]
    outputs: tuple[str, ...]
    mode: str
    device: str
    threads: int | None
    on: str | None
    quiet: bool
    verbose: int


class Failures:
    """Photos that could not be read or scored: they are left out for all candidates, so that means stay comparable."""

    def __init__(self) -> None:
        self._photos: set[tuple[str, str]] = set()

    def __contains__(self, photo: object) -> bool:
        """Tell whether a photo, by its set and name, failed."""
        return photo in self._photos

    def add(self, task: Task, error: PhotoError) -> None:
        """Say so, once for each photo."""
        if (task.set, task.name) not in self._photos:
            self._photos.add((task.set, task.name))
            say(f"{error}; left out")

    def without(self, scores: Sequence[Scores]) -> list[Scores]:
        """Return the scores of the other photos."""
        return [each for each in scores if (each.set, each.photo) not in self._photos]

    def check_any_left(self, scores: Sequence[Scores]) -> None:
        """Refuse to go on with nothing.

        Raises
        ------
        PhotoError
        """
        if not scores:
            raise PhotoError("no photo could be read")

    @property
    def exit_code(self) -> int:
        """The exit code of the process."""
        return PhotoError.exit_code if self._photos else 0


@dataclass(frozen=True)
class Evaluation:
    """Candidates, ready to run.

    Parameters
    ----------
    names : list of str
    facts : dict
        Of the models among them, by name.
    run : callable
        Given `see`, yields the scores; see `evaluation.runner.evaluate`.
    """

    names: list[str]
    facts: dict[str, Any]
    run: Callable[[Callable[[Scores, Pixels, Pixels], None]], Iterator[Scores]]


@contextmanager
def prepared(
    arguments: ComparedArguments,
    sets: Sequence[PhotoSet],
    signals: list[int],
    failures: Failures,
    *,
    scored: bool = True,
    optional: Sequence[str] = (),
    keeps_pixels: bool = False,
) -> Iterator[Evaluation]:
    """Open the models, here or on a cluster.

    Parameters
    ----------
    arguments : ComparedArguments
    sets : sequence of PhotoSet
    signals : list of int
        Received so far; the first one stops the workers of a cluster.
    failures : Failures
        Hears of photos that fail.
    scored : bool
        Whether to measure anything.
    optional : sequence of str
        Names of optional metrics to measure too.
    keeps_pixels : bool
        Whether `see` is called; a cluster sends photos back only then.
    """
    methods, outputs = _methods(arguments), _outputs(arguments, sets)
    words = [*dict.fromkeys(arguments.models)] or ([] if arguments.methods or arguments.outputs else [DEFAULT_MODEL])
    options = Options(mode=Mode(arguments.mode))
    if arguments.on is None:
        networks = [
            opened_model(word, device=arguments.device, threads=arguments.threads, quiet=arguments.quiet)
            for word in words
        ]
        names, facts = _names(arguments, words, networks)
        candidates = [*methods, *(by_network(network, options) for network in networks), *outputs]
        chosen = dict(zip(names, candidates, strict=True))
        yield Evaluation(
            names, facts, lambda see: evaluate(sets, chosen, see, failures.add, scored=scored, optional=optional)
        )
        return
    # Rare, and a lot to import.
    from enlighten_cli.cluster.address import ClusterAddress
    from enlighten_cli.cluster.connection import connected
    from enlighten_cli.cluster.sent_model import SentModel
    from enlighten_cli.cluster.shared_files import marked
    from enlighten_cli.evaluation.on_cluster import ClusterEvaluation
    from enlighten_cli.models.device import Device

    device = Device.parse(arguments.device)
    models = [(SentModel.packed(word), options) for word in words]
    with marked(sets[0].paths[0]) as files, connected(ClusterAddress.parse(arguments.on)) as ray:
        workers = ClusterEvaluation(
            ray,
            [*methods, *models, *outputs],
            files,
            device=device,
            threads=arguments.threads,
            scored=scored,
            optional=optional,
            keeps_pixels=keeps_pixels,
            stopping=lambda: bool(signals),
        )
        try:
            for warning in {each.warning for each in workers.models if each.warning and not arguments.quiet}:
                say(f"enlighten: {warning}")
            names, facts = _names(arguments, words, workers.models)
            yield Evaluation(names, facts, lambda see: workers.run(sets, names, see, failures.add))
        finally:
            workers.close()


def originals_of(arguments: ComparedArguments, sets: Sequence[PhotoSet]) -> Originals:
    """Return what a report or sheet must not replace: the photos, their references, and the results compared."""
    folders = [Path(_split(words)[1]) for words in arguments.outputs]
    results = [path for folder in folders for path in find_photos(folder)]
    return Originals([*(path for each in sets for path in (*each.paths, *each.references.values())), *results])


def _methods(arguments: ComparedArguments) -> list[Candidate]:
    return [by_method(METHODS[name].enhance, is_timed=name != INPUT) for name in dict.fromkeys(arguments.methods)]


def _outputs(arguments: ComparedArguments, sets: Sequence[PhotoSet]) -> list[Candidate]:
    return [by_outputs(Path(_split(words)[1]), sets) for words in arguments.outputs]


def _split(words: str) -> tuple[str, str]:
    name, _, folder = words.partition("=")
    if not name or not folder:
        raise _no_name(words)
    return name, folder


def _no_name(words: str) -> UsageError:
    return UsageError(f"--outputs {words}: must be NAME=FOLDER, with a NAME that no other candidate has")


def _names(
    arguments: ComparedArguments, words: Sequence[str], networks: Sequence[NamedNetwork | OpenedModel]
) -> tuple[list[str], dict[str, Any]]:
    """Return the names of all candidates, and facts about the models among them."""
    names, facts = list(dict.fromkeys(arguments.methods)), {}
    for word, network in zip(words, networks, strict=True):
        name = network.name if network.name not in names else word
        if name in names:
            raise UsageError(f"--model {word}: another candidate is called {name}, too; leave one out")
        names.append(name)
        facts[name] = {"sha256": _digest(word), "provider": network.provider}
    for words_of_output in arguments.outputs:
        name, _ = _split(words_of_output)
        if name in names:
            raise _no_name(words_of_output)
        names.append(name)
    return names, facts


def _digest(word: str) -> str | None:
    """Return the hash of a model's file; None for a method."""
    return None if is_method(word) else sha256_of(locate(word))
