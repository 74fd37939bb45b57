import numpy as np
import pytest
from conftest import scene
from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli.errors import PhotoError
from enlighten_cli.metrics.loe import loe


def definition(after, before):
    """Equations 1 to 4 of Wang et al. (2013), pixel by pixel."""
    first, second = (photo.max(axis=2).ravel() for photo in (before, after))
    total = 0
    for i in range(len(first)):
        for j in range(len(first)):
            total += int((first[i] >= first[j]) != (second[i] >= second[j]))
    return total / len(first)


@given(st.integers(0, 2**32 - 1))
def test_it_is_the_definition(seed):
    random = np.random.default_rng(seed)
    before, after = random.integers(0, 256, (2, 6, 7, 3), dtype=np.uint8)
    assert loe(after, before) == pytest.approx(definition(after, before))


def test_order_that_is_kept_costs_nothing():
    before = (scene(40, 45, exposure=1.0) // 4) * 2
    assert loe(before, before) == 0
    assert loe(before + 50, before) == 0


def test_inverting_costs_the_most():
    before = scene(40, 45, exposure=1.0)
    assert loe(255 - before, before) > 1000


def test_sizes_that_differ():
    with pytest.raises(PhotoError, match="sizes differ"):
        loe(scene(10, 10), scene(10, 12))
