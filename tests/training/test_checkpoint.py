import pytest
import torch

from enlighten_cli.errors import ModelError
from enlighten_cli.training.checkpoint import TrainState, discriminators_beside, read_weights, write_weights
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.networks.generator import EnlightenNet, initialise

CONFIG = TrainConfig(width=2, discriminator_width=3)
CPU = torch.device("cpu")


def test_a_checkpoint_gives_its_averaged_generator_and_its_discriminators(tmp_path):
    state = TrainState(CONFIG, CPU)
    with torch.no_grad():
        state.average.conv10.bias.fill_(7)
    state.save(tmp_path / "checkpoint.safetensors")
    weights = read_weights(tmp_path / "checkpoint.safetensors")
    assert weights.generator.conv10.bias.tolist() == [7, 7, 7]
    assert weights.discriminator_width == 3


def test_shipped_weights_are_half_as_large_and_nearly_the_same(tmp_path):
    generator = EnlightenNet(2)
    initialise(generator, 0)
    state = TrainState(CONFIG, CPU)
    write_weights(tmp_path / "w.safetensors", generator, state.discriminators.state_dict(), {"name": "w"})
    weights = read_weights(tmp_path / "w.safetensors")
    assert weights.metadata["name"] == "w"
    assert torch.equal(weights.generator.conv5_1.weight, generator.conv5_1.weight.half().float())
    assert discriminators_beside(tmp_path / "w.safetensors").exists()
    again = TrainState(CONFIG, CPU)
    again.start_from(weights)
    assert torch.equal(again.generator.conv5_1.weight, weights.generator.conv5_1.weight)
    assert torch.equal(
        again.discriminators["local"].layers[0].weight, state.discriminators["local"].layers[0].weight.half().float()
    )


def test_average_follows_slowly_and_ends_near():
    state = TrainState(TrainConfig(width=2, discriminator_width=2, batch=10, ema_images=10), CPU)
    with torch.no_grad():
        state.average.conv10.bias.fill_(0)
        state.generator.conv10.bias.fill_(1)
    state.images_seen = 1000
    state.update_average()
    assert state.average.conv10.bias.tolist() == pytest.approx([0.5] * 3)


def test_without_a_half_life_the_average_is_the_present():
    state = TrainState(CONFIG, CPU)
    with torch.no_grad():
        state.generator.conv10.bias.fill_(1)
    state.images_seen = 1000
    state.update_average()
    assert state.average.conv10.bias.tolist() == [1, 1, 1]


@pytest.mark.parametrize("content", [b"", b"not tensors", b"\x10" + b"\0" * 30])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_damaged_files_are_refused(tmp_path, content, suffix):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="broken"):
        read_weights(path)


def test_weights_are_no_checkpoint_to_resume(tmp_path):
    write_weights(tmp_path / "w.safetensors", EnlightenNet(2), {}, {})
    with pytest.raises(ModelError, match="not a checkpoint of a run"):
        TrainState.load(tmp_path / "w.safetensors", CONFIG, CPU)
