import numpy as np
import pytest

from enlighten_cli.training.data.lettering import CONTRAST, lettered

GREY = np.full((64, 80, 3), 0.5, np.float32)


def test_letters_cover_a_part_and_the_rest_stays():
    changed = [np.abs(lettered(GREY, np.random.default_rng(seed)) - GREY) for seed in range(20)]
    parts = [(change > 1e-6).any(axis=2).mean() for change in changed]
    assert 0.02 < np.mean(parts) < 0.6
    assert max(change.max() for change in changed) <= min(CONTRAST[1], 0.5) + 1e-6


def test_ink_is_lighter_or_darker_and_stays_in_range():
    signs = set()
    for seed in range(20):
        made = lettered(GREY, np.random.default_rng(seed))
        assert made.dtype == np.float32
        assert made.min() >= 0
        assert made.max() <= 1
        signs |= {float(np.sign(np.round(made - GREY, 5)).sum()) > 0}
    assert signs == {True, False}


@pytest.mark.parametrize("seed", range(3))
def test_it_is_a_function_of_the_random_numbers(seed):
    one, other = (lettered(GREY, np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
