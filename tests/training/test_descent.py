import torch
from torch import nn

from enlighten_cli.training.descent import Descent

CPU = torch.device("cpu")


def test_a_step_too_large_for_fp16_is_left_out():
    network = nn.Linear(2, 1)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    descent = Descent(CPU, "fp16")
    descent.scaler = torch.amp.GradScaler("cpu", init_scale=1e38)
    before = network.weight.clone()
    rows = torch.full((1, 2), 1e3)
    descent.descend(optimiser, [network(rows).sum()])
    assert torch.equal(network.weight, before)
    assert descent.scaler.get_scale() < 1e38
    descent.scaler = torch.amp.GradScaler("cpu", init_scale=1024)
    descent.descend(optimiser, [network(rows).sum()])
    assert not torch.equal(network.weight, before)


def test_losses_are_summed():
    network = nn.Linear(1, 1, bias=False)
    optimiser = torch.optim.SGD(network.parameters(), lr=1.0)
    before = float(network.weight.detach())
    Descent(CPU).descend(optimiser, [network.weight.sum(), 2 * network.weight.sum()])
    assert abs(float(network.weight.detach()) - (before - 3)) < 1e-6


def test_only_networks_compute_in_halves():
    layer, rgb = nn.Conv2d(3, 1, 1), torch.rand(1, 3, 2, 2)
    for precision, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with Descent(CPU, precision).mixed_precision():
            assert layer(rgb).dtype == kind
