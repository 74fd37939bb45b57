import numpy as np
import pytest
import torch
from conftest import scene, write_photos

from enlighten_cli.errors import UsageError
from enlighten_cli.models.denoiser import Denoiser as DenoiserInUse
from enlighten_cli.photo import as_rgb
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.objectives.denoise import Denoise, ModuleAsDenoiser
from enlighten_cli.training.recipe import config_from
from enlighten_cli.training.state import TrainState

CPU = torch.device("cpu")


@pytest.fixture
def config(tmp_path):
    normal = write_photos(tmp_path / "normal", 3, exposure=0.9, size=(130, 150))
    options = {"objective": "denoise", "normal": str(normal), "width": 8, "images": 400, "crop_px": 64, "batch": 4}
    return config_from({**options, "lr": 2e-3, "ema_images": 20}, "test")


def test_well_lit_photos_alone_are_needed(config):
    assert Denoise.needs(config).folders == ("normal",)
    assert not Denoise.needs(config).vgg


def test_samples_are_functions_of_their_numbers(config):
    samples = Denoise(config, Descent(CPU)).samples(PhotoFolders(config, ("normal",)))
    one, other = samples[range(0, 4)], samples[range(2, 6)]
    assert one.clean.shape == one.noisy.shape == (4, 3, 64, 64)
    assert one.noise.shape == one.gain.shape == (4, 1, 64, 64)
    assert torch.equal(one.noisy[2:], other.noisy[:2])
    assert one.numbers.tolist() == [0, 1, 2, 3]


def test_it_learns_to_remove_what_would_be_seen(config):
    state = TrainState(config, Descent(CPU))
    samples = state.objective.samples(PhotoFolders(config, ("normal",)))
    unseen = samples[range(1000, 1032)]

    def left():
        with torch.no_grad():
            denoised = state.average(unseen.noisy, unseen.noise, unseen.gain)
        return float((unseen.gain * (denoised - unseen.clean)).abs().mean())

    before = float((unseen.gain * (unseen.noisy - unseen.clean)).abs().mean())
    for first in range(0, config.images, config.batch):
        state.objective.step(samples[range(first, first + config.batch)], first)
        state.images_seen = first + config.batch
        state.update_average()
    assert left() < 0.97 * before


def test_the_exported_file_does_what_was_trained(config, tmp_path):
    state = TrainState(config, Descent(CPU))
    with torch.no_grad():
        state.average.leave.weight.normal_(0, 0.1)
    state.save(tmp_path / "checkpoint.safetensors")
    path = Denoise.export(tmp_path / "checkpoint.safetensors", tmp_path / "model", name="mine", licence="none")
    rgb = as_rgb(scene(40, 64))
    noise, gain = np.full((40, 64), 0.01, np.float32), np.full((40, 64), 5, np.float32)
    expected = ModuleAsDenoiser(state.average, CPU)(rgb, noise, gain)
    assert np.abs(DenoiserInUse(path)(rgb, noise, gain) - expected).max() < 1e-5


def test_letters_and_the_loss_on_means_are_options(config):
    plain = Denoise(config, Descent(CPU))
    lettered = config_from({**config.to_mapping(), "coarse_weight": 2.0, "text_probability": 1.0}, "test")
    with_both = Denoise(lettered, Descent(CPU))
    photos = PhotoFolders(config, ("normal",))
    one, other = (each.samples(photos)[range(4)] for each in (plain, with_both))
    assert (one.clean != other.clean).any()
    assert set(plain.step(one, 0)) == {"seen"}
    losses = with_both.step(one, 0)
    assert 0 < losses["coarse"] <= 2 * losses["seen"]
    for name in ("coarse_weight", "text_probability"):
        with pytest.raises(UsageError, match=name):
            config_from({**config.to_mapping(), name: -0.1}, "test")


def test_options_that_mean_nothing_to_it_are_refused(config):
    for name, value in (("exposure_stops", 1.0), ("precision", "bf16"), ("frame", "square")):
        with pytest.raises(UsageError, match="must be"):
            config_from({**config.to_mapping(), name: value}, "test")


def test_a_sheet_shows_photos_without_noise(config):
    state = TrainState(config, Descent(CPU))
    dark = scene(64, 96, exposure=0.1)
    assert state.objective.picture(state.average, dark).shape == dark.shape
