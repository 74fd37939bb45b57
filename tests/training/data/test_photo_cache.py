import dataclasses

import numpy as np
import pytest
import torch
from conftest import scene, write_photos

from enlighten_cli.errors import TrainingError, UsageError
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data import photo_cache
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.objectives.enlightengan import EnlightenGanOptions


@pytest.fixture
def config(tmp_path):
    low = write_photos(tmp_path / "low" / "nested", 3, exposure=0.1, size=(50, 70)).parent
    normal = write_photos(tmp_path / "normal", 2, exposure=1.0, size=(40, 20))
    return TrainConfig(EnlightenGanOptions(), low=str(low), normal=str(normal), images=10, crop_px=32, batch=4)


def test_photos_are_decoded_once(config, monkeypatch):
    decoded = []
    decode = photo_cache.photo.decode
    monkeypatch.setattr(photo_cache.photo, "decode", lambda path: decoded.append(path) or decode(path))
    photos = PhotoFolders(config)
    assert torch.equal(photos["low"][1], photos["low"][1])
    assert np.array_equal(photos["low"].pixels(1), scene(50, 70, seed=1, exposure=0.1))
    assert len(decoded) == 5


def test_only_the_folders_that_are_needed_are_read(config):
    photos = PhotoFolders(dataclasses.replace(config, normal="absent"), ("low",))
    assert (list(photos), len(photos["low"])) == (["low"], 3)


def test_photos_move_to_a_device_that_has_room(config, monkeypatch):
    photos = PhotoFolders(config)
    assert photos.move_to(torch.device("cpu"))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 10**9))
    assert not photos.move_to(torch.device("cuda"))
    monkeypatch.setattr(photo_cache, "HELD_BYTES", 1000)
    assert not PhotoFolders(config).move_to(torch.device("cpu"))


def test_one_folder_twice_is_refused(config):
    with pytest.raises(UsageError, match="must differ"):
        PhotoFolders(dataclasses.replace(config, normal=f"{config.low}/."))


def test_too_few_photos_are_refused(config, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="empty: 0 photos"):
        PhotoFolders(dataclasses.replace(config, normal=str(tmp_path / "empty")))


def test_all_unreadable_photos_are_named_at_once(config, tmp_path):
    for name in ("low/bad.png", "normal/broken.jpg"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff")
    with pytest.raises(TrainingError, match=r"2 photos cannot be read: .*bad\.png: .*; .*broken\.jpg: .*--skip-bad"):
        PhotoFolders(config)
    photos = PhotoFolders(config, skip_bad=True)
    assert [len(cache) for cache in photos.values()] == [3, 2]
    assert len(photos.unreadable) == 2
    assert all(path.suffix == ".png" and path.name != "bad.png" for path in photos["low"].paths)


def test_skipping_may_leave_too_few(config, tmp_path):
    (tmp_path / "normal" / "1.png").write_bytes(b"")
    with pytest.raises(UsageError, match="normal: 1 photos; at least 2 are needed"):
        PhotoFolders(config, skip_bad=True)


@pytest.mark.parametrize(("training_pixels", "seen", "held"), [(4096, 0, 16 * 4096), (4096, 100_000, 100_000)])
def test_photos_far_larger_than_thumbnails_are_kept_reduced(config, tmp_path, monkeypatch, training_pixels, seen, held):
    monkeypatch.setattr(photo_cache, "THUMBNAIL_PIXELS", seen)
    write_photos(tmp_path / "large", 2, exposure=0.1, size=(600, 800))
    large = dataclasses.replace(config, low=str(tmp_path / "large"), training_pixels=training_pixels)
    height, width = PhotoFolders(large)["low"][0].shape[1:]
    assert height * width == pytest.approx(held, rel=0.02)
    assert width / height == pytest.approx(800 / 600, rel=0.02)
