import numpy as np
import pytest
from conftest import scene
from grids import TURNS, assert_solves
from hypothesis import given, settings
from hypothesis import strategies as st

from enlighten_cli.methods import weighted_least_squares as wls
from enlighten_cli.methods.weighted_least_squares import Grid, divergence, smoothed

SIDES = st.integers(2, 40)


def drawn(height, width, stiffest, seed=0):
    random = np.random.default_rng(seed)
    down, across = (
        (stiffest ** random.random(shape)).astype(np.float32) for shape in ((height - 1, width), (height, width - 1))
    )
    return random.random((height, width)).astype(np.float32), down, across


@given(SIDES, SIDES, st.sampled_from([1.0, 1e2, 1e4]), st.integers(0, 9))
@settings(max_examples=25)
def test_what_is_found_satisfies_the_normal_equations(height, width, stiffest, seed):
    seen, down, across = drawn(height, width, stiffest, seed)
    assert_solves(smoothed(seen, down, across), seen, down, across)


def test_no_other_map_is_better():
    seen, down, across = drawn(9, 12, 50.0)

    def cost(values):
        slopes = (np.diff(values, axis=0), np.diff(values, axis=1))
        return ((values - seen) ** 2).sum() + (down * slopes[0] ** 2).sum() + (across * slopes[1] ** 2).sum()

    found, random = smoothed(seen, down, across), np.random.default_rng(1)
    for _ in range(50):
        assert cost(found) < cost(found + random.normal(0, 0.05, found.shape))


@given(st.floats(0.01, 10), st.floats(0, 5))
@settings(max_examples=15)
def test_scaling_and_shifting_what_is_seen_scales_and_shifts_the_map(scale, shift):
    seen, down, across = drawn(20, 23, 100.0)
    expected = np.float32(scale) * smoothed(seen, down, across) + np.float32(shift)
    found = smoothed(np.float32(scale) * seen + np.float32(shift), down, across)
    np.testing.assert_allclose(found, expected, atol=5e-3 * (scale + shift))


def test_a_constant_stays_and_no_weight_changes_nothing():
    seen, down, across = drawn(17, 31, 1e3)
    np.testing.assert_allclose(smoothed(np.full_like(seen, 0.3), down, across), 0.3, rtol=1e-5)
    np.testing.assert_allclose(smoothed(seen, 0 * down, 0 * across), seen, rtol=1e-6)


def test_the_mean_is_kept_and_the_extremes_are_not_passed():
    seen, down, across = drawn(40, 30, 1e4)
    found = smoothed(seen, down, across)
    assert abs(found.mean() - seen.mean()) < 2e-3
    assert seen.min() - 1e-3 < found.min() <= found.max() < seen.max() + 1e-3


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (90, 1), (3, 200)])
def test_lines_and_single_pixels_are_grids_too(shape):
    seen = np.linspace(0, 1, shape[0] * shape[1], dtype=np.float32).reshape(shape)
    down, across = (np.full(np.diff(seen, axis=axis).shape, 20, np.float32) for axis in (0, 1))
    found = smoothed(seen, down, across)
    residual = Grid(np.ones_like(seen), down, across).applied(found) - seen
    assert np.linalg.norm(residual) <= 1.5 * wls.TOLERANCE * np.linalg.norm(seen) + 1e-9


def test_joined_blocks_have_the_equations_of_values_that_are_equal_in_each():
    seen, down, across = drawn(6, 9, 30.0)
    fine = Grid(np.ones_like(seen), down, across)
    coarse = np.random.default_rng(2).random((3, 5)).astype(np.float32)
    spread = coarse.repeat(2, axis=0).repeat(2, axis=1)[:6, :9]
    expected = np.add.reduceat(np.add.reduceat(fine.applied(spread), [0, 2, 4], 0), [0, 2, 4, 6, 8], 1)
    np.testing.assert_allclose(fine.coarser().applied(coarse), expected, rtol=1e-4, atol=1e-3)


def test_the_divergence_is_the_transpose_of_the_differences():
    random = np.random.default_rng(3)
    values, down, across = (random.random(shape).astype(np.float32) for shape in ((7, 9), (6, 9), (7, 8)))
    left = np.vdot(np.diff(values, axis=0), down) + np.vdot(np.diff(values, axis=1), across)
    assert left == pytest.approx(np.vdot(values, divergence(down, across)), rel=1e-5)


@pytest.mark.parametrize("turn", TURNS)
def test_a_photo_turned_gives_the_map_turned(turn):
    seen = scene(30, 41)[..., 0].astype(np.float32) / 255

    def found(values):
        return smoothed(values, *(1 / (np.abs(np.diff(values, axis=axis)) + np.float32(0.01)) for axis in (0, 1)))

    np.testing.assert_allclose(found(TURNS[turn](seen)), TURNS[turn](found(seen)), atol=1e-3)
