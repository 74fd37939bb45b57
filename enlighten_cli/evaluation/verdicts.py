"""Decide which of two methods is better, if the photos are enough to tell."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from enlighten_cli.evaluation.interval import Interval, difference
from enlighten_cli.evaluation.tables import Scores
from enlighten_cli.metrics import METRICS, Better

# With five photos, all favour the same method by chance in 6 % of cases (2 * 0.5**5): too many for a 95 % interval.
FEWEST_PHOTOS = 6


@dataclass(frozen=True)
class Verdict:
    """Two methods compared by one metric, photo by photo.

    Parameters
    ----------
    one, other : str
        Methods.
    metric : str
        Name of a metric that has a better direction.
    photos : int
        Number of photos on which both were scored.
    difference : Interval or None
        Mean of one minus other; None for fewer photos than `FEWEST_PHOTOS`, or if a score is infinite.
    """

    one: str
    other: str
    metric: str
    photos: int
    difference: Interval | None

    @property
    def better(self) -> str | None:
        """The better method; None if there is no real difference, or it cannot be decided."""
        if self.difference is None or not self.difference.excludes_zero:
            return None
        is_one = (self.difference.mean > 0) == (METRICS[self.metric].better is Better.HIGHER)
        return self.one if is_one else self.other

    @property
    def words(self) -> str:
        """The verdict in words."""
        if self.better is not None:
            return f"{self.better} is better"
        if self.difference is not None:
            return "no real difference"
        return f"too few photos ({self.photos})" if self.photos < FEWEST_PHOTOS else "cannot be compared"

    @property
    def detail(self) -> str:
        """The size of the difference, with its interval; empty if it cannot be decided."""
        if self.difference is None:
            return ""
        low, high = self.difference.low, self.difference.high
        if self.better is None:
            return f"{low:+.3g} to {high:+.3g}"
        nearer, farther = sorted((abs(low), abs(high)))
        return f"by {abs(self.difference.mean):.3g} ({nearer:.3g} to {farther:.3g})"


def verdicts(scores: Iterable[Scores]) -> dict[str, list[dict[str, Verdict]]]:
    """Compare all pairs of methods.

    Parameters
    ----------
    scores : iterable of Scores

    Returns
    -------
    dict
        By set: for each pair of methods with a common metric, verdicts by metric.
    """
    sets: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for each in scores:
        sets.setdefault(each.set, {}).setdefault(each.method, {})[each.photo] = each.values
    found: dict[str, list[dict[str, Verdict]]] = {}
    for name, methods in sets.items():
        for one, other in combinations(methods, 2):
            row = {}
            for metric in METRICS.values():
                if metric.better is Better.NEITHER:
                    continue
                verdict = _compared(one, other, metric.name, methods)
                if verdict.photos:
                    row[metric.name] = verdict
            if row:
                found.setdefault(name, []).append(row)
    return found


def leaders(rows: Iterable[dict[str, Verdict]], best: str, metric: str) -> set[str]:
    """Return the best method and those that do not really differ from it; empty if no method differs.

    Parameters
    ----------
    rows : iterable of dict
        Verdicts of one set.
    best : str
        The method with the best mean.
    metric : str
    """
    compared = [row[metric] for row in rows if metric in row and best in (row[metric].one, row[metric].other)]
    ties = {verdict.other if verdict.one == best else verdict.one for verdict in compared if verdict.better is None}
    return set() if len(ties) == len(compared) else {best, *ties}


def _compared(one: str, other: str, metric: str, methods: dict[str, dict[str, dict[str, float]]]) -> Verdict:
    pairs = [
        (values[metric], methods[other][photo][metric])
        for photo, values in methods[one].items()
        if metric in values and metric in methods[other].get(photo, {})
    ]
    if len(pairs) < FEWEST_PHOTOS or not all(math.isfinite(value) for pair in pairs for value in pair):
        return Verdict(one, other, metric, len(pairs), None)
    return Verdict(one, other, metric, len(pairs), difference(*zip(*pairs, strict=True)))
