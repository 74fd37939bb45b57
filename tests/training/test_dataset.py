import dataclasses

import numpy as np
import pytest
import torch
from conftest import write_photos

from enlighten_cli.errors import TrainingError, UsageError
from enlighten_cli.training import dataset
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.dataset import UnpairedPhotos, batches


@pytest.fixture
def config(tmp_path):
    low = write_photos(tmp_path / "low" / "nested", 3, exposure=0.1, size=(50, 70)).parent
    normal = write_photos(tmp_path / "normal", 2, exposure=1.0, size=(40, 20))
    return TrainConfig(low=str(low), normal=str(normal), images=10, crop_px=32, batch=4, reduce_max=1.5)


def test_samples_have_the_asked_shapes(config):
    sample = UnpairedPhotos(config)[0]
    assert sample.low.shape == sample.normal.shape == (3, 32, 32)
    assert sample.low.dtype == torch.float32
    assert 0 <= sample.low.min() <= sample.low.max() <= 1
    assert sample.corners.shape == (6, 2)
    assert sample.corners.max() <= 32 - config.patch_px


def test_a_sample_is_a_function_of_seed_and_number(config):
    photos, again = UnpairedPhotos(config), UnpairedPhotos(config)
    again[3]  # other samples drawn before change nothing
    assert all(torch.equal(a, b) for a, b in zip(photos[7], again[7], strict=True))
    assert not torch.equal(photos[7].low, photos[8].low)


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_and_the_start_change_nothing(config, workers):
    photos = UnpairedPhotos(config)
    whole = torch.cat([batch.low for batch in batches(photos, 0, 0)])
    rest = torch.cat([batch.low for batch in batches(photos, 4, workers)])
    assert len(whole) == config.images
    assert torch.equal(whole[4:], rest)


def test_dimming_is_drawn_as_asked(config):
    factors = torch.stack([UnpairedPhotos(config)[n].dimming for n in range(10)])
    dimmed = factors[factors != 1]
    assert 0 < len(dimmed) < 10
    assert dimmed.min() >= config.dim_min
    assert dimmed.max() <= config.dim_max


def test_the_lifted_crop_is_the_same_place_of_the_lifted_photo(config):
    sample = UnpairedPhotos(dataclasses.replace(config, lift_weight=1.0))[2]
    low, lifted = sample.low, sample.lifted
    assert lifted.mean() > 2 * low.mean()
    assert np.corrcoef(low.mean(0).flatten(), lifted.mean(0).flatten())[0, 1] > 0.8
    assert torch.equal(UnpairedPhotos(config)[2].low, sample.low)
    assert not UnpairedPhotos(config)[2].lifted.any()


def test_one_folder_twice_is_refused(config):
    with pytest.raises(UsageError, match="one folder"):
        UnpairedPhotos(TrainConfig(low=config.low, normal=f"{config.low}/."))


def test_too_few_photos_are_refused(config, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match="empty: 0 photos"):
        UnpairedPhotos(TrainConfig(low=config.low, normal=str(tmp_path / "empty")))


def test_an_unreadable_photo_is_named(config, tmp_path):
    (tmp_path / "normal" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(TrainingError, match=r"broken\.jpg: "):
        UnpairedPhotos(config)


@pytest.mark.parametrize(("shape", "seen"), [((128, 128), (64, 64)), ((256, 512), (45, 91)), ((48, 48), (48, 48))])
def test_views_are_as_large_as_the_look(config, shape, seen):
    """Of 4096 pixels; smaller photos stay as they are."""
    as_seen = dataclasses.replace(config, look_pixels=4096, reduce_min=1.0, reduce_max=1.0)
    view = dataset._view(np.zeros((*shape, 3), np.uint8), as_seen, np.random.default_rng(0))
    assert view.shape == (*seen, 3)


def test_frames_are_parts_of_the_photo(config):
    framing = dataclasses.replace(config, frame_min=0.6, reduce_max=1.0)
    shapes = [
        dataset._view(np.zeros((200, 100, 3), np.uint8), framing, np.random.default_rng(seed)).shape
        for seed in range(30)
    ]
    heights, widths = np.array(shapes)[:, 0], np.array(shapes)[:, 1]
    assert 120 <= heights.min() < 140 < 180 < heights.max() <= 200
    assert np.abs(heights - 2 * widths).max() <= 2


def test_low_photos_are_exposed_anew(config):
    """By the stops asked for; what is taught is lifted from what is seen."""
    anew = dataclasses.replace(config, exposure_stops=1.0, lift_weight=1.0)
    with_more, plain = UnpairedPhotos(anew), UnpairedPhotos(config)
    ratios = [float(with_more[n].low.mean() / plain[n].low.mean()) for n in range(10)]
    assert min(ratios) < 0.85
    assert max(ratios) > 1.15
    dark = with_more[int(np.argmin(ratios))]
    assert dark.lifted.mean() > 2 * dark.low.mean()


def test_darkened_well_lit_photos_serve_as_low_ones(config):
    darkened = UnpairedPhotos(dataclasses.replace(config, darkened_probability=1.0))
    darkened.low.paths.clear()  # not one is asked for
    samples = [darkened[number] for number in range(4)]
    assert all(sample.low.mean() < 0.8 * sample.normal.mean() for sample in samples)


def test_well_lit_photos_get_their_part_of_the_lift(config):
    """None of it, or what `lift` makes of them, by halves."""
    none = UnpairedPhotos(config)[3]
    assert torch.equal(none.kept, none.normal)
    half, whole = (UnpairedPhotos(dataclasses.replace(config, well_lit_lift=part))[3] for part in (0.5, 1.0))
    assert torch.equal(half.normal, none.normal)
    assert float((whole.kept - whole.normal).abs().max()) > 0.015
    assert torch.allclose(half.kept, (whole.kept + whole.normal) / 2, atol=1e-5)


def test_photos_far_larger_than_the_look_are_kept_reduced(config, tmp_path):
    write_photos(tmp_path / "large", 2, exposure=0.1, size=(600, 800))
    photos = UnpairedPhotos(dataclasses.replace(config, low=str(tmp_path / "large"), look_pixels=4096))
    height, width = photos.low[0].shape[:2]
    assert height * width == pytest.approx(16 * 4096, rel=0.02)
    assert width / height == pytest.approx(800 / 600, rel=0.02)
