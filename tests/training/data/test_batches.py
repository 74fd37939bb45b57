import pytest
import torch
from conftest import write_photos

from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.batches import batches
from enlighten_cli.training.data.dataset import UnpairedPhotos
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.distributed import Group
from enlighten_cli.training.objectives.enlightengan import EnlightenGanOptions


@pytest.fixture
def config(tmp_path):
    low = write_photos(tmp_path / "low", 3, exposure=0.1, size=(50, 70))
    normal = write_photos(tmp_path / "normal", 2, exposure=1.0)
    return TrainConfig(EnlightenGanOptions(), low=str(low), normal=str(normal), images=10, crop_px=32, batch=4)


@pytest.fixture
def photos(config):
    return UnpairedPhotos(config, PhotoFolders(config))


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_and_the_start_change_nothing(config, photos, workers):
    whole = torch.cat([batch.low for batch in batches(photos, config, 0, 10, 0)])
    rest = torch.cat([batch.low for batch in batches(photos, config, 4, 10, workers)])
    assert len(whole) == config.images
    assert torch.equal(whole[4:], rest)


@pytest.mark.parametrize(("until", "numbers"), [(4, [[0, 1, 2, 3]]), (5, [[0, 1, 2, 3], [4, 5, 6, 7]])])
def test_batches_that_begin_before_the_end_are_whole(config, photos, until, numbers):
    assert [batch.numbers.tolist() for batch in batches(photos, config, 0, until, 0)] == numbers


def test_processes_get_parts_of_one_size(config, photos):
    parts = [[batch.numbers.tolist() for batch in batches(photos, config, 4, 10, 0, Group(r, 2))] for r in range(2)]
    assert parts == [[[4, 5], [8, 9]], [[6, 7], [10, 11]]]


@pytest.mark.parametrize("workers", [0, 1])
def test_what_goes_wrong_while_samples_are_made_is_said(config, photos, workers, monkeypatch):
    monkeypatch.setattr(UnpairedPhotos, "draw", lambda self, number: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        next(batches(photos, config, 0, 10, workers))


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_where_processes_are_not_forked_a_thread_makes_the_samples(photos, monkeypatch, system):
    """Workers can still be asked for: then each gets a copy of the photos, which they must allow."""
    import pickle
    import sys

    from enlighten_cli.cli.train_options import workers_for
    from enlighten_cli.training.data.batches import can_fork

    monkeypatch.setattr(sys, "platform", system)
    assert not can_fork()
    assert workers_for(None, torch.device("cpu"), None) == 0
    assert workers_for(None, torch.device("cpu"), 2) == 2
    copy = pickle.loads(pickle.dumps(photos))
    assert torch.equal(copy[range(4)].low, photos[range(4)].low)
