import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from enlighten_cli.training.exposure import exposed

photos = arrays.arrays(np.float32, (4, 5, 3), elements=st.floats(0, 1, width=32, allow_subnormal=False))


@given(photos, st.floats(-6, 0, allow_subnormal=False))
def test_what_was_darkened_can_be_brightened_back(rgb, stops):
    assert np.abs(exposed(exposed(rgb, stops), -stops) - rgb).max() < 1e-4


@given(photos, st.floats(-4, 4, allow_subnormal=False), st.floats(0, 2, allow_subnormal=False))
def test_more_stops_never_darken(rgb, stops, more):
    assert (exposed(rgb, stops + more) >= exposed(rgb, stops) - 1e-6).all()


def test_a_stop_less_is_half_the_light():
    """Middle grey of 18 % is 0.461 in sRGB, and 9 % 0.332 (IEC 61966-2-1)."""
    grey = np.full((1, 1, 3), 0.461, np.float32)
    assert exposed(grey, -1) == pytest.approx(np.full((1, 1, 3), 0.332), abs=1e-3)


def test_balance_changes_colours_apart():
    grey = np.full((1, 1, 3), 0.5, np.float32)
    red, green, blue = exposed(grey, 0, np.array([0.5, 0, -0.5], np.float32))[0, 0]
    assert green == pytest.approx(0.5, abs=1e-6)
    assert red > green > blue
