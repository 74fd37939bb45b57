"""The metrics: one a file, one row here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum

from enlighten_cli.errors import PhotoError
from enlighten_cli.metrics.aligned import aligned_psnr, aligned_ssim
from enlighten_cli.metrics.ciede2000 import ciede2000
from enlighten_cli.metrics.colour_shift import colour_shift
from enlighten_cli.metrics.loe import loe
from enlighten_cli.metrics.luma import mean_luma
from enlighten_cli.metrics.niqe import niqe
from enlighten_cli.metrics.psnr import psnr
from enlighten_cli.metrics.ratios import chroma_ratio, contrast_ratio, darkest
from enlighten_cli.metrics.ssim import ssim
from enlighten_cli.photo import Pixels


class Needs(Enum):
    """What a metric compares a photo with."""

    NOTHING = "nothing"
    BEFORE = "before"
    REFERENCE = "reference"


class Better(Enum):
    """Which of two values is the better one."""

    HIGHER = "higher is better"
    LOWER = "lower is better"
    NEITHER = ""


@dataclass(frozen=True)
class Metric:
    """A row of the registry.

    Parameters
    ----------
    name : str
        In tables, CSV and JSON.
    measure : callable or None
        From 8-bit sRGB, (H, W, 3), and what it `needs` besides, to a number. None for what is
        measured while a photo is enhanced.
    better : Better
    meaning : str
        In plain words.
    needs : Needs
    unit : str
    is_optional : bool
        Whether it is measured only when it is asked for.
    title : str
        For people; its name, where it is empty.
    explanation : str
        What raises or lowers it, for those who never heard of it.
    """

    name: str
    measure: Callable[..., float] | None
    better: Better
    meaning: str
    needs: Needs = Needs.NOTHING
    unit: str = ""
    is_optional: bool = False
    title: str = ""
    explanation: str = ""

    @property
    def heading(self) -> str:
        """What people read above its figures."""
        return self.title or self.name.replace("_", " ")


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "niqe",
            niqe,
            Better.LOWER,
            "how unnatural it looks",
            title="NIQE",
            explanation="Compares the photo's fine structure with that of good photos. Noise, blur and artefacts "
            "raise it. It knows nothing of what was photographed, and noise can mislead it.",
        ),
        Metric(
            "loe",
            loe,
            Better.LOWER,
            "how far the order of lightness was disturbed",
            Needs.BEFORE,
            title="LOE",
            explanation="Counts how often a place that was darker than another became the lighter one. Halos and "
            "uneven brightening raise it; 0 is none.",
        ),
        Metric("colour_shift", colour_shift, Better.LOWER, "how far the mean colour turned", Needs.BEFORE, "°"),
        Metric("luma", mean_luma, Better.NEITHER, "mean brightness, 0 to 1"),
        Metric(
            "psnr",
            psnr,
            Better.HIGHER,
            "nearness to the reference",
            Needs.REFERENCE,
            "dB",
            title="PSNR",
            explanation="Compares every pixel with the reference; 3 dB more is half the squared error. A photo that is "
            "evenly too bright or too dark scores badly.",
        ),
        Metric(
            "ssim",
            ssim,
            Better.HIGHER,
            "structure kept of the reference",
            Needs.REFERENCE,
            title="SSIM",
            explanation="Compares edges and textures with the reference's; 1 is identical. Noise, blur and lost detail "
            "lower it.",
        ),
        *(
            Metric(name, measure, better, meaning, Needs.REFERENCE, unit, is_optional=True)
            for name, measure, better, meaning, unit in (
                ("aligned_psnr", aligned_psnr, Better.HIGHER, "nearness to the reference after one gain", "dB"),
                ("aligned_ssim", aligned_ssim, Better.HIGHER, "structure kept, after one gain", ""),
                ("ciede2000", ciede2000, Better.LOWER, "difference of colours after one gain", ""),
                ("chroma_ratio", chroma_ratio, Better.NEITHER, "colourfulness over the reference's, 1 is as much", ""),
                ("contrast_ratio", contrast_ratio, Better.NEITHER, "contrast over the reference's, 1 is as much", ""),
            )
        ),
        Metric("darkest", darkest, Better.NEITHER, "5th percentile of luma, 0 to 1", is_optional=True),
        Metric("denoised", None, Better.NEITHER, "part of the photo whose noise was removed, 0 to 1", Needs.BEFORE),
        Metric("seconds", None, Better.NEITHER, "for one photo", Needs.BEFORE, "s"),
    )
}


def measured(
    after: Pixels, *, before: Pixels | None = None, reference: Pixels | None = None, optional: Collection[str] = ()
) -> dict[str, float]:
    """Measure a photo by every metric that has what it needs.

    Parameters
    ----------
    after, before, reference : ndarray, shape (H, W, 3), uint8
        The photo, what it was made of, and what it should be. Without the second it is taken as
        it is, without the third it is not compared.
    optional : collection of str
        Names of optional metrics that are measured too.

    Returns
    -------
    dict
        By the names of metrics. One that needs nothing but the photo is left out where that is
        too small or too flat for it.

    Raises
    ------
    PhotoError
        If two photos that are compared differ in size.
    """
    others = {Needs.BEFORE: before, Needs.REFERENCE: reference}
    values = {}
    for metric in METRICS.values():
        if metric.measure is None or (metric.is_optional and metric.name not in optional):
            continue
        if metric.needs is Needs.NOTHING:
            try:
                values[metric.name] = metric.measure(after)
            except PhotoError:
                continue
        elif (other := others[metric.needs]) is not None:
            values[metric.name] = metric.measure(after, other)
    return values
