"""Which of two methods is better, where the photos can tell."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from enlighten_cli.evaluation.interval import Interval, difference
from enlighten_cli.evaluation.tables import Scores
from enlighten_cli.metrics import METRICS, Better

# Five photos or fewer may all favour one method by chance in more than one case of twenty: 2 * 0.5**5 = 6 %.
FEWEST_PHOTOS = 6


@dataclass(frozen=True)
class Verdict:
    """Two methods compared by one metric, photo by photo.

    Parameters
    ----------
    one, other : str
        Methods.
    metric : str
        One of which a direction is better.
    photos : int
        Those that both were scored on.
    difference : Interval or None
        Mean of one minus other; None where there are fewer than `FEWEST_PHOTOS`, or a score is infinite.
    """

    one: str
    other: str
    metric: str
    photos: int
    difference: Interval | None

    @property
    def better(self) -> str | None:
        """The better method; None where there is no real difference, or no telling."""
        if self.difference is None or not self.difference.excludes_zero:
            return None
        is_one = (self.difference.mean > 0) == (METRICS[self.metric].better is Better.HIGHER)
        return self.one if is_one else self.other

    @property
    def words(self) -> str:
        """Say it."""
        if self.better is not None:
            return f"{self.better} is better"
        if self.difference is not None:
            return "no real difference"
        return f"too few photos ({self.photos})" if self.photos < FEWEST_PHOTOS else "cannot be compared"

    @property
    def detail(self) -> str:
        """Say by how much, and how sure that is; empty where there is no telling."""
        if self.difference is None:
            return ""
        low, high = self.difference.low, self.difference.high
        if self.better is None:
            return f"{low:+.3g} to {high:+.3g}"
        nearer, farther = sorted((abs(low), abs(high)))
        return f"by {abs(self.difference.mean):.3g} ({nearer:.3g} to {farther:.3g})"


def verdicts(scores: Iterable[Scores]) -> dict[str, list[dict[str, Verdict]]]:
    """Compare every two methods.

    Parameters
    ----------
    scores : iterable of Scores

    Returns
    -------
    dict
        By set: for every two methods that share a metric, verdicts by metric.
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
    """Return the best method and those that do not really differ from it; none where that is all of them.

    Parameters
    ----------
    rows : iterable of dict
        The verdicts of one set.
    best : str
        The method of the best mean.
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
