"""What the objectives of other papers share: they learn, in any precision, and export models of the one contract."""

import dataclasses

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from conftest import scene, write_photos

from enlighten_cli.cli import main
from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.errors import UsageError
from enlighten_cli.models.session import Model
from enlighten_cli.photo import Photo, decode
from enlighten_cli.training.baselines.cyclegan import CycleGanOptions
from enlighten_cli.training.baselines.llnet import LlNetOptions
from enlighten_cli.training.baselines.networks.dce_net import DceNet
from enlighten_cli.training.baselines.networks.llnet import LlNet
from enlighten_cli.training.baselines.networks.retinex_net import RetinexNet
from enlighten_cli.training.baselines.retinexnet import RetinexNetOptions
from enlighten_cli.training.baselines.zero_dce import ZeroDceOptions
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.recipe import config_from, objective_of
from enlighten_cli.training.state import TrainState

CPU = torch.device("cpu")
OPTIONS = {
    "zero-dce": ZeroDceOptions(),
    "cyclegan": CycleGanOptions(discriminator_width=2),
    "retinexnet": RetinexNetOptions(),
    "llnet": LlNetOptions(patches=8),
}
NETWORKS = [(DceNet, 4), (RetinexNet, 4), (LlNet, 12)]


@pytest.fixture
def config(tmp_path):
    low = write_photos(tmp_path / "low", 3, exposure=0.1)
    normal = write_photos(tmp_path / "normal", 3, exposure=1.0)
    return TrainConfig(
        ZeroDceOptions(), low=str(low), normal=str(normal), pairs_low=str(low), pairs_high=str(normal), width=6,
        images=40, crop_px=32, batch=4, lr=3e-3,
    )  # fmt: skip


def begun(config, name):
    config = dataclasses.replace(config, options=OPTIONS[name])
    state = TrainState(config, Descent(CPU, config.precision))
    return state, PhotoFolders(config, state.objective.needs(config).used(config))


@pytest.mark.parametrize(
    ("name", "stage", "loss"),
    [
        ("zero-dce", 0, "exposure"),
        ("cyclegan", 0, "cycle"),
        ("retinexnet", 0, "high"),
        ("retinexnet", 1, "enhanced"),
        ("llnet", 0, "layer1"),
        ("llnet", 1, "layer2"),
        ("llnet", 3, "patches"),
    ],
)
def test_a_few_steps_lower_the_loss(config, name, stage, loss):
    state, photos = begun(config, name)
    objective = state.stages[stage].objective
    batch = objective.samples(photos)[range(4)]
    losses = [float(objective.step(batch, 0)[loss].detach()) for _ in range(30)]
    assert losses[-1] < 0.97 * losses[0]


@pytest.mark.parametrize("name", OPTIONS)
def test_half_precision_means_the_same(config, name):
    batches = {}
    for precision in ("fp32", "bf16"):
        state, photos = begun(dataclasses.replace(config, precision=precision), name)
        objective = state.stages[0].objective
        losses = objective.step(objective.samples(photos)[range(4)], 0)
        batches[precision] = {key: float(loss.detach()) for key, loss in losses.items()}
    assert batches["bf16"] == pytest.approx(batches["fp32"], rel=0.05, abs=1e-4)


@pytest.mark.parametrize("name", OPTIONS)
def test_samples_are_functions_of_their_numbers(config, name):
    state, photos = begun(config, name)
    samples = state.objective.samples(photos)
    one, other = samples[range(4)], samples[range(2, 6)]
    assert one[1].shape == (4, 3, 32, 32)
    assert all(torch.equal(a[2:], b[:2]) for a, b in zip(one[:3], other[:3], strict=True))


@pytest.mark.parametrize("name", OPTIONS)
def test_the_exported_model_keeps_the_contract(config, name, tmp_path):
    """It does what was trained, tiles are exact, and the command takes it."""
    state, _ = begun(config, name)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in state.average.parameters():
            parameter.add_(torch.empty_like(parameter).normal_(0, 0.1, generator=random))
    state.save(tmp_path / "checkpoint.safetensors")
    assert objective_of(tmp_path / "checkpoint.safetensors") is type(state.objective)
    file = tmp_path / "model.onnx"
    if name == "zero-dce":  # by the command
        done = CliRunner().invoke(main, ["export", str(tmp_path / "checkpoint.safetensors"), "-o", str(file)])
        assert done.exit_code == 0, done.stderr
    else:
        made = state.objective.export(
            tmp_path / "checkpoint.safetensors", tmp_path / "model", name="mine", licence="none"
        )
        assert made == file

    dark = scene(160, 144, exposure=0.3)
    rgb = dark.astype(np.float32) / 255
    model = Model(file)
    with torch.no_grad():
        expected = state.average(torch.from_numpy(rgb).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    # CycleGAN's kernels are kept in fp16, as those of EnlightenGAN.
    assert np.abs(model(rgb) - expected).max() < (5e-3 if name == "cyclegan" else 1e-4)

    def enhanced(tile_px):
        options = Options(mode=Mode.FULL, tile_px=tile_px, denoise=0)
        return enhance(Photo(dark, "PNG"), model, options).pixels

    assert abs(enhanced(0).astype(int) - enhanced(32)).max() <= 1  # where rounding decides
    assert (enhanced(0) == enhanced(32)).mean() > 0.999

    done = CliRunner().invoke(
        main, [str(tmp_path / "low" / "0.png"), "-o", str(tmp_path / "out.png"), "--model", str(file)]
    )
    assert done.exit_code == 0, done.stderr
    assert decode(tmp_path / "out.png").pixels.shape == (48, 64, 3)


@pytest.mark.parametrize(("kind", "width"), NETWORKS)
def test_no_pixel_matters_beyond_the_reach(kind, width):
    """And some does at the reach itself, so that halos are no wider than needed."""
    network = kind(width).double()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "encoders" not in name and "decoders" not in name:
                parameter.uniform_(0, 0.06, generator=torch.Generator().manual_seed(0))
    side = 2 * (network.reach_px + 17) // 16 * 16 + 32
    rgb = torch.full((1, 3, side, side), 0.2, dtype=torch.double)
    rgb += 0.1 * torch.rand(rgb.shape, generator=torch.Generator().manual_seed(0))
    furthest = 0
    with torch.no_grad():
        before = network(rgb)
        for place in range(side // 2, side // 2 + 16):
            changed = rgb.clone()
            changed[..., place, place] += 0.3
            moved = (network(changed) - before).abs().amax(dim=(0, 1)).nonzero()
            furthest = max(furthest, int((moved - place).abs().max()))
    assert furthest == network.reach_px


@pytest.mark.parametrize("name", OPTIONS)
def test_json_round_trip(config, name):
    config = dataclasses.replace(config, options=OPTIONS[name])
    assert config_from(config.to_mapping(), "run") == config


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("zero-dce", "exposure", 1.5),
        ("zero-dce", "spatial_weight", -1.0),
        ("zero-dce", "darkened_probability", 0.5),
        ("cyclegan", "pool", -1),
        ("retinexnet", "decomposition_fraction", 1.0),
        ("retinexnet", "exposure_stops", 1.0),
        ("llnet", "sparsity", 0.0),
        ("llnet", "exposure_stops", 1.0),
    ],
)
def test_options_that_cannot_work_are_refused(config, name, option, value):
    options = dataclasses.replace(config, options=OPTIONS[name]).to_mapping()
    with pytest.raises(UsageError, match=f"{option} is {value}"):
        config_from({**options, option: value}, "test")
