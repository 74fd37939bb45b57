import json
from pathlib import Path

import pytest
import torch

from enlighten_cli.errors import ModelError
from enlighten_cli.models.network import RECEPTIVE_FIELD_PX
from enlighten_cli.training.checkpoint import read_weights
from enlighten_cli.training.networks.generator import EnlightenNet, initialise, luma

STATE = json.loads((Path(__file__).parent / "published_state.json").read_text())


def test_has_the_published_size():
    assert sum(parameter.numel() for parameter in EnlightenNet().parameters()) == 8_636_675


def test_names_and_shapes_are_the_published_ones():
    assert {name: list(tensor.shape) for name, tensor in EnlightenNet().state_dict().items()} == STATE


@pytest.mark.parametrize("width", [1, 8, 16])
def test_keeps_the_size_at_any_width(width):
    rgb = torch.rand(2, 3, 32, 48)
    assert EnlightenNet(width).eval()(rgb).shape == rgb.shape


def test_where_there_is_no_attention_nothing_changes():
    white = torch.ones(1, 3, 32, 32)
    assert luma(white).max() == pytest.approx(1)
    torch.testing.assert_close(EnlightenNet(4).eval()(white), white)


def test_the_receptive_field_is_what_tiling_relies_on():
    generator = EnlightenNet(2).double().eval()
    initialise(generator, 3)
    generator.requires_grad_(False)
    rgb = torch.rand(1, 3, 16, 320, dtype=torch.float64, requires_grad=True)
    middle = 160
    generator(rgb)[0, :, :, middle].sum().backward()
    touched = rgb.grad.abs().sum(dim=(0, 1, 2)).nonzero().flatten()
    assert middle - touched.min() <= RECEPTIVE_FIELD_PX
    assert touched.max() - middle <= RECEPTIVE_FIELD_PX
    assert touched.max() - touched.min() > RECEPTIVE_FIELD_PX  # the figure is not idle


def test_initialisation_depends_on_nothing_but_the_seed():
    first, second, other = EnlightenNet(2), EnlightenNet(2), EnlightenNet(2)
    initialise(first, 1)
    torch.rand(5)
    initialise(second, 1)
    initialise(other, 2)
    assert torch.equal(first.conv10.weight, second.conv10.weight)
    assert not torch.equal(first.conv10.weight, other.conv10.weight)


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("legacy", [True, False])
def test_published_forms_load(tmp_path, prefix, counted, legacy):
    published = EnlightenNet(4)
    initialise(published, 5)
    path = tmp_path / "200_net_G_A.pth"
    state = {
        prefix + name: tensor
        for name, tensor in published.state_dict().items()
        if counted or not name.endswith("num_batches_tracked")
    }
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    weights = read_weights(path)
    assert weights.generator.width == 4
    assert weights.generator.align_corners  # what those weights were trained with
    assert torch.equal(weights.generator.conv5_1.weight, published.conv5_1.weight)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("conv3_1.bias"), "missing: conv3_1.bias"),
        (lambda state: state.update(extra=torch.zeros(1)), "unexpected: extra"),
        (lambda state: state.update({"conv10.bias": torch.zeros(4)}), "of another shape: conv10.bias"),
        (lambda state: state.pop("conv1_1.weight"), "not an EnlightenGAN generator"),
    ],
)
def test_wrong_tensors_are_named(tmp_path, change, message):
    state = EnlightenNet(2).state_dict()
    change(state)
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(ModelError, match=message):
        read_weights(tmp_path / "net.pth")


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    class Payload:
        def __reduce__(self):
            return (print, ("run",))

    torch.save({"conv1_1.weight": Payload()}, tmp_path / "net.pth")
    with pytest.raises(ModelError, match="holds Python objects"):
        read_weights(tmp_path / "net.pth")
