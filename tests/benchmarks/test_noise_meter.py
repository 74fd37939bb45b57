import noise_meter
import numpy as np
import pytest
from conftest import scene
from noise_meter import check, fit, noise_made, sample
from PIL import Image

from enlighten_cli.enhancement.noise import package_meter


@pytest.fixture
def photos(tmp_path):
    for number in range(2):
        Image.fromarray(scene(240, 320, seed=number)).save(tmp_path / f"{number}.png")
    return sorted(tmp_path.iterdir())


def test_noise_made_is_that_of_the_difference_by_luma():
    random = np.random.default_rng(0)
    bare = np.linspace(0.1, 0.9, 600, dtype=np.float32)[None].repeat(400, 0)
    made = random.normal(0, 1, bare.shape).astype(np.float32) * np.where(bare < 0.5, 0.01, 0.03)
    curve = noise_made((bare + made).astype(np.float32), bare)
    assert curve.at(np.float32([0.2, 0.8])) == pytest.approx([0.01, 0.03], rel=0.05)


def test_a_sample_is_the_same_whenever_it_is_made(photos):
    one, again, other = (sample(photos, number) for number in (3, 3, 4))
    np.testing.assert_array_equal(one.statistics, again.statistics)
    np.testing.assert_array_equal(one.truth, again.truth)
    assert one.statistics.shape != other.statistics.shape or not np.array_equal(one.statistics, other.statistics)


def test_a_meter_is_fitted_written_and_used(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(noise_meter, "METER", tmp_path / "meter.npz")
    monkeypatch.setattr(noise_meter, "EPOCHS", 30)
    monkeypatch.setattr("enlighten_cli.enhancement.noise.METER", tmp_path / "meter.npz")
    made = [each for each in (sample(photos, number) for number in range(24)) if each]
    fit(made)
    package_meter.cache_clear()
    try:
        meter = package_meter()
        truth = 255 * np.concatenate([each.truth for each in made])
        measured = 255 * np.concatenate([meter(each.statistics) for each in made])
        check(made)
    finally:
        package_meter.cache_clear()
    assert np.corrcoef(np.log(truth + 1), np.log(measured + 1))[0, 1] > 0.8  # it has learned them by heart
    assert "within 20 %" in capsys.readouterr().out
