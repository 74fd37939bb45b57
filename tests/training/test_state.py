import pytest
import torch

from enlighten_cli.errors import ModelError
from enlighten_cli.training.checkpoint import read_weights, write_weights
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.networks.generator import EnlightenNet
from enlighten_cli.training.objectives.enlightengan import EnlightenGanOptions
from enlighten_cli.training.state import TrainState

CONFIG = TrainConfig(EnlightenGanOptions(discriminator_width=3), width=2)
CPU = torch.device("cpu")


def state(config=CONFIG):
    return TrainState(config, Descent(CPU))


def test_a_checkpoint_gives_its_averaged_generator_and_its_discriminators(tmp_path):
    saved = state()
    with torch.no_grad():
        saved.average.conv10.bias.fill_(7)
    saved.save(tmp_path / "checkpoint.safetensors")
    weights = read_weights(tmp_path / "checkpoint.safetensors")
    assert weights.generator.conv10.bias.tolist() == [7, 7, 7]
    assert weights.discriminator_width == 3


def test_a_run_starts_from_weights_and_their_discriminators(tmp_path):
    known, other = state(), state(TrainConfig(EnlightenGanOptions(discriminator_width=3), width=2, seed=1))
    discriminators = known.objective.networks["discriminators"]
    write_weights(tmp_path / "w.safetensors", known.exported, discriminators.state_dict(), {})
    weights = read_weights(tmp_path / "w.safetensors")
    other.start_from(weights)
    for network in (other.exported, other.average):
        assert torch.equal(network.conv5_1.weight, weights.generator.conv5_1.weight)
    started = other.objective.networks["discriminators"]["local"].layers[0].weight
    assert torch.equal(started, discriminators["local"].layers[0].weight.half().float())


def test_interpolation_of_published_weights_goes_through_checkpoints(tmp_path):
    published = EnlightenNet(2, align_corners=True)
    write_weights(tmp_path / "w.safetensors", published, {}, {})
    started = state()
    started.start_from(read_weights(tmp_path / "w.safetensors"))
    started.save(tmp_path / "checkpoint.safetensors")
    assert state().load(tmp_path / "checkpoint.safetensors").exported.align_corners
    assert read_weights(tmp_path / "checkpoint.safetensors").generator.align_corners


def test_average_follows_slowly_and_ends_near():
    averaged = state(TrainConfig(EnlightenGanOptions(discriminator_width=2), width=2, batch=10, ema_images=10))
    with torch.no_grad():
        averaged.average.conv10.bias.fill_(0)
        averaged.exported.conv10.bias.fill_(1)
    averaged.images_seen = 1000
    averaged.update_average()
    assert averaged.average.conv10.bias.tolist() == pytest.approx([0.5] * 3)


def test_without_a_half_life_the_average_is_the_present():
    present = state()
    with torch.no_grad():
        present.exported.conv10.bias.fill_(1)
    present.images_seen = 1000
    present.update_average()
    assert present.average.conv10.bias.tolist() == [1, 1, 1]


def test_all_learning_rates_follow_the_schedule():
    config = TrainConfig(EnlightenGanOptions(discriminator_width=2, discriminator_lr=4e-4), width=2, images=100)
    falling = state(config)
    falling.images_seen = 75
    falling.set_learning_rates()
    rates = {name: optimiser.param_groups[0]["lr"] for name, optimiser in falling.objective.optimisers.items()}
    assert rates == {"generator": pytest.approx(5e-5), "discriminators": pytest.approx(2e-4)}


def test_weights_are_no_checkpoint_to_resume(tmp_path):
    write_weights(tmp_path / "w.safetensors", EnlightenNet(2), {}, {})
    with pytest.raises(ModelError, match="not a checkpoint of a run"):
        state().load(tmp_path / "w.safetensors")
