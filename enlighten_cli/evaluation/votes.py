"""Votes of a blind comparison: which of two methods people prefer, and how certain that is."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enlighten_cli.errors import UsageError

FORMAT = "enlighten votes 1"
MOST_BYTES = 1 << 24
CONFIDENCE_Z = 1.959964  # of a 95 % interval
ALL_SETS = "all"


@dataclass(frozen=True)
class Vote:
    """A vote on one pair of results.

    Parameters
    ----------
    set, photo : str
    first, second : str
        The two methods, in alphabetical order.
    winner : str or None
        One of them; None for "the same".
    """

    set: str
    photo: str
    first: str
    second: str
    winner: str | None


@dataclass(frozen=True)
class Tally:
    """The count of votes on two methods over a set.

    Parameters
    ----------
    set, first, second : str
    wins, losses, ties : int
        Counts for the first method.
    """

    set: str
    first: str
    second: str
    wins: int
    losses: int
    ties: int

    @property
    def count(self) -> int:
        """The number of votes."""
        return self.wins + self.losses + self.ties

    @property
    def rate(self) -> float:
        """The share of votes for the first method, in [0, 1]; a tie counts half."""
        return (self.wins + self.ties / 2) / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the rate (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
        n, z = self.count, CONFIDENCE_Z
        middle = (self.rate + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(self.rate * (1 - self.rate) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    @property
    def p_value(self) -> float:
        """The p-value of a two-sided sign test; ties do not count."""
        n, most = self.wins + self.losses, max(self.wins, self.losses)
        tail = sum(math.comb(n, k) for k in range(most, n + 1))
        return min(1.0, 2 * tail / 2**n) if n else 1.0

    def record(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        low, high = self.interval
        return {**vars(self), "rate": self.rate, "low": low, "high": high, "p_value": self.p_value}


def read_votes(paths: Sequence[Path]) -> list[Vote]:
    """Read votes that the page saved.

    Raises
    ------
    UsageError
        If a file is not one that the page saved.
    """
    votes = []
    for path in paths:
        try:
            if path.stat().st_size > MOST_BYTES:
                raise ValueError("too large")
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["format"] != FORMAT:
                raise ValueError("unknown format")
            for each in record["votes"]:
                words = [each[key] for key in ("set", "photo", "left", "right")]
                if not all(isinstance(word, str) for word in words) or each["vote"] not in ("left", "right", "same"):
                    raise ValueError("invalid vote")
                set_name, photo, left, right = words
                first, second = sorted((left, right))
                winner = None if each["vote"] == "same" else left if each["vote"] == "left" else right
                votes.append(Vote(set_name, photo, first, second, winner))
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(
                f"{path}: not votes saved by the page of --blind ({error}); choose another file"
            ) from error
    return votes


def tallies(votes: Iterable[Vote]) -> list[Tally]:
    """Count votes by pair of methods and set; if there are several sets, over all of them too."""
    groups: dict[tuple[str, str, str], list[Vote]] = {}
    for vote in votes:
        groups.setdefault((vote.first, vote.second, vote.set), []).append(vote)
    counted = []
    for first, second in dict.fromkeys((first, second) for first, second, _ in groups):
        sets = {name: members for (one, other, name), members in groups.items() if (one, other) == (first, second)}
        if len(sets) > 1:
            sets[ALL_SETS] = [vote for members in sets.values() for vote in members]
        for name, members in sets.items():
            winners = [vote.winner for vote in members]
            counted.append(Tally(name, first, second, winners.count(first), winners.count(second), winners.count(None)))
    return counted
