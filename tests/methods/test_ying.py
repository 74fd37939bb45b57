import numpy as np
import pytest
from conftest import scene
from grids import TURNS, assert_solves
from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli.methods.ying import FLAT, SMOOTHNESS, best_ratio, exposed, light_map, ying

RGB = scene(40, 53).astype(np.float32) / 255
SEEN = RGB.max(axis=2)
RATIO = st.floats(0.2, 8)


@given(RATIO, RATIO)
def test_exposing_twice_is_exposing_by_the_product(one, other):
    """The curve is a comparametric one: exposures form a group."""
    values = np.linspace(0.01, 1, 50, dtype=np.float32)
    np.testing.assert_allclose(exposed(exposed(values, one), other), exposed(values, one * other), rtol=1e-4)


@given(st.floats(1, 8), st.floats(1, 8))
def test_longer_exposures_are_brighter_and_the_same_one_changes_nothing(one, other):
    values = np.linspace(0.01, 1, 50, dtype=np.float32)
    np.testing.assert_allclose(exposed(values, 1.0), values, rtol=1e-6)
    shorter, longer = sorted((one, other))
    assert (exposed(values, longer) >= exposed(values, shorter) * (1 - 1e-6)).all()


def test_the_map_satisfies_its_normal_equations():
    weights = []
    for axis in (0, 1):
        slopes = np.diff(SEEN, axis=axis).astype(np.float64)
        summed = np.apply_along_axis(lambda line: np.convolve(line, np.ones(5), "same"), axis, slopes)
        weights.append(SMOOTHNESS / ((np.abs(summed) + FLAT) * (np.abs(slopes) + FLAT)))
    assert_solves(light_map(SEEN), SEEN, *weights)


def test_nothing_gets_darker_and_the_dark_gains_most():
    made = ying(RGB)
    assert (made >= RGB - 1e-6).all()
    gain = made.max(axis=2) / np.maximum(SEEN, 0.01)
    low, high = np.quantile(SEEN, (0.3, 0.7))
    assert gain[low > SEEN].mean() > gain[high < SEEN].mean() > 1


def test_a_bright_photo_is_left_alone_and_black_stays_black():
    bright = np.full((20, 20, 3), 0.7, np.float32)
    assert best_ratio(bright, bright[..., 0]) == 1
    np.testing.assert_allclose(ying(bright), bright, atol=1e-5)
    assert ying(np.zeros((9, 9, 3), np.float32)).max() == 0


@pytest.mark.parametrize("turn", TURNS)
def test_a_photo_turned_gives_the_map_turned(turn):
    np.testing.assert_allclose(light_map(TURNS[turn](SEEN)), TURNS[turn](light_map(SEEN)), atol=3e-3)
