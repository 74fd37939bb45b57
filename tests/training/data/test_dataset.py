import dataclasses

import numpy as np
import pytest
import torch
from conftest import write_photos

from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data import photo_cache
from enlighten_cli.training.data.dataset import UnpairedCrops, UnpairedPhotos
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.objectives.enlightengan import EnlightenGanOptions


@pytest.fixture
def config(tmp_path):
    low = write_photos(tmp_path / "low" / "nested", 3, exposure=0.1, size=(50, 70)).parent
    normal = write_photos(tmp_path / "normal", 2, exposure=1.0, size=(40, 20))
    return TrainConfig(EnlightenGanOptions(), low=str(low), normal=str(normal), images=10, crop_px=32, batch=4)


def samples(config, **wanted):
    return UnpairedPhotos(config, PhotoFolders(config), **wanted)


def only(photos, number):
    """The crops of one image."""
    return UnpairedCrops(*(values[0] if len(values) else values for values in photos[[number]]))


def test_samples_have_the_asked_shapes(config):
    sample = samples(config)[range(4)]
    assert sample.low.shape == sample.normal.shape == (4, 3, 32, 32)
    assert sample.low.dtype == torch.float32
    assert 0 <= sample.low.min() <= sample.low.max() <= 1
    assert sample.numbers.tolist() == [0, 1, 2, 3]


def test_a_sample_is_a_function_of_seed_and_number(config):
    """Others drawn before it or beside it change nothing."""
    photos, again = samples(config), samples(config)
    again[[3]]
    assert all(torch.equal(a, b) for a, b in zip(photos[[7]], again[[7]], strict=True))
    assert torch.equal(photos[[4, 5, 7]].low[2], only(again, 7).low)
    assert not torch.equal(only(photos, 7).low, only(photos, 8).low)


@pytest.mark.parametrize(
    ("wanted", "lengths"),
    [({}, (4, 4, 0)), ({"low_per_normal": 4}, (4, 1, 0)), ({"low_per_normal": 2, "fine": True}, (4, 2, 1))],
)
def test_only_what_is_wanted_is_made(config, wanted, lengths):
    assert tuple(len(crops) for crops in samples(config, **wanted)[range(4)][1:]) == lengths


def test_no_photos_are_decoded_that_are_not_wanted(config, monkeypatch):
    monkeypatch.setattr(photo_cache, "HELD_BYTES", 0)
    photos = samples(config, low_per_normal=4)
    decoded = []
    monkeypatch.setattr(photos.normal, "_decode", lambda path: decoded.append(path) or torch.zeros(3, 64, 64).byte())
    photos[range(4)]
    assert len(decoded) == 1


def test_fine_crops_are_of_low_photos_as_they_are_exposed_and_of_normal_ones(config):
    photos = samples(dataclasses.replace(config, exposure_stops=2.0), fine=True)
    ratios: dict[bool, list[float]] = {True: [], False: []}
    for number in range(12):
        sample, draw = only(photos, number), photos.draw(number)
        assert sample.fine.shape == (3, 32, 32)
        beside = sample.low if draw.fine_of_low else sample.normal
        ratios[draw.fine_of_low].append(float(sample.fine.mean() / beside.mean()))
    assert all(0.5 < ratio < 2 for each in ratios.values() for ratio in each)
    assert all(len(each) > 2 for each in ratios.values())


@pytest.mark.parametrize("frame", ["photo", "square"])
def test_all_crops_are_made_where_the_photos_are_held(config, frame):
    """Nothing stays behind, and nothing waits for the device: this one has no numbers to wait for."""
    everything = dataclasses.replace(config, frame=frame, frame_min=0.6, exposure_stops=1.0, darkened_probability=0.5)
    photos = PhotoFolders(everything)
    assert photos.move_to(torch.device("meta"))
    made = UnpairedPhotos(everything, photos, fine=True)[range(4)]
    assert [(crops.device.type, len(crops)) for crops in made[1:]] == [("meta", count) for count in (4, 4, 1)]


def test_low_photos_are_exposed_anew(config):
    with_more, plain = samples(dataclasses.replace(config, exposure_stops=1.0)), samples(config)
    ratios = [float(only(with_more, n).low.mean() / only(plain, n).low.mean()) for n in range(10)]
    assert min(ratios) < 0.85
    assert max(ratios) > 1.15


def test_darkened_well_lit_photos_serve_as_low_ones(config):
    darkened = samples(dataclasses.replace(config, darkened_probability=1.0))
    darkened.low._held.clear()  # not one is asked for
    darkened.low.paths.clear()
    made = [only(darkened, number) for number in range(4)]
    assert all(sample.low.mean() < 0.8 * sample.normal.mean() for sample in made)


def test_what_is_drawn_of_low_photos_varies(config):
    draws = [samples(config).draw(number) for number in range(12)]
    assert len({draw.low for draw in draws}) == 3
    assert len({draw.normal for draw in draws}) == 2
    assert np.std([draw.low_window.crop for draw in draws]) > 0
