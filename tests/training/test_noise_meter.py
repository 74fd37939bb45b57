import json

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import REPOSITORY, scene
from PIL import Image

from enlighten_cli.enhancement.noise import NoiseMeter, package_meter
from enlighten_cli.errors import ModelError, UsageError
from enlighten_cli.training.data.noise_samples import sample
from enlighten_cli.training.noise_meter import MeterRecipe, fit, main, write_meter


@pytest.fixture
def photos(tmp_path):
    for number in range(2):
        Image.fromarray(scene(240, 320, seed=number)).save(tmp_path / f"{number}.png")
    return sorted(tmp_path.glob("*.png"))


def test_a_meter_is_fitted_written_and_read(photos, tmp_path):
    made = [each for each in (sample(photos, number) for number in range(24)) if each]
    fitted = fit(made, MeterRecipe(epochs=30))
    write_meter(fitted, tmp_path / "meter.npz")
    meter = NoiseMeter.read(tmp_path / "meter.npz")
    truth = 255 * np.concatenate([each.truth for each in made])
    measured = 255 * np.concatenate([meter(each.statistics) for each in made])
    assert np.corrcoef(np.log(truth + 1), np.log(measured + 1))[0, 1] > 0.8  # it has learned them by heart
    np.testing.assert_array_equal(measured, 255 * np.concatenate([fitted(each.statistics) for each in made]))


def test_the_command_fits_by_the_recipe_on_the_photos_that_are_not_held_out(photos, tmp_path, monkeypatch):
    drawn_from = []
    monkeypatch.setattr(
        "enlighten_cli.training.noise_meter.samples",
        lambda chosen, numbers: drawn_from.append(chosen) or [sample(photos, number) for number in range(8)],
    )
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({"samples": 8, "hidden": 3, "epochs": 1}))
    done = CliRunner().invoke(
        main,
        [str(tmp_path), "-o", str(tmp_path / "new" / "meter.npz"), "--config", str(recipe)],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    assert drawn_from == [photos[1:]]
    assert [weight.shape for weight in NoiseMeter.read(tmp_path / "new" / "meter.npz").weights] == [
        (125, 3), (3, 3), (3, 1),
    ]  # fmt: skip


def test_the_shipped_recipe_is_that_of_the_shipped_meter():
    recipe = MeterRecipe.read(REPOSITORY / "weights" / "noise_meter.json")
    assert recipe == MeterRecipe()
    assert [weight.shape[1] for weight in package_meter().weights] == [recipe.hidden, recipe.hidden, 1]


@pytest.mark.parametrize("content", ['{"sample": 3}', "[]", "{"])
def test_what_is_no_recipe_is_refused_by_name(tmp_path, content):
    (tmp_path / "recipe.json").write_text(content)
    with pytest.raises(UsageError, match=r"recipe\.json: not a recipe of a noise meter"):
        MeterRecipe.read(tmp_path / "recipe.json")


@pytest.mark.parametrize("damage", ["missing", "cut", "text", "other"])
def test_what_is_no_meter_is_refused_by_name(tmp_path, damage):
    path = tmp_path / "meter.npz"
    if damage == "other":
        np.savez(path, centre=np.zeros(3))
    elif damage != "missing":
        whole = (REPOSITORY / "weights" / "noise_meter.npz").read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"no meter")
    with pytest.raises(ModelError, match=r"meter\.npz: not a noise meter"):
        NoiseMeter.read(path)
