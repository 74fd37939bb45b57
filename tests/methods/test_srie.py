import importlib

import numpy as np
import pytest
from conftest import scene
from grids import TURNS
from hypothesis import given, settings
from hypothesis import strategies as st

from enlighten_cli.methods.srie import GAMMA, LIGHT, REFLECTANCE, WHITE, between, split, srie

RGB = scene(40, 53).astype(np.float32) / 255
SEEN = RGB.max(axis=2)


def cost(reflected, light):
    """The paper's objective, its weights those of the same values."""
    reflected, light = (np.log(values.astype(np.float64)) for values in (reflected, light))
    total = ((reflected + light - np.log(np.maximum(SEEN * WHITE, 1))) ** 2).sum()
    for axis in (0, 1):
        weights = [between(np.exp(values))[axis] for values in (reflected, light)]
        total += REFLECTANCE * np.abs(weights[0] * np.diff(reflected, axis=axis)).sum()
        total += LIGHT * ((weights[1] * np.diff(light, axis=axis)) ** 2).sum()
    return total


def test_the_parts_make_up_what_is_seen_and_keep_their_bounds():
    reflected, light = split(SEEN)
    assert reflected.max() <= 1
    assert (light >= np.maximum(SEEN * WHITE, 1) * (1 - 1e-5)).all()
    there = SEEN * WHITE > 2
    error = np.abs(np.log(reflected * light / WHITE)[there] - np.log(SEEN)[there])
    assert np.median(error) < 0.05


def test_rounds_lower_the_cost(monkeypatch):
    module = importlib.import_module("enlighten_cli.methods.srie")
    costs = [cost(np.ones_like(SEEN), np.maximum(SEEN * WHITE, 1))]
    for rounds in (1, 3, 8):
        monkeypatch.setattr(module, "MOST_STEPS", rounds)
        costs.append(cost(*split(SEEN)))
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 0.5 * costs[0]


@given(st.floats(0.01, 1))
@settings(max_examples=10)
def test_a_constant_is_all_light_and_is_lifted_by_the_gamma(level):
    seen = np.full((13, 18, 3), level, np.float32)
    reflected, light = split(seen[..., 0])
    np.testing.assert_allclose(reflected, 1, atol=1e-3)
    np.testing.assert_allclose(light, max(level * 255, 1), rtol=2e-3)
    np.testing.assert_allclose(srie(seen), level ** float(GAMMA), rtol=2e-3)


@pytest.mark.parametrize("turn", TURNS)
def test_a_photo_turned_gives_the_result_turned(turn):
    np.testing.assert_allclose(srie(TURNS[turn](RGB)), TURNS[turn](srie(RGB)), atol=3e-3)


def test_nothing_gets_darker_hue_stays_and_black_stays_black():
    made = srie(RGB)
    assert (made >= RGB - 1e-6).all()
    clear = (RGB.min(axis=2) > 0) & (made.max(axis=2) < 1)
    ratio = made[clear] / RGB[clear]
    np.testing.assert_allclose(ratio[:, 0], ratio[:, 2], rtol=1e-4)
    assert srie(np.zeros((9, 9, 3), np.float32)).max() == 0
