import pytest
import torch

from enlighten_cli.errors import ModelError
from enlighten_cli.training.checkpoint import discriminators_beside, read_weights, write_weights
from enlighten_cli.training.networks.discriminators import GLOBAL_LAYERS, LOCAL_LAYERS, PatchDiscriminator
from enlighten_cli.training.networks.generator import EnlightenNet, initialise


def test_shipped_weights_are_half_as_large_and_nearly_the_same(tmp_path):
    generator = EnlightenNet(2)
    initialise(generator, 0)
    discriminators = torch.nn.ModuleDict(
        {"global": PatchDiscriminator(GLOBAL_LAYERS, 3), "local": PatchDiscriminator(LOCAL_LAYERS, 3)}
    )
    write_weights(tmp_path / "w.safetensors", generator, discriminators.state_dict(), {"name": "w"})
    weights = read_weights(tmp_path / "w.safetensors")
    assert weights.metadata["name"] == "w"
    assert torch.equal(weights.generator.conv5_1.weight, generator.conv5_1.weight.half().float())
    assert discriminators_beside(tmp_path / "w.safetensors").exists()
    assert weights.discriminator_width == 3
    assert torch.equal(weights.discriminators["local.layers.0.weight"], discriminators["local"].layers[0].weight.half())


@pytest.mark.parametrize(
    ("metadata", "pixels"),
    [({"training_pixels": "4096"}, 4096), ({"look_pixels": "12544"}, 12544), ({}, 0), ({"training_pixels": "-"}, 0)],
)
def test_weights_tell_what_photos_were_reduced_to(tmp_path, metadata, pixels):
    """Earlier ones by another name."""
    write_weights(tmp_path / "w.safetensors", EnlightenNet(2), {}, metadata)
    assert read_weights(tmp_path / "w.safetensors").training_pixels == pixels


@pytest.mark.parametrize("content", [b"", b"not tensors", b"\x10" + b"\0" * 30])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_damaged_files_are_refused(tmp_path, content, suffix):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="broken"):
        read_weights(path)
