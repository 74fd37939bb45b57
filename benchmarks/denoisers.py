"""Compare the denoiser with those of scikit-image, before the same network, on LOL's pairs: one run, one table.

    python benchmarks/denoisers.py DATA/val [--model NAME|FILE] [--every N] [--vgg FILE]

Wavelets (BayesShrink, Chang et al. 2000, in YCbCr, averaged over shifts) and non-local means (Buades et al. 2005)
are given the photo's measured noise times 1, 2 and 4, and each keeps the level with the best aligned SSIM. They work
on 16 bits, and the network then enhances what they made without denoising. `aligned`: after one gain a photo.
`seconds`: of one core, a megapixel: denoising alone for scikit-image; for ours, what `--denoise auto` takes more than
`off`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from library.perceptual import DEFAULT_VGG, PerceptualDistance
from skimage.restoration import cycle_spin, denoise_nl_means, denoise_wavelet

from enlighten_cli import photo
from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.enhancement.noise import measure_noise, sampled
from enlighten_cli.metrics import measured
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.models.session import Model, open_model
from enlighten_cli.photo import LUMA, Photo, Pixels, Rgb, as_rgb, as_srgb

FACTORS = (1, 2, 4)
METRICS = ("aligned_psnr", "aligned_ssim", "perceptual")
Denoiser = Callable[[Rgb, float], Rgb]


def wavelet(rgb: Rgb, sigma: float) -> Rgb:
    return cycle_spin(
        rgb,
        func=denoise_wavelet,
        max_shifts=3,
        func_kw={"sigma": sigma, "convert2ycbcr": True, "channel_axis": 2, "rescale_sigma": True},
        channel_axis=2,
        workers=1,
    )


def nl_means(rgb: Rgb, sigma: float) -> Rgb:
    return denoise_nl_means(
        rgb, patch_size=5, patch_distance=6, h=0.8 * sigma, sigma=sigma, fast_mode=True, channel_axis=2
    )


def noise_of(dark: Photo) -> float:
    """Return the photo's noise at its mean luma, in [0, 1]."""
    curve = measure_noise(sampled(dark.pixels, as_rgb))
    return float(curve.at(np.float32([(as_rgb(dark.pixels) @ LUMA).mean()]))[0])


def judged(made: Pixels, reference: Pixels, distance: PerceptualDistance | None) -> dict[str, float]:
    scores = measured(made, reference=reference, optional=METRICS[:2])
    if distance:
        scores["perceptual"] = distance(distance.features(made), distance.features(reference))
    return scores


def compare(
    pair: tuple[Path, Path], network: Model, distance: PerceptualDistance | None
) -> dict[str, dict[str, float]]:
    """Return the scores and seconds a megapixel of each way on a pair."""
    dark, reference = photo.decode(pair[0]), as_srgb(photo.decode(pair[1]))
    megapixels = dark.width * dark.height / 1e6
    found: dict[str, dict[str, float]] = {}
    seconds = {}
    for way, amount in (("off", 0.0), ("ours", 1.0)):
        began = time.process_time()
        made = enhance(dark, network, Options(denoise=amount)).pixels
        seconds[way] = time.process_time() - began
        found[way] = judged(made, reference, distance)
    found["off"]["seconds"], found["ours"]["seconds"] = 0.0, (seconds["ours"] - seconds["off"]) / megapixels
    noise = noise_of(dark)
    for name, denoiser in (("wavelet", wavelet), ("nl-means", nl_means)):
        for factor in FACTORS:
            began = time.process_time()
            clean = denoiser(as_rgb(dark.pixels), factor * noise)
            spent = (time.process_time() - began) / megapixels
            deep = np.rint(clean.clip(0, 1) * 65535).astype(np.uint16)
            made = enhance(replace(dark, content=deep, format="PNG"), network, Options(denoise=0)).pixels
            made = np.rint(made / 257).astype(np.uint8)
            found[f"{name} x{factor}"] = {**judged(made, reference, distance), "seconds": spent}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("val", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--vgg", type=Path, default=DEFAULT_VGG)
    arguments = parser.parse_args()
    network = open_model(arguments.model, threads=1)
    distance = PerceptualDistance(arguments.vgg) if arguments.vgg.is_file() else None
    low = sorted((arguments.val / "lol" / "low").iterdir())[:: arguments.every]
    found = [compare((path, path.parents[1] / "high" / path.name), network, distance) for path in low]
    columns = [name for name in (*METRICS, "seconds") if name in found[0]["off"]]
    print(f"{'':14}" + "".join(f"{name:>14}" for name in columns))
    means = {way: {name: np.mean([each[way][name] for each in found]) for name in columns} for way in found[0]}
    best = {}
    for way, values in means.items():
        kind = way.split(" x")[0]
        if kind not in best or values["aligned_ssim"] > means[best[kind]]["aligned_ssim"]:
            best[kind] = way
    for way in best.values():
        print(f"{way:14}" + "".join(f"{means[way][name]:14.3f}" for name in columns))
    print(f"\n{len(found)} pairs")


if __name__ == "__main__":
    main()
