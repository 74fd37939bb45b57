"""The HTML report of an evaluation or a batch: one self-contained file."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import MissingDependencyError, how_to_install
from enlighten_cli.evaluation.plots import distributions, histograms, luma_histogram, method_colours
from enlighten_cli.evaluation.runner import INPUT
from enlighten_cli.evaluation.sheet import reduced
from enlighten_cli.evaluation.tables import Row, Scores, best_of
from enlighten_cli.evaluation.template import environment, jpeg
from enlighten_cli.evaluation.verdicts import Verdict, leaders, verdicts
from enlighten_cli.metrics import METRICS, Better, Metric
from enlighten_cli.originals import Originals
from enlighten_cli.photo import Pixels

THUMBNAIL_PX = 320
# Side of the full view, by number of pictures so far: later ones are smaller, so that browsers can open the page.
VIEW_PX = ((40, 1600), (120, 1200), (math.inf, 900))
QUALITY = 82


@dataclass(frozen=True)
class Rendition:
    """A reduced photo in the page.

    Parameters
    ----------
    thumbnail, full : str
        JPEG in base64.
    """

    thumbnail: str
    full: str


@dataclass(frozen=True)
class Original:
    """The input photo.

    Parameters
    ----------
    view : Rendition
    luma : ndarray, shape (bins,)
    width, height : int
        Size of all views of this photo; equal, so that methods are compared pixel by pixel.
    full_width, full_height : int
        Size of the photo itself.
    """

    view: Rendition
    luma: np.ndarray
    width: int
    height: int
    full_width: int
    full_height: int


@dataclass(frozen=True)
class Picture:
    """The result of one method for one photo, as the page keeps it.

    Parameters
    ----------
    scores : Scores
    view : Rendition or None
        None for the input.
    luma : ndarray, shape (bins,)
    original : Original or None
        None for all but the first method of a photo.
    """

    scores: Scores
    view: Rendition | None
    luma: np.ndarray
    original: Original | None


@dataclass
class _Line:
    """A photo of the page, with the result of each method."""

    set: str
    photo: str
    original: Original
    views: dict[str, Rendition]
    scores: dict[str, dict[str, float]]


@dataclass
class Page:
    """A report; photos are reduced as they arrive, so that none is held at full size.

    Parameters
    ----------
    title : str
    methods : int
        Number of methods besides the input; if there are many, views are smaller.
    """

    title: str
    methods: int = 1
    _pictures: list[Picture] = field(default_factory=list)
    _sides: dict[tuple[str, str], int] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _lock: Lock = field(default_factory=Lock)

    def picture(self, scores: Scores, before: Pixels, after: Pixels) -> Picture:
        """Reduce a photo, before and after, 8-bit sRGB, for the page; thread-safe."""
        key = scores.set, scores.photo
        with self._lock:
            is_first = key not in self._sides
            if is_first:
                number = next(self._numbers) * self.methods
                self._sides[key] = next(px for most, px in VIEW_PX if number < most)
        side, original = self._sides[key], None
        if is_first:
            view = reduced(before, side)
            original = Original(
                _rendition(before, view),
                luma_histogram(before),
                *(view.shape[1], view.shape[0], before.shape[1], before.shape[0]),
            )
        return Picture(
            scores,
            None if scores.method == INPUT else _rendition(after, reduced(after, side)),
            luma_histogram(after),
            original,
        )

    def add(self, picture: Picture) -> None:
        """Append a picture."""
        self._pictures.append(picture)

    def write(self, path: Path, rows: Sequence[Row], facts: Sequence[str], originals: Originals | None = None) -> None:
        """Write the page, whole or not at all.

        Parameters
        ----------
        path : Path
        rows : sequence of Row
            Rows of the summary.
        facts : sequence of str
            Lines below it: versions, models, options.
        originals : Originals, optional
            Files that the page does not replace.

        Raises
        ------
        MissingDependencyError
            If Jinja2 or matplotlib is absent.
        OutputError
            If the page cannot be written.
        PhotoError
            If it would replace an original.
        """
        metrics = [METRICS[name] for name in METRICS if any(name in row.means for row in rows)]
        methods = list(dict.fromkeys((INPUT, *(picture.scores.method for picture in self._pictures))))
        colours = method_colours(methods)
        compared = verdicts(picture.scores for picture in self._pictures)
        page = (
            environment()
            .get_template("report.html")
            .render(
                title=self.title,
                facts=facts,
                metrics=metrics,
                directed=[metric for metric in metrics if metric.better is not Better.NEITHER],
                methods=methods,
                colours=colours,
                rows=[(row, _led(row, rows, compared)) for row in rows],
                compared=compared,
                plots=self._plots(metrics, colours),
                photos=self._lines(),
                input=INPUT,
                higher=Better.HIGHER,
            )
        )
        write_whole(path, page.encode("utf-8", "replace"), originals=originals)

    def _lines(self) -> list[_Line]:
        """Return the photos in the order in which they came, the input first in each."""
        lines: dict[tuple[str, str], _Line] = {}
        for picture in self._pictures:
            scores, original = picture.scores, picture.original
            if original is not None:
                lines[scores.set, scores.photo] = _Line(
                    scores.set, scores.photo, original, {INPUT: original.view}, {INPUT: {}}
                )
            line = lines[scores.set, scores.photo]
            line.scores[scores.method] = scores.values
            if picture.view is not None:
                line.views[scores.method] = picture.view
        return list(lines.values())

    def _plots(self, metrics: Sequence[Metric], colours: dict[str, str]) -> list[str]:
        """Draw each metric that was measured for two photos or more, and the luma."""
        plots = []
        for metric in metrics:
            values: dict[str, list[float]] = {}
            for picture in self._pictures:
                if metric.name in picture.scores.values and metric.name != "seconds":
                    values.setdefault(picture.scores.method, []).append(picture.scores.values[metric.name])
            if any(len(each) > 1 for each in values.values()):
                plots.append(distributions(values, metric.name, colours))
        lumas: dict[str, list[np.ndarray]] = {}
        for picture in self._pictures:
            if picture.original is not None:
                lumas.setdefault(INPUT, []).append(picture.original.luma)
            if picture.scores.method != INPUT:
                lumas.setdefault(picture.scores.method, []).append(picture.luma)
        if lumas:
            plots.append(histograms({name: np.mean(each, axis=0) for name, each in lumas.items()}, colours))
        return plots


def _rendition(photo: Pixels, full: Pixels) -> Rendition:
    return Rendition(jpeg(reduced(photo, THUMBNAIL_PX), QUALITY), jpeg(full, QUALITY))


def _led(row: Row, rows: Sequence[Row], compared: dict[str, list[dict[str, Verdict]]]) -> set[str]:
    """Return the metrics by which no method of the set is really better than this one."""
    led = set()
    for metric in row.means:
        best = best_of(rows, row.set, metric)
        name = next((each.method for each in rows if each.set == row.set and each.means.get(metric) == best), None)
        if name is not None and row.method in leaders(compared.get(row.set, []), name, metric):
            led.add(metric)
    return led


def require_report() -> None:
    """Refuse to begin without the packages that a report needs.

    Raises
    ------
    MissingDependencyError
        If Jinja2 or matplotlib is absent; the message has the command that installs it.
    """
    from importlib.util import find_spec

    missing = [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(f"a report needs {' '.join(missing)}; {how_to_install('evaluate', *missing)}")
