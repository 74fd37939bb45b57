import numpy as np
import pytest
from conftest import scene

from enlighten_cli.metrics.colour_shift import colour_shift


def test_light_alone_turns_no_colour():
    linear = np.random.default_rng(0).uniform(0.02, 0.2, (40, 50, 3))

    def encoded(light):
        return np.rint(255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)).astype(
            np.uint8
        )

    assert colour_shift(encoded(linear * 4), encoded(linear)) == pytest.approx(0, abs=0.2)


def test_a_right_angle_and_nothing_at_all():
    red, green, black = (np.full((4, 4, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 0)))
    assert colour_shift(red, green) == pytest.approx(90)
    assert colour_shift(red, red) == 0
    assert colour_shift(red, black) == 0


def test_a_cast_is_seen():
    photo = scene(40, 50, exposure=1.0)
    warm = photo.copy()
    warm[..., 2] //= 2
    assert colour_shift(warm, photo) > 5
