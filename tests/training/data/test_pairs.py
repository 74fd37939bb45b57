import dataclasses

import pytest
import torch
from conftest import write_photos

from enlighten_cli.errors import UsageError
from enlighten_cli.training.baselines.retinexnet import RetinexNetOptions
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.paired_photos import PairedPhotos
from enlighten_cli.training.data.pairs import PAIRS
from enlighten_cli.training.data.photo_cache import PhotoFolders


@pytest.fixture
def config(tmp_path):
    low, high = (write_photos(tmp_path / name, 4, exposure=1.0) for name in ("low", "high"))
    return TrainConfig(RetinexNetOptions(), pairs_low=str(low), pairs_high=str(high), crop_px=32)


def samples(config, **options):
    photos = PhotoFolders(config, PAIRS, **options)
    return PairedPhotos(config, *(photos[name] for name in PAIRS))


def test_both_crops_of_a_pair_show_the_same(config):
    batch = samples(config)[range(8)]
    assert torch.equal(batch.low, batch.high)  # as the photos are the same here
    assert len({crop.numpy().tobytes() for crop in batch.low}) == 8


def test_a_pair_may_have_two_formats_and_lie_in_a_subfolder(config, tmp_path):
    for name in ("low", "high"):
        (tmp_path / name / "more").mkdir()
        (tmp_path / name / "0.png").rename(tmp_path / name / "more" / f"0.{'png' if name == 'low' else 'PNG'}")
    assert len(samples(config).pairs) == 4


def test_photos_without_a_partner_are_named_up_to_three(config, tmp_path):
    (tmp_path / "high" / "1.png").rename(tmp_path / "high" / "one.png")
    with pytest.raises(UsageError, match=r"no partner of the same name for 1, one; both folders"):
        samples(config)
    (tmp_path / "high" / "2.png").rename(tmp_path / "high" / "two.png")
    with pytest.raises(UsageError, match=r"for 1, 2, one and 1 more"):
        samples(config)


def test_a_name_that_stands_for_two_photos_is_refused(config, tmp_path):
    (tmp_path / "low" / "1.PNG").write_bytes((tmp_path / "low" / "1.png").read_bytes())
    with pytest.raises(UsageError, match="another photo has this name"):
        samples(config)


def test_photos_of_different_sizes_are_refused_before_the_run(config, tmp_path):
    write_photos(tmp_path / "high", 2, exposure=1.0, size=(64, 48))
    with pytest.raises(UsageError, match=r"low/0\.png and .*high/0\.png differ in size"):
        PhotoFolders(config, PAIRS)


def test_an_unreadable_photo_leaves_its_partner_out(config, tmp_path):
    (tmp_path / "high" / "2.png").write_bytes(b"")
    left = samples(config, skip_bad=True)
    assert [(left.low.paths[low].name, left.high.paths[high].name) for low, high in left.pairs] == [
        (f"{name}.png", f"{name}.png") for name in (0, 1, 3)
    ]


def test_folders_of_pairs_must_differ(config):
    with pytest.raises(UsageError, match="must differ"):
        PhotoFolders(dataclasses.replace(config, pairs_high=config.pairs_low), PAIRS)
