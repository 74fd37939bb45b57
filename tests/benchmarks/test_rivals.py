"""The recipes of the rivals can be run, and made pairs are pairs."""

from argparse import Namespace
from pathlib import Path

import pytest
from conftest import write_photos
from made_pairs import make_pairs
from rivals import RECIPES, inputs

from enlighten_cli.photo import as_srgb, decode
from enlighten_cli.training.recipe import config_from, read_options


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_one_of_its_objective(name):
    assert config_from(read_options(RECIPES[name]), name).objective == name


def test_each_gets_the_folders_that_it_needs(tmp_path):
    given = Namespace(low=Path("a"), normal=Path("b"), output=tmp_path, pairs=[Path("c"), Path("d")])
    assert {name: inputs(name, given) for name in RECIPES} == {
        "cyclegan": ["--low", "a", "--normal", "b"],
        "llnet": ["--normal", "b"],
        "retinexnet": ["--pairs", "c", "d"],
        "zero-dce": ["--low", "a", "--normal", "b"],
    }


def test_pairs_are_made_from_well_lit_photos_and_once_only(tmp_path):
    normal = write_photos(tmp_path / "normal", 4, exposure=1.0, size=(51, 64))
    low, high = make_pairs(normal, tmp_path / "pairs", photos=3)
    names = sorted(path.name for path in low.iterdir())
    assert names == sorted(path.name for path in high.iterdir()) == ["0000.png", "0001.png", "0002.png"]
    for name in names:
        dark, bright = (as_srgb(decode(folder / name)) for folder in (low, high))
        assert dark.shape == bright.shape == (50, 64, 3)
        assert dark.mean() < 0.8 * bright.mean()  # a stop less is 0.73 of it, at most
    before = {path: path.stat().st_mtime_ns for path in low.iterdir()}
    again, _ = make_pairs(normal, tmp_path / "pairs", photos=3)
    assert {path: path.stat().st_mtime_ns for path in again.iterdir()} == before
