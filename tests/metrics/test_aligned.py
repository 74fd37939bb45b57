import numpy as np
import pytest
from conftest import scene

from enlighten_cli.errors import PhotoError
from enlighten_cli.metrics import METRICS, measured
from enlighten_cli.metrics.aligned import aligned, aligned_psnr, aligned_ssim
from enlighten_cli.metrics.ciede2000 import ciede2000, colour_difference
from enlighten_cli.metrics.ratios import chroma_ratio, contrast_ratio, darkest

REFERENCE = scene(60, 80, exposure=0.45) // 4 * 4

# Sharma, Wu and Dalal 2005, doi:10.1002/col.20070, table 1: two colours in CIELAB and their difference.
PUBLISHED = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "expected"), PUBLISHED)
def test_ciede2000_is_the_published_one(one, other, expected):
    assert colour_difference(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("gain", [0.25, 0.5, 2])
def test_a_pure_gain_is_no_error_after_alignment(gain):
    pixels = (REFERENCE * gain).astype(np.uint8)
    assert aligned_psnr(pixels, REFERENCE) == float("inf")
    assert aligned_ssim(pixels, REFERENCE) == 1
    assert ciede2000(pixels, REFERENCE) == 0
    assert chroma_ratio(pixels, REFERENCE) == contrast_ratio(pixels, REFERENCE) == 1


def test_alignment_gives_the_mean_and_cuts_off():
    noise = np.random.default_rng(0).integers(0, 120, REFERENCE.shape).astype(np.uint8)
    assert aligned(noise, REFERENCE).mean() == pytest.approx(REFERENCE.mean(), abs=0.5)
    assert aligned(np.zeros_like(REFERENCE), REFERENCE).max() == 0
    assert aligned(noise, np.full_like(noise, 255)).max() == 255
    with pytest.raises(PhotoError):
        aligned(noise[:10], REFERENCE)


def test_pale_and_flat_photos_have_low_ratios_and_noise_is_no_colour():
    grey = REFERENCE.mean(axis=2, keepdims=True)
    pale = np.rint((REFERENCE + grey) / 2).astype(np.uint8)
    flat = np.rint((REFERENCE + REFERENCE.mean()) / 2).astype(np.uint8)
    assert 0.3 < chroma_ratio(pale, REFERENCE) < 0.7
    assert contrast_ratio(flat, REFERENCE) == pytest.approx(0.5, abs=0.02)
    noisy = (REFERENCE + np.random.default_rng(0).normal(0, 12, REFERENCE.shape)).clip(0, 255).astype(np.uint8)
    assert chroma_ratio(noisy, REFERENCE) == pytest.approx(1, abs=0.15)


def test_haze_lifts_the_darkest():
    dark = np.zeros((10, 10, 3), np.uint8)
    dark[5:] = 200
    assert darkest(dark) == 0
    assert darkest(dark // 2 + 51) == pytest.approx(0.2)


def test_optional_metrics_are_measured_when_they_are_asked_for():
    optional = {name for name, metric in METRICS.items() if metric.is_optional}
    assert not optional & set(measured(REFERENCE, before=REFERENCE, reference=REFERENCE))
    assert set(measured(REFERENCE, reference=REFERENCE, optional=["ciede2000"])) == {
        "luma",
        "psnr",
        "ssim",
        "ciede2000",
    }
