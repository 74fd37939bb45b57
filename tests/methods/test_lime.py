import numpy as np
import pytest
from conftest import scene
from grids import TURNS, assert_solves, differences
from hypothesis import given, settings
from hypothesis import strategies as st

from enlighten_cli.methods import scipy_parts
from enlighten_cli.methods.lime import (
    ALPHA,
    DARKEST,
    FLAT,
    GAMMA,
    exact_light,
    lime,
    shrunk,
    sped_up_light,
    structure,
)

SOLVERS = pytest.mark.parametrize("solver", [exact_light, sped_up_light])
RGB = scene(44, 57).astype(np.float32) / 255
SEEN = RGB.max(axis=2)


def cost(light, seen, weights):
    slopes = [np.abs(np.diff(light, axis=axis)) for axis in (0, 1)]
    return ((light - seen) ** 2).sum() + ALPHA * sum((w * s).sum() for w, s in zip(weights, slopes, strict=True))


def test_the_sped_up_map_satisfies_its_normal_equations():
    weights = [ALPHA * each / (np.abs(np.diff(SEEN, axis=axis)) + FLAT) for axis, each in enumerate(structure(SEEN))]
    assert_solves(sped_up_light(SEEN), SEEN, *weights)


@given(st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=30)
def test_of_two_pixels_the_exact_map_is_known(one, other):
    """Each comes nearer to the other by alpha w / 2, until they meet."""
    seen = np.array([[one, other]], np.float32)
    weight = structure(seen)[1].item()
    half = min(float(ALPHA) * weight / 2, abs(one - other) / 2) * np.sign(other - one)
    np.testing.assert_allclose(exact_light(seen), [[one + half, other - half]], atol=4e-3)


def test_the_exact_map_costs_less_than_any_near_it_and_than_the_sped_up_one():
    weights, found = structure(SEEN), exact_light(SEEN)
    least = cost(found, SEEN, weights)
    assert least < cost(sped_up_light(SEEN), SEEN, weights) < cost(SEEN, SEEN, weights)
    random = np.random.default_rng(0)
    for size in (0.01, 0.001):
        assert least < cost(found + random.normal(0, size, SEEN.shape), SEEN, weights)
    assert found.mean() == pytest.approx(SEEN.mean(), abs=1e-5)  # or a shift would cost less


def test_a_linear_step_of_the_exact_solver_is_solved_by_cosines():
    """Cosines diagonalize the squares of the differences, borders and all."""
    from scipy import fft

    height, width = 7, 10
    values = np.random.default_rng(0).random((height, width))
    squares = sum(step.T @ step for step in differences(height, width))
    rows, columns = (2 - 2 * np.cos(np.pi * np.arange(length) / length) for length in (height, width))
    by_cosines = fft.idctn(fft.dctn(values, norm="ortho") * (rows[:, None] + columns), norm="ortho")
    np.testing.assert_allclose(by_cosines.ravel(), squares @ values.ravel(), atol=1e-12)


@SOLVERS
def test_a_constant_is_its_own_light(solver):
    seen = np.full((20, 30), 0.2, np.float32)
    np.testing.assert_allclose(solver(seen), 0.2, rtol=1e-4)


@given(st.floats(0.01, 1), st.booleans())
@settings(max_examples=10)
def test_grey_is_lifted_by_a_power(level, exact):
    made = lime(np.full((12, 9, 3), level, np.float32), exact=exact)
    np.testing.assert_allclose(made, level ** (1 - float(GAMMA)), rtol=1e-3)


@SOLVERS
@pytest.mark.parametrize("turn", TURNS)
def test_a_photo_turned_gives_the_map_turned(solver, turn):
    np.testing.assert_allclose(solver(TURNS[turn](SEEN)), TURNS[turn](solver(SEEN)), atol=3e-3)


@pytest.mark.parametrize("exact", [True, False])
def test_hue_stays_where_nothing_is_clipped_and_black_stays_black(exact):
    made = lime(RGB, exact=exact)
    clear = (made.max(axis=2) < 1) & (RGB.min(axis=2) > 0)
    ratio = made[clear] / RGB[clear]
    np.testing.assert_allclose(ratio[:, 0], ratio[:, 2], rtol=1e-4)
    assert lime(np.zeros((8, 8, 3), np.float32), exact=exact).max() == 0
    assert DARKEST > 0


@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=8), st.floats(0, 1, width=32))
def test_shrinking_is_the_nearest_that_a_penalty_allows(values, by):
    found = shrunk(np.array(values, np.float32), np.float32(by))
    for value, each in zip(values, found, strict=True):
        costs = [(x - value) ** 2 / 2 + by * abs(x) for x in (each, each + 0.01, each - 0.01, 0.0, value)]
        assert costs[0] <= min(costs[1:]) + 1e-6


def test_without_scipy_the_message_names_the_extra(monkeypatch):
    from enlighten_cli.errors import MissingDependencyError

    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(scipy_parts, "import_module", absent)
    with pytest.raises(MissingDependencyError, match=r"\.\[methods\]"):
        lime(RGB)
