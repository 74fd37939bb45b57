"""Check how well noise is measured: noise measured, over noise made, on every fifth photo.

    python benchmarks/noise_meter.py NORMAL                              the package's meter
    python benchmarks/noise_meter.py NORMAL --meter noise_meter.npz      another

NORMAL holds well-lit photos without noise of their own. `enlighten_cli.training.noise_meter` fits a meter to the
others.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np

from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.enhancement.noise import NoiseMeter, package_meter
from enlighten_cli.training.data.noise_samples import Sample, samples, split

CHECKED, FIRST_CHECKED = 2_000, 10**6  # numbers of samples seed their random numbers
CLASSES = (0, 0.1, 0.5, 1, 2, 4, 8, 20)  # steps of 255
ROUNDING, WITHIN = 0.02, 0.2  # added to both before a ratio is taken, in steps of 255; how near it is to be to 1


def check(made: list[Sample], meter: NoiseMeter) -> None:
    """Print, by the made noise, quantiles of the measured noise, in steps of 255."""
    truth = 255 * np.concatenate([each.truth for each in made])
    measured = 255 * np.concatenate([meter(each.statistics) for each in made])
    print(
        f"{'made':>10} {'levels':>7} {'10 %':>6} {'50 %':>6} {'90 %':>6} {'99 %':>6}   {'ratio':>6} {'within 20 %':>12}"
    )
    for least, most in pairwise(CLASSES):
        chosen = (truth >= least) & (truth < most)
        if not chosen.any():
            continue
        ratio = (measured[chosen] + ROUNDING) / (truth[chosen] + ROUNDING)
        quantiles = "".join(f"{value:7.2f}" for value in np.quantile(measured[chosen], (0.1, 0.5, 0.9, 0.99)))
        within = np.mean(np.abs(ratio - 1) < WITHIN)
        print(
            f"{least:g}-{most:g}".rjust(10) + f" {chosen.sum():7}{quantiles}   {np.median(ratio):6.2f} {within:12.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("normal", type=Path)
    parser.add_argument("--meter", type=Path, help="instead of the package's")
    parser.add_argument("--checked", type=int, default=CHECKED, help="samples to check on")
    arguments = parser.parse_args()
    meter = NoiseMeter.read(arguments.meter) if arguments.meter else package_meter()
    _, held_out = split(find_photos(arguments.normal))
    check(list(samples(held_out, range(FIRST_CHECKED, FIRST_CHECKED + arguments.checked))), meter)


if __name__ == "__main__":
    main()
