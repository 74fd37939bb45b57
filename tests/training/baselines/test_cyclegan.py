import dataclasses

import numpy as np
import pytest
import torch
from conftest import write_photos

from enlighten_cli.training.baselines.cyclegan import CycleGan, CycleGanOptions
from enlighten_cli.training.baselines.image_pool import ImagePool
from enlighten_cli.training.checkpoint import read_weights
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent

CPU = torch.device("cpu")


@pytest.fixture
def config(tmp_path):
    low = write_photos(tmp_path / "low", 3, exposure=0.1)
    normal = write_photos(tmp_path / "normal", 3, exposure=1.0)
    options = CycleGanOptions(discriminator_width=2, pool=2)
    return TrainConfig(options, low=str(low), normal=str(normal), width=2, crop_px=32, batch=2, lr=1e-3)


def test_all_networks_learn(config):
    objective = CycleGan(config, Descent(CPU))
    before = {name: tensor.clone() for name, tensor in objective.networks.state_dict().items()}
    objective.step(objective.samples(PhotoFolders(config))[range(2)], 0)
    after = objective.networks.state_dict()
    for network in ("generator", "darkener", "cycle_discriminators.normal", "cycle_discriminators.low"):
        kernels = [name for name in before if name.startswith(network) and name.endswith("weight")]
        assert kernels
        assert not all(torch.equal(before[name], after[name]) for name in kernels), network
    assert [int(after[f"pools.{light}.filled"]) for light in ("normal", "low")] == [2, 2]


def test_weights_scale_what_they_are_named_after(config):
    def losses(**options):
        changed = dataclasses.replace(config, options=dataclasses.replace(config.options, **options))
        objective = CycleGan(changed, Descent(CPU))
        made = objective.step(objective.samples(PhotoFolders(config))[range(2)], 0)
        return {name: float(loss.detach()) for name, loss in made.items()}

    one = losses()
    assert losses(cycle_weight=20.0)["cycle"] == pytest.approx(2 * one["cycle"])
    assert losses(identity_weight=10.0)["identity"] == pytest.approx(2 * one["identity"])


def test_it_can_start_from_a_generator(config, tiny_weights):
    weights = read_weights(tiny_weights)
    objective = CycleGan(dataclasses.replace(config, start="tiny"), Descent(CPU))
    objective.start_from(weights)
    assert torch.equal(objective.generator.conv1_1.weight, weights.generator.conv1_1.weight)
    assert CycleGan.suggested(weights) == {"width": 2}


def test_a_pool_gives_earlier_frames_back_once_it_is_full():
    pool, random = ImagePool(4, 1), np.random.default_rng(0)
    frames = torch.arange(200.0).view(200, 1, 1, 1).expand(200, 3, 1, 1)
    assert torch.equal(pool.exchanged(frames[:4], random), frames[:4])
    returned = [int(pool.exchanged(frames[number : number + 1], random)[0, 0, 0, 0]) for number in range(4, 200)]
    earlier = [number for number, place in zip(returned, range(4, 200), strict=True) if number < place]
    assert len(set(returned)) == len(returned)  # a frame that was returned is no longer kept
    assert 0.4 < len(earlier) / len(returned) < 0.6
    assert torch.equal(ImagePool(0, 1).exchanged(frames[:3], random), frames[:3])
