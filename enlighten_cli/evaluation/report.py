"""One HTML page about an evaluation or a batch: self-contained, to open from disk."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import MissingDependencyError
from enlighten_cli.evaluation.plots import distributions, histograms, luma_histogram
from enlighten_cli.evaluation.runner import INPUT
from enlighten_cli.evaluation.sheet import reduced
from enlighten_cli.evaluation.tables import Row, Scores, best_of
from enlighten_cli.metrics import METRICS
from enlighten_cli.photo import Photo, Pixels, encode

if TYPE_CHECKING:
    from jinja2 import Environment

THUMBNAIL_PX = 320
# The side of the full view; the more photos, the smaller, so that the page stays one that opens.
VIEW_PX = ((40, 1600), (120, 1200), (100_000, 900))
QUALITY = 82


@dataclass
class _Entry:
    number: int
    scores: Scores
    thumbnail: str
    before: str
    after: str
    width: int
    height: int


@dataclass
class Page:
    """A report as it grows: photos are reduced when they come, and none is held at full size.

    Parameters
    ----------
    title : str
    expected : int
        Number of pictures to come; it sets how large they are kept.
    """

    title: str
    expected: int
    _entries: list[_Entry] = field(default_factory=list)
    _scores: list[Scores] = field(default_factory=list)
    _luma: dict[str, np.ndarray] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, scores: Scores, before: Pixels, after: Pixels) -> None:
        """Add a photo, before and after, 8-bit sRGB; of photos taken as they are, the figures only."""
        self._scores.append(scores)
        if scores.method == INPUT:
            self._count("before", before)
            return
        side = next(px for most, px in VIEW_PX if self.expected <= most)
        view = reduced(after, side)
        self._entries.append(
            _Entry(
                number=len(self._entries),
                scores=scores,
                thumbnail=_jpeg(reduced(after, THUMBNAIL_PX)),
                before=_jpeg(reduced(before, side)),
                after=_jpeg(view),
                width=view.shape[1],
                height=view.shape[0],
            )
        )
        self._count("before", before)
        self._count(scores.method, after)

    def _count(self, name: str, pixels: Pixels) -> None:
        histogram = luma_histogram(pixels)
        self._luma[name] = self._luma.get(name, np.zeros_like(histogram)) + histogram
        self._counts[name] = self._counts.get(name, 0) + 1

    def write(self, path: Path, rows: Sequence[Row], facts: Sequence[str]) -> None:
        """Write the page, whole or not at all.

        Parameters
        ----------
        path : Path
        rows : sequence of Row
            Of the summary.
        facts : sequence of str
            Lines below it: versions, models, options.

        Raises
        ------
        MissingDependencyError
            If Jinja2 or matplotlib is absent.
        OutputError
            If the page cannot be written.
        """
        environment = _environment()
        metrics = [metric for metric in METRICS if any(metric in row.means for row in rows)]
        page = environment.get_template("report.html").render(
            title=self.title,
            facts=facts,
            metrics=metrics,
            registry=METRICS,
            rows=[(row, {metric: best_of(rows, row.set, metric) for metric in metrics}) for row in rows],
            plots=self._plots([metric for metric in metrics if metric != "seconds"]),
            entries=self._entries,
        )
        write_whole(path, page.encode("utf-8", "replace"))

    def _plots(self, metrics: Sequence[str]) -> list[str]:
        """Draw each metric that was measured for two photos or more, and the luma."""
        plots = []
        for metric in metrics:
            values: dict[str, list[float]] = {}
            for scores in self._scores:
                if metric in scores.values:
                    values.setdefault(scores.method, []).append(scores.values[metric])
            if any(len(each) > 1 for each in values.values()):
                plots.append(distributions(values, metric))
        if self._luma:
            plots.append(histograms({name: total / self._counts[name] for name, total in self._luma.items()}))
        return plots


def require_report() -> None:
    """Refuse to begin what would end without a report.

    Raises
    ------
    MissingDependencyError
        If Jinja2 or matplotlib is absent; the message has the command.
    """
    from importlib.util import find_spec

    missing = [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(f"a report needs {' '.join(missing)}; run: pip install {' '.join(missing)}")


def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    templates = files("enlighten_cli.evaluation")
    return Environment(
        loader=FunctionLoader(lambda name: templates.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _jpeg(pixels: Pixels) -> str:
    return base64.b64encode(encode(Photo(pixels, "JPEG"), quality=QUALITY)).decode("ascii")
