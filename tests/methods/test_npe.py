import numpy as np
import pytest
from conftest import scene
from grids import TURNS
from hypothesis import given, settings
from hypothesis import strategies as st

from enlighten_cli.methods.npe import LEVELS, RADIUS_PX, SIMILAR, bi_log, bright_pass, neighbours, npe

RGB = scene(40, 53).astype(np.float32) / 255
SEEN = RGB.max(axis=2)
DRAWN = st.integers(0, 10**6).map(lambda seed: np.random.default_rng(seed).random((9, 12)).astype(np.float32))


@given(DRAWN)
@settings(max_examples=15)
def test_light_is_never_below_what_is_seen_nor_above_the_brightest_of_the_window(seen):
    light = bright_pass(seen)
    assert (light >= seen).all()
    assert light.max() <= seen.max()


def test_light_is_that_of_a_loop_over_the_equation():
    seen = SEEN[:20, :17]
    levels = np.rint(seen * (LEVELS - 1)).astype(int)
    counts, light = neighbours(levels), bright_pass(seen)
    for row, column in ((0, 0), (10, 8), (19, 3)):
        window = (
            slice(max(0, row - RADIUS_PX), row + RADIUS_PX + 1),
            slice(max(0, column - RADIUS_PX), column + RADIUS_PX + 1),
        )
        weights = counts[levels[row, column], levels[window]] * (levels[window] >= levels[row, column])
        expected = max((weights * seen[window]).sum() / weights.sum(), seen[row, column])
        assert light[row, column] == pytest.approx(expected, rel=1e-5)


def test_neighbours_are_counted_from_both_sides():
    levels = np.array([[10, 200], [10, 10]])
    counts = neighbours(levels) * (2 * SIMILAR + 1)
    assert counts.sum() == pytest.approx(2 * 4 * (2 * SIMILAR + 1))
    assert counts[10, 200] == counts[200, 10] == 2
    assert counts[10, 10 + SIMILAR] == 4
    assert counts[10, 10 + SIMILAR + 1] == 0


@given(DRAWN)
@settings(max_examples=15)
def test_the_transformation_keeps_the_order_of_light(light):
    made = bi_log(light)
    assert 0 <= made.min() <= made.max() <= 1
    order = np.argsort(np.rint(light * (LEVELS - 1)).ravel(), kind="stable")
    assert (np.diff(made.ravel()[order]) >= 0).all()
    assert made.max() == pytest.approx(1)


def test_light_of_logarithmic_histogram_is_left():
    """Where levels come equally often, their weighted histogram is the one that is wanted."""
    light = (np.arange(LEVELS) / (LEVELS - 1)).astype(np.float32).reshape(16, 16)
    np.testing.assert_allclose(bi_log(light), light, atol=1e-6)


@pytest.mark.parametrize("turn", TURNS)
def test_a_photo_turned_gives_the_light_turned(turn):
    np.testing.assert_allclose(bright_pass(TURNS[turn](SEEN)), TURNS[turn](bright_pass(SEEN)), rtol=1e-5)


def test_hue_stays_and_black_stays_black():
    made = npe(RGB)
    clear = (RGB.min(axis=2) > 0) & (made.max(axis=2) < 1)
    ratio = made[clear] / RGB[clear]
    np.testing.assert_allclose(ratio[:, 0], ratio[:, 2], rtol=1e-3)
    assert npe(np.zeros((20, 20, 3), np.float32)).max() == 0
