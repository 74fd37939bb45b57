"""Registry of the metrics; each is defined in a module of its own."""

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
    """Whether higher or lower values are better."""

    HIGHER = "higher is better"
    LOWER = "lower is better"
    NEITHER = ""


@dataclass(frozen=True)
class Metric:
    """A row of the registry.

    Parameters
    ----------
    name : str
        As in tables, CSV and JSON.
    measure : callable or None
        Takes 8-bit sRGB, (H, W, 3), and the photo that it `needs` for comparison; returns a number.
        None if it is measured while the photo is enhanced.
    better : Better
    meaning : str
        In plain words.
    needs : Needs
    unit : str
    is_optional : bool
        Whether it is measured only on request.
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
            "how much the order of lightness changed",
            Needs.BEFORE,
            title="LOE",
            explanation="Counts how often a place that was darker than another became the lighter one. Halos and "
            "uneven brightening raise it; 0 is none.",
        ),
        Metric("colour_shift", colour_shift, Better.LOWER, "change of the mean colour, as an angle", Needs.BEFORE, "°"),
        Metric("luma", mean_luma, Better.NEITHER, "mean brightness, 0 to 1"),
        Metric(
            "psnr",
            psnr,
            Better.HIGHER,
            "closeness to the reference",
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
            "structural similarity to the reference",
            Needs.REFERENCE,
            title="SSIM",
            explanation="Compares edges and textures with the reference's; 1 is identical. Noise, blur and lost detail "
            "lower it.",
        ),
        *(
            Metric(name, measure, better, meaning, Needs.REFERENCE, unit, is_optional=True)
            for name, measure, better, meaning, unit in (
                ("aligned_psnr", aligned_psnr, Better.HIGHER, "closeness to the reference at equal mean", "dB"),
                ("aligned_ssim", aligned_ssim, Better.HIGHER, "structural similarity at equal mean", ""),
                ("ciede2000", ciede2000, Better.LOWER, "colour difference at equal mean", ""),
                ("chroma_ratio", chroma_ratio, Better.NEITHER, "colourfulness relative to the reference", ""),
                ("contrast_ratio", contrast_ratio, Better.NEITHER, "contrast relative to the reference", ""),
            )
        ),
        Metric("darkest", darkest, Better.NEITHER, "5th percentile of luma, 0 to 1", is_optional=True),
        Metric("denoised", None, Better.NEITHER, "part of the photo whose noise was removed, 0 to 1", Needs.BEFORE),
        Metric("seconds", None, Better.NEITHER, "time for one photo", Needs.BEFORE, "s"),
    )
}


def measured(
    after: Pixels, *, before: Pixels | None = None, reference: Pixels | None = None, optional: Collection[str] = ()
) -> dict[str, float]:
    """Measure a photo by every metric whose photos are given.

    Parameters
    ----------
    after, before, reference : ndarray, shape (H, W, 3), uint8
        The enhanced photo, the photo before, and the reference. Metrics that compare with a photo
        that is not given are left out.
    optional : collection of str
        Names of optional metrics to measure too.

    Returns
    -------
    dict
        Values by the metrics' names. A metric of the photo alone is left out if the photo is too small
        or too flat for it.

    Raises
    ------
    PhotoError
        If photos to be compared differ in size.
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
