"""Scores of photos, and tables of their means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from enlighten_cli import __version__
from enlighten_cli.evaluation.interval import Interval, interval
from enlighten_cli.metrics import METRICS, Better


@dataclass(frozen=True)
class Scores:
    """Scores of one method for one photo.

    Parameters
    ----------
    set, method, photo : str
        The folder's name, the method's, and the photo's path below the folder.
    values : dict
        Values by metric; those that could not be measured are left out.
    """

    set: str
    method: str
    photo: str
    values: dict[str, float]

    def record(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {"set": self.set, "method": self.method, "photo": self.photo, **self.values}


@dataclass(frozen=True)
class Row:
    """Means over a set, with their 95 % intervals."""

    set: str
    method: str
    count: int
    means: dict[str, float]
    intervals: dict[str, Interval] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        means = {metric: {"mean": value} for metric, value in self.means.items()}
        for metric, each in self.intervals.items():
            means[metric] |= {"low": each.low, "high": each.high}
        return {"set": self.set, "method": self.method, "count": self.count, **means}


def rows_of(scores: Iterable[Scores]) -> list[Row]:
    """Average scores over each set and method, in the order of the first ones."""
    groups: dict[tuple[str, str], list[Scores]] = {}
    for each in scores:
        groups.setdefault((each.set, each.method), []).append(each)
    rows = []
    for (set_name, method), members in groups.items():
        means, intervals = {}, {}
        for metric in METRICS:
            values = [member.values[metric] for member in members if metric in member.values]
            if values:
                means[metric] = float(np.mean(values))
                intervals[metric] = interval(values)
        rows.append(Row(set_name, method, len(members), means, intervals))
    return rows


def best_of(rows: Sequence[Row], set_name: str, metric: str) -> float | None:
    """Return the best mean of a set; None if there is nothing to compare."""
    values = [row.means[metric] for row in rows if row.set == set_name and metric in row.means]
    better = METRICS[metric].better
    if better is Better.NEITHER or len(values) < 2:
        return None
    return max(values) if better is Better.HIGHER else min(values)


def provenance(models: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Return what the scores depend on: versions, models with hashes and providers, options."""
    from importlib import metadata

    versions = {"enlighten": __version__}
    for name in ("numpy", "pillow", "scikit-image", "onnxruntime", "onnxruntime-gpu"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {"versions": versions, "models": models, "options": options}
