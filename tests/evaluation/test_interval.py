import numpy as np
import pytest

from enlighten_cli.evaluation.interval import difference, interval


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(1)
    held = [(each := interval(random.normal(3, 2, 40))).low <= 3 <= each.high for _ in range(200)]
    assert 0.9 <= np.mean(held) <= 0.99


def test_it_is_as_wide_as_theory_says():
    values = np.random.default_rng(0).normal(0, 1, 400)
    each = interval(values)
    assert each.mean == values.mean()
    assert each.high - each.low == pytest.approx(2 * 1.96 / 20, rel=0.1)


def test_pairs_show_what_means_hide():
    """One method is a little better on every photo, though photos differ far more."""
    photos = np.random.default_rng(0).normal(20, 5, 30)
    better = photos + 0.3 + np.random.default_rng(1).normal(0, 0.1, 30)
    assert difference(better, photos).excludes_zero
    assert interval(better).low < interval(photos).high
    assert not difference(photos, photos).excludes_zero


def test_one_photo_and_infinities_have_no_interval():
    assert interval([2.0]).low == interval([2.0]).high == 2
    assert interval([1.0, float("inf")]).mean == float("inf")
