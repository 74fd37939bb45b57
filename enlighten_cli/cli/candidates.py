"""What ``enlighten evaluate`` compares, ready to run here or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enlighten_cli.cli.choices import opened_model
from enlighten_cli.cli.console import say
from enlighten_cli.errors import UsageError

if TYPE_CHECKING:
    from enlighten_cli.cli.evaluate import EvaluateArguments
    from enlighten_cli.cluster.worker import OpenedModel
    from enlighten_cli.evaluation.runner import Candidate, PhotoSet
    from enlighten_cli.evaluation.tables import Scores
    from enlighten_cli.models.network import NamedNetwork
    from enlighten_cli.photo import Pixels


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
    arguments: EvaluateArguments,
    sets: Sequence[PhotoSet],
    signals: list[int],
    *,
    scored: bool = True,
    seen: bool = False,
) -> Iterator[Evaluation]:
    """Open the models, here or on a cluster.

    Parameters
    ----------
    arguments : EvaluateArguments
    sets : sequence of PhotoSet
    signals : list of int
        Received so far; the first one stops the workers of a cluster.
    scored : bool
        Whether to measure anything.
    seen : bool
        Whether `see` is called; a cluster sends photos back only then.
    """
    from enlighten_cli.evaluation.runner import evaluate
    from enlighten_cli.models.registry import DEFAULT_MODEL

    methods, outputs = _methods(arguments), _outputs(arguments, sets)
    words = [*dict.fromkeys(arguments.models)] or ([] if arguments.methods or arguments.outputs else [DEFAULT_MODEL])
    if arguments.on is None:
        networks = [
            opened_model(word, device=arguments.device, threads=arguments.threads, quiet=arguments.quiet)
            for word in words
        ]
        names, facts = _names(arguments, words, networks)
        candidates = [*methods, *_by_networks(arguments, networks), *outputs]
        chosen = dict(zip(names, candidates, strict=True))
        optional = arguments.metrics
        yield Evaluation(names, facts, lambda see: evaluate(sets, chosen, see, scored=scored, optional=optional))
        return
    from enlighten_cli.cluster.address import ClusterAddress
    from enlighten_cli.cluster.connection import connected
    from enlighten_cli.cluster.sent_model import SentModel
    from enlighten_cli.cluster.shared_files import marked
    from enlighten_cli.evaluation.on_cluster import ClusterEvaluation
    from enlighten_cli.models.device import Device

    options, device = _options(arguments), Device.parse(arguments.device)
    models = [(SentModel.packed(word), options) for word in words]
    with marked(sets[0].paths[0]) as files, connected(ClusterAddress.parse(arguments.on)) as ray:
        workers = ClusterEvaluation(
            ray,
            [*methods, *models, *outputs],
            files,
            device=device,
            threads=arguments.threads,
            scored=scored,
            optional=arguments.metrics,
            keeps_pixels=seen,
            stopping=lambda: bool(signals),
        )
        try:
            for warning in {each.warning for each in workers.models if each.warning and not arguments.quiet}:
                say(f"enlighten: {warning}")
            names, facts = _names(arguments, words, workers.models)
            yield Evaluation(names, facts, lambda see: workers.run(sets, names, see))
        finally:
            workers.close()


def _methods(arguments: EvaluateArguments) -> list[Candidate]:
    from enlighten_cli.evaluation.runner import INPUT, by_method
    from enlighten_cli.methods import METHODS

    return [by_method(METHODS[name].enhance, is_timed=name != INPUT) for name in dict.fromkeys(arguments.methods)]


def _options(arguments: EvaluateArguments) -> Any:
    from enlighten_cli.enhancement.enhance import Mode, Options

    return Options(mode=Mode(arguments.mode))


def _by_networks(arguments: EvaluateArguments, networks: Sequence[NamedNetwork]) -> list[Candidate]:
    from enlighten_cli.evaluation.runner import by_network

    return [by_network(network, _options(arguments)) for network in networks]


def _outputs(arguments: EvaluateArguments, sets: Sequence[PhotoSet]) -> list[Candidate]:
    from enlighten_cli.evaluation.runner import by_outputs

    return [by_outputs(Path(_split(words)[1]), sets) for words in arguments.outputs]


def _split(words: str) -> tuple[str, str]:
    name, _, folder = words.partition("=")
    if not name or not folder:
        raise _no_name(words)
    return name, folder


def _no_name(words: str) -> UsageError:
    return UsageError(f"--outputs {words}: must be NAME=FOLDER, with a NAME that no other candidate has")


def _names(
    arguments: EvaluateArguments, words: Sequence[str], networks: Sequence[NamedNetwork | OpenedModel]
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
    from enlighten_cli.methods.network import is_method
    from enlighten_cli.models.download import sha256_of
    from enlighten_cli.models.store import locate

    return None if is_method(word) else sha256_of(locate(word))
