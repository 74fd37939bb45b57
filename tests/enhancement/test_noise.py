import numpy as np
import pytest
from conftest import noisy

from enlighten_cli.enhancement.noise import CONTRAST_OF_NOISY, lifted_contrast, relative_noise
from enlighten_cli.photo import colour_of


@pytest.mark.parametrize("deviation", [1.0, 2.0, 4.0])
def test_noise_is_measured(deviation):
    measured = relative_noise(noisy(deviation), colour_of(None, 3).to_srgb) * (255 * 0.1 + 1)
    assert measured == pytest.approx((deviation**2 + 1 / 12) ** 0.5, rel=0.15)


def test_edges_and_slopes_are_no_noise():
    pixels = np.full((300, 400, 3), 40, np.uint8)
    pixels[:, 200:] = 200
    pixels[:100] = np.arange(400)[None, :, None] // 2
    assert relative_noise(pixels, colour_of(None, 3).to_srgb) == 0
    assert relative_noise(pixels[:2, :2], colour_of(None, 3).to_srgb) == 0


def test_noise_takes_the_contrast_that_it_would_share():
    little, some, much = lifted_contrast(np.array([0, 0.03, 1]))
    assert little == 1
    assert much == pytest.approx(CONTRAST_OF_NOISY)
    assert much < some < little
