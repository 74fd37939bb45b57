import pytest
import torch

from enlighten_cli.errors import UsageError
from enlighten_cli.training.networks.generator import EnlightenNet, initialise
from enlighten_cli.training.networks.widening import widened


def generator(width):
    network = EnlightenNet(width)
    initialise(network, 1)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensor.add_(0.02 * torch.rand(tensor.shape, generator=torch.Generator().manual_seed(len(name))))
    return network


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_it_begins_as_the_same_function(factor):
    narrow = generator(2).double().eval()
    wide = widened(narrow, 2 * factor, 0).double().eval()
    rgb = torch.rand(1, 3, 64, 80, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        before, after = narrow(rgb), wide(rgb)
    assert float((before - rgb).abs().max()) > 0.005
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-6)


def test_copies_of_a_channel_learn_to_differ():
    wide = widened(generator(2), 4, 0)
    wide(torch.rand(2, 3, 32, 32)).square().mean().backward()
    gradient = wide.get_submodule("conv3_1").weight.grad
    half = len(gradient) // 2
    assert float((gradient[:half] - gradient[half:]).norm()) > 0.05 * float(gradient.norm())


def test_only_multiples():
    with pytest.raises(UsageError, match="multiple"):
        widened(generator(4), 6, 0)
    with pytest.raises(UsageError, match="multiple"):
        widened(generator(4), 2, 0)
