"""One HTML page about an evaluation or a batch: self-contained, to open from disk."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import MissingDependencyError, how_to_install
from enlighten_cli.evaluation.plots import distributions, histograms, luma_histogram
from enlighten_cli.evaluation.runner import INPUT
from enlighten_cli.evaluation.sheet import reduced
from enlighten_cli.evaluation.tables import Row, Scores, best_of
from enlighten_cli.evaluation.template import environment, jpeg
from enlighten_cli.metrics import METRICS
from enlighten_cli.photo import Pixels

if TYPE_CHECKING:
    pass

THUMBNAIL_PX = 320
# The side of the full view; later ones are smaller, so that a page of very many stays one that opens.
VIEW_PX = ((40, 1600), (120, 1200), (math.inf, 900))
QUALITY = 82


@dataclass(frozen=True)
class Picture:
    """What a page keeps of one photo and method.

    Parameters
    ----------
    scores : Scores
    luma_before, luma_after : ndarray, shape (bins,)
    thumbnail, before, after : str
        JPEG in base64; empty for photos taken as they are.
    width, height : int
        Of the view.
    """

    scores: Scores
    luma_before: np.ndarray
    luma_after: np.ndarray
    thumbnail: str = ""
    before: str = ""
    after: str = ""
    width: int = 0
    height: int = 0


@dataclass
class Page:
    """A report as it grows: photos are reduced when they come, and none is held at full size.

    Parameters
    ----------
    title : str
    """

    title: str
    _pictures: list[Picture] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def picture(self, scores: Scores, before: Pixels, after: Pixels) -> Picture:
        """Reduce a photo, before and after, 8-bit sRGB, to what the page keeps; from any thread."""
        luma_before, luma_after = luma_histogram(before), luma_histogram(after)
        if scores.method == INPUT:
            return Picture(scores, luma_before, luma_after)
        number = next(self._numbers)
        side = next(px for most, px in VIEW_PX if number < most)
        view = reduced(after, side)
        return Picture(
            scores,
            luma_before,
            luma_after,
            thumbnail=jpeg(reduced(after, THUMBNAIL_PX), QUALITY),
            before=jpeg(reduced(before, side), QUALITY),
            after=jpeg(view, QUALITY),
            width=view.shape[1],
            height=view.shape[0],
        )

    def add(self, picture: Picture) -> None:
        """Show a picture, after those that were added before."""
        self._pictures.append(picture)

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
        metrics = [metric for metric in METRICS if any(metric in row.means for row in rows)]
        page = (
            environment()
            .get_template("report.html")
            .render(
                title=self.title,
                facts=facts,
                metrics=metrics,
                registry=METRICS,
                rows=[(row, {metric: best_of(rows, row.set, metric) for metric in metrics}) for row in rows],
                plots=self._plots([metric for metric in metrics if metric != "seconds"]),
                entries=[picture for picture in self._pictures if picture.scores.method != INPUT],
            )
        )
        write_whole(path, page.encode("utf-8", "replace"))

    def _plots(self, metrics: Sequence[str]) -> list[str]:
        """Draw each metric that was measured for two photos or more, and the luma."""
        plots = []
        for metric in metrics:
            values: dict[str, list[float]] = {}
            for picture in self._pictures:
                if metric in picture.scores.values:
                    values.setdefault(picture.scores.method, []).append(picture.scores.values[metric])
            if any(len(each) > 1 for each in values.values()):
                plots.append(distributions(values, metric))
        lumas: dict[str, list[np.ndarray]] = {}
        for picture in self._pictures:
            lumas.setdefault("before", []).append(picture.luma_before)
            if picture.scores.method != INPUT:
                lumas.setdefault(picture.scores.method, []).append(picture.luma_after)
        if lumas:
            plots.append(histograms({name: np.mean(each, axis=0) for name, each in lumas.items()}))
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
        raise MissingDependencyError(f"a report needs {' '.join(missing)}; {how_to_install('evaluate', *missing)}")
