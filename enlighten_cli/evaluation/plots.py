"""Plots of an evaluation, as SVG for light and dark backgrounds, and of a training run, as PNG."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from enlighten_cli.errors import MissingDependencyError, how_to_install
from enlighten_cli.evaluation.runner import INPUT
from enlighten_cli.metrics import METRICS
from enlighten_cli.photo import LUMA, Pixels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#808890"  # legible on white and on black
COLOURS = (
    *("#8a8f98", "#d9822b", "#2f81f7", "#3fa45b", "#b565d8", "#c94f4f", "#2aa6a6", "#a08a3c"),
    *("#d95f9c", "#8c6a4f", "#7f8ee0"),
)
LUMA_BINS = 64


def luma_histogram(pixels: Pixels) -> np.ndarray:
    """Return the normalized histogram of a photo's luma, (LUMA_BINS,), of sum 1."""
    few = pixels[::2, ::2] if pixels.shape[0] * pixels.shape[1] > 500_000 else pixels
    luma = few @ LUMA
    counts, _ = np.histogram(luma, LUMA_BINS, (0, 256))
    return np.asarray(counts / counts.sum())


def method_colours(methods: Iterable[str]) -> dict[str, str]:
    """Assign colours to methods: grey to the input, and to a name the same one in every report, if it is free.

    Parameters
    ----------
    methods : iterable of str

    Returns
    -------
    dict
        Hexadecimal colours by method, in the order given; repeated only if there are more methods than colours.
    """
    methods, palette = list(methods), COLOURS[1:]
    taken: dict[str, str] = {INPUT: COLOURS[0]}
    for number, method in enumerate(sorted({*methods} - {INPUT})):
        start = crc32(method.encode("utf-8", "surrogatepass")) % len(palette)
        turned = (*palette[start:], *palette[:start])
        free = [colour for colour in turned if colour not in taken.values()]
        taken[method] = free[0] if free else palette[number % len(palette)]
    return {method: taken[method] for method in methods}


def distributions(values: Mapping[str, Sequence[float]], metric: str, colours: Mapping[str, str]) -> str:
    """Draw the distribution of a metric for each method, as an SVG element: box plots, with a dot for each photo.

    Parameters
    ----------
    values : mapping
        Values of the photos by method.
    metric : str
    colours : mapping
        Colours by method.
    """
    figure = _figure(5.2, 0.6 + 0.42 * len(values))
    axes = figure.subplots()
    names, line = list(values), {"color": INK}
    axes.boxplot(
        [list(values[name]) for name in names],
        orientation="horizontal",
        tick_labels=names,
        showfliers=False,
        widths=0.55,
        medianprops={"color": INK, "linewidth": 1.6},
        boxprops=line,
        whiskerprops=line,
        capprops=line,
    )
    random = np.random.default_rng(0)  # jitter, so that dots do not cover each other
    for place, name in enumerate(names, start=1):
        heights = place + random.uniform(-0.18, 0.18, len(values[name]))
        axes.plot(values[name], heights, ".", color=colours[name], markersize=5, alpha=0.8)
    axes.invert_yaxis()
    better = METRICS[metric].better.value
    axes.set_title(METRICS[metric].heading + (better and f" ({better})"), color=INK, fontsize=10)
    return _svg(figure)


def histograms(histograms: Mapping[str, np.ndarray], colours: Mapping[str, str]) -> str:
    """Draw mean histograms of luma, one line per method, as an SVG element."""
    figure = _figure(5.2, 2.6)
    axes = figure.subplots()
    positions = (np.arange(LUMA_BINS) + 0.5) / LUMA_BINS
    for name, histogram in histograms.items():
        axes.plot(positions, histogram * LUMA_BINS, color=colours[name], label=name, linewidth=1.6)
    axes.set_ylim(0, min(axes.get_ylim()[1], 8))
    axes.set_xlim(0, 1)
    axes.set_title("luma, density over all photos", color=INK, fontsize=10)
    axes.legend(frameon=False, labelcolor=INK, fontsize=8, ncols=1 + len(histograms) // 7)
    return _svg(figure)


def run_curves(lines: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw the losses and scores of a training run, as PNG.

    Parameters
    ----------
    lines : sequence of mapping
        Records of the run's stats.jsonl: ``images``, ``losses`` and ``scores`` by name.

    Raises
    ------
    MissingDependencyError
        If matplotlib is absent.
    """
    curves: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        for name, value in {**line["losses"], **line["scores"]}.items():
            curves.setdefault(name, []).append((line["images"], value))
    columns = min(3, max(1, len(curves)))
    rows = max(1, -(-len(curves) // columns))
    figure = _figure(4.2 * columns, 2.6 * rows)
    for place, (name, points) in enumerate(curves.items(), start=1):
        axes = figure.add_subplot(rows, columns, place)
        axes.plot(*zip(*points, strict=True), color=COLOURS[2], linewidth=1.2, marker="." if len(points) < 3 else "")
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("images", fontsize=8)
        axes.tick_params(labelsize=8)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110, metadata={"Software": None})
    return drawn.getvalue()


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(f"plots need matplotlib; {how_to_install('evaluate', 'matplotlib')}") from error
    return Figure(figsize=(width, height), layout="constrained")


def _svg(figure: Figure) -> str:
    import matplotlib as mpl

    for axes in figure.axes:
        axes.tick_params(colors=INK, labelsize=8)
        axes.set_facecolor("none")
        for side in axes.spines.values():
            side.set_color(INK)
            side.set_alpha(0.4)
    text = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "enlighten", "text.parse_math": False}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
