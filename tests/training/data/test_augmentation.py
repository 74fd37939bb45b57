import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from enlighten_cli.training.data.augmentation import exposed

photos = arrays.arrays("float32", (3, 4, 5), elements=st.floats(0, 1, width=32, allow_subnormal=False)).map(
    torch.from_numpy
)


def all_by(stops):
    return torch.full((3,), stops)


@given(photos, st.floats(-6, 0, allow_subnormal=False))
def test_what_was_darkened_can_be_brightened_back(rgb, stops):
    back = exposed(exposed(rgb, all_by(stops)), all_by(-stops))
    assert float((back - rgb).abs().max()) < 1e-4


@given(photos, st.floats(-4, 4, allow_subnormal=False), st.floats(0, 2, allow_subnormal=False))
def test_more_stops_never_darken(rgb, stops, more):
    assert (exposed(rgb, all_by(stops + more)) >= exposed(rgb, all_by(stops)) - 1e-6).all()


def test_a_stop_less_is_half_the_light():
    """Middle grey of 18 % is 0.461 in sRGB, and 9 % 0.332 (IEC 61966-2-1)."""
    darker = exposed(torch.full((3, 1, 1), 0.461), all_by(-1.0))
    assert darker.flatten().tolist() == pytest.approx([0.332] * 3, abs=1e-3)


def test_photos_and_colours_have_their_own_stops():
    grey = torch.full((2, 3, 1, 1), 0.5)
    one, other = exposed(grey, torch.tensor([[0.5, 0, -0.5], [0, 0, 1]]))[..., 0, 0]
    assert one[0] > one[1] > one[2]
    assert float(one[1]) == pytest.approx(0.5, abs=1e-6)
    assert other[0] == other[1] < other[2]
