import dataclasses

import numpy as np
import pytest
import torch
from conftest import write_photos

from enlighten_cli.errors import TrainingError, UsageError
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data import dataset
from enlighten_cli.training.data.dataset import Sample, UnpairedPhotos, batches


@pytest.fixture
def config(tmp_path):
    low = write_photos(tmp_path / "low" / "nested", 3, exposure=0.1, size=(50, 70)).parent
    normal = write_photos(tmp_path / "normal", 2, exposure=1.0, size=(40, 20))
    return TrainConfig(low=str(low), normal=str(normal), images=10, crop_px=32, batch=4, reduce_max=1.5)


def only(photos, number):
    """The sample of one image."""
    return Sample(*(values[0] if len(values) else values for values in photos[[number]]))


def test_samples_have_the_asked_shapes(config):
    sample = UnpairedPhotos(config)[range(4)]
    assert sample.low.shape == sample.normal.shape == (4, 3, 32, 32)
    assert sample.low.dtype == torch.float32
    assert 0 <= sample.low.min() <= sample.low.max() <= 1
    assert sample.corners.shape == (4, 6, 2)
    assert sample.corners.max() <= 32 - config.patch_px


def test_a_sample_is_a_function_of_seed_and_number(config):
    """Others drawn before it or beside it change nothing."""
    photos, again = UnpairedPhotos(config), UnpairedPhotos(config)
    again[[3]]
    assert all(torch.equal(a, b) for a, b in zip(photos[[7]], again[[7]], strict=True))
    assert torch.equal(photos[[4, 5, 7]].low[2], only(again, 7).low)
    assert not torch.equal(only(photos, 7).low, only(photos, 8).low)


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_and_the_start_change_nothing(config, workers):
    photos = UnpairedPhotos(config)
    whole = torch.cat([batch.low for batch in batches(photos, 0, 0)])
    rest = torch.cat([batch.low for batch in batches(photos, 4, workers)])
    assert len(whole) == config.images
    assert torch.equal(whole[4:], rest)


@pytest.mark.parametrize("workers", [0, 1])
def test_what_goes_wrong_while_samples_are_made_is_said(config, workers, monkeypatch):
    photos = UnpairedPhotos(config)
    monkeypatch.setattr(UnpairedPhotos, "draw", lambda self, number: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        next(batches(photos, 0, workers))


def test_only_what_a_step_needs_is_made(config):
    """The lessons alone need few normal crops, the adversaries no lifted ones."""
    photos = UnpairedPhotos(dataclasses.replace(config, warm_start_images=4))
    lengths = [[len(values) for values in sample[:4]] for sample in batches(photos, 0, 0)]
    assert lengths == [[4, 4, 1, 1], [4, 0, 4, 0], [2, 0, 2, 0]]
    beside = UnpairedPhotos(dataclasses.replace(config, lift_weight=1.0, well_lit_weight=1.0))
    assert [len(values) for values in beside[range(4)][:5]] == [4, 4, 4, 1, 0]


def test_fine_crops_are_of_low_photos_as_they_are_exposed_and_of_normal_ones(config):
    options = dataclasses.replace(config, start="known", kept_detail_weight=1.0, exposure_stops=2.0)
    photos, plain = UnpairedPhotos(options), UnpairedPhotos(config)
    assert len(plain[range(4)].fine) == 0
    ratios: dict[bool, list[float]] = {True: [], False: []}
    for number in range(12):
        sample, draw = only(photos, number), photos.draw(number)
        assert sample.fine.shape == (3, 32, 32)
        beside = sample.low if draw.fine_of_low else sample.normal
        ratios[draw.fine_of_low].append(float(sample.fine.mean() / beside.mean()))
    assert all(0.5 < ratio < 2 for each in ratios.values() for ratio in each)
    assert all(len(each) > 2 for each in ratios.values())


@pytest.mark.parametrize("frame", ["photo", "square"])
def test_all_of_a_sample_is_made_where_the_photos_are_held(config, frame):
    """Nothing stays behind, and nothing waits for the device: this one has no numbers to wait for."""
    everything = dataclasses.replace(
        config, start="known", frame=frame, frame_min=0.6, exposure_stops=1.0, darkened_probability=0.5,
        lift_weight=1.0, well_lit_weight=1.0, well_lit_lift=0.5, kept_detail_weight=1.0,
    )  # fmt: skip
    photos = UnpairedPhotos(everything)
    assert photos.move_to(torch.device("meta"))
    assert [(values.device.type, len(values)) for values in photos[range(4)][:5]] == [
        ("meta", count) for count in (4, 4, 4, 1, 1)
    ]


def test_photos_move_to_a_device_that_has_room(config, monkeypatch):
    photos, unmoved = UnpairedPhotos(config), UnpairedPhotos(config)
    assert photos.move_to(torch.device("cpu"))
    assert torch.equal(only(photos, 7).low, only(unmoved, 7).low)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 10**9))
    assert not photos.move_to(torch.device("cuda"))
    monkeypatch.setattr(dataset, "HELD_BYTES", 1000)
    assert not UnpairedPhotos(config).move_to(torch.device("cpu"))


def test_the_lessons_decode_no_photos_that_they_do_not_need(config, monkeypatch):
    monkeypatch.setattr(dataset, "HELD_BYTES", 0)
    photos = UnpairedPhotos(dataclasses.replace(config, warm_start_images=4))
    decoded = []
    monkeypatch.setattr(photos.normal, "_decode", lambda index: decoded.append(index) or torch.zeros(3, 64, 64).byte())
    photos[range(4)]
    assert len(decoded) == 1


def test_dimming_is_drawn_as_asked(config):
    factors = UnpairedPhotos(config)[range(10)].dimming
    dimmed = factors[factors != 1]
    assert 0 < len(dimmed) < 10
    assert dimmed.min() >= config.dim_min
    assert dimmed.max() <= config.dim_max


def test_the_lifted_crop_is_the_same_place_of_the_lifted_photo(config):
    sample, plain = (only(UnpairedPhotos(dataclasses.replace(config, lift_weight=w)), 2) for w in (1.0, 0.0))
    low, lifted = sample.low, sample.lifted
    assert lifted.mean() > 2 * low.mean()
    assert np.corrcoef(low.mean(0).flatten(), lifted.mean(0).flatten())[0, 1] > 0.8
    assert torch.allclose(plain.low, low, atol=1e-6)


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


def test_low_photos_are_exposed_anew(config):
    """By the stops asked for; what is taught is lifted from what is seen."""
    anew = dataclasses.replace(config, exposure_stops=1.0, lift_weight=1.0)
    with_more, plain = UnpairedPhotos(anew), UnpairedPhotos(config)
    ratios = [float(only(with_more, n).low.mean() / only(plain, n).low.mean()) for n in range(10)]
    assert min(ratios) < 0.85
    assert max(ratios) > 1.15
    dark = only(with_more, int(np.argmin(ratios)))
    assert dark.lifted.mean() > 2 * dark.low.mean()


def test_darkened_well_lit_photos_serve_as_low_ones(config):
    darkened = UnpairedPhotos(dataclasses.replace(config, darkened_probability=1.0))
    darkened.low._held.clear()  # not one is asked for
    darkened.low.paths.clear()
    samples = [only(darkened, number) for number in range(4)]
    assert all(sample.low.mean() < 0.8 * sample.normal.mean() for sample in samples)


def test_well_lit_photos_get_their_part_of_the_lift(config):
    """None of it, or what `lift` makes of them, by halves."""
    none, half, whole = (
        only(UnpairedPhotos(dataclasses.replace(config, well_lit_weight=1.0, well_lit_lift=part)), 3)
        for part in (0.0, 0.5, 1.0)
    )
    assert torch.equal(none.kept, none.normal)
    assert torch.allclose(half.normal, none.normal, atol=1e-6)
    assert float((whole.kept - whole.normal).abs().max()) > 0.015
    assert torch.allclose(half.kept, (whole.kept + whole.normal) / 2, atol=1e-5)


@pytest.mark.parametrize(("look_pixels", "looked_at", "held"), [(4096, 0, 16 * 4096), (4096, 100_000, 100_000)])
def test_photos_far_larger_than_looks_are_kept_reduced(config, tmp_path, monkeypatch, look_pixels, looked_at, held):
    monkeypatch.setattr("enlighten_cli.training.data.photo_cache.THUMBNAIL_PIXELS", looked_at)
    write_photos(tmp_path / "large", 2, exposure=0.1, size=(600, 800))
    photos = UnpairedPhotos(dataclasses.replace(config, low=str(tmp_path / "large"), look_pixels=look_pixels))
    height, width = photos.low[0].shape[1:]
    assert height * width == pytest.approx(held, rel=0.02)
    assert width / height == pytest.approx(800 / 600, rel=0.02)
