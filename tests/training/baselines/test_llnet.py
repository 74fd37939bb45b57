import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from enlighten_cli.training.baselines.llnet import darkened, divergence
from enlighten_cli.training.baselines.networks.llnet import AFTER_PX, BEFORE_PX, PATCH_PX, STRIDE_PX, LlNet


@pytest.mark.parametrize("size", [(16, 16), (32, 48)])
def test_the_graph_is_the_average_of_patches_one_by_one(size):
    network = LlNet(12).double().eval()
    value = torch.rand(1, 1, *size, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    padded = F.pad(value, (BEFORE_PX,) * 4, mode="replicate")
    sums, counts = torch.zeros_like(padded), torch.zeros_like(padded)
    with torch.no_grad():
        for top in range(0, padded.shape[2] - PATCH_PX + 1, STRIDE_PX):
            for left in range(0, padded.shape[3] - PATCH_PX + 1, STRIDE_PX):
                place = (..., slice(top, top + PATCH_PX), slice(left, left + PATCH_PX))
                sums[place] += network.patches(padded[place]).view(1, 1, PATCH_PX, PATCH_PX)
                counts[place] += 1
        expected = (sums / counts)[..., BEFORE_PX:-BEFORE_PX, BEFORE_PX:-BEFORE_PX]
        assert torch.allclose(network.averaged(value), expected, atol=1e-12)
    # Each pixel is in all patches that can hold it: four or five along each axis.
    assert set(counts[..., BEFORE_PX:-BEFORE_PX, BEFORE_PX:-BEFORE_PX].unique().tolist()) == {16.0, 20.0, 25.0}
    assert AFTER_PX == BEFORE_PX - 3


def test_a_photo_keeps_its_hues_and_its_range():
    network = LlNet(6).eval()
    rgb = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        made = network(rgb)
    assert float(made.min()) >= 0
    assert float(made.max()) <= 1
    assert torch.allclose(made / made.amax(dim=1, keepdim=True), rgb / rgb.amax(dim=1, keepdim=True), atol=1e-5)
    assert torch.equal(network(torch.zeros(1, 3, 16, 16)), torch.zeros(1, 3, 16, 16))


def test_the_paper_has_layers_of_867_578_and_289():
    assert [layer.out_channels for layer in LlNet().encoders] == [867, 578, 289]
    assert [layer.out_channels for layer in reversed(LlNet().decoders)] == [578, 867, 289]


@given(st.integers(0, 1000))
def test_a_darkened_patch_is_a_patch_and_darker(seed):
    clean = np.full((PATCH_PX, PATCH_PX), 0.6, np.float32)
    dark = darkened(clean, np.random.default_rng(seed))
    assert dark.dtype == np.float32
    assert dark.min() >= 0
    assert dark.max() <= 1
    # 0.6^2 is the lightest; a mean of 289 pixels of noise strays by less than 0.03
    assert 0.6**5 - 0.03 < dark.mean() < 0.6**2 + 0.03


def test_units_that_are_as_sparse_as_wanted_cost_nothing():
    units = torch.tensor([0.0, 0.1]).view(2, 1, 1, 1).expand(2, 5, 1, 1)
    assert float(divergence(units, 0.05)) == pytest.approx(0, abs=1e-6)
    half = torch.full((2, 5, 1, 1), 0.5)
    expected = 5 * (0.05 * np.log(0.05 / 0.5) + 0.95 * np.log(0.95 / 0.5))
    assert float(divergence(half, 0.05)) == pytest.approx(expected, rel=1e-5)
