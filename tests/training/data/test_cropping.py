import dataclasses

import numpy as np
import pytest
import torch
from conftest import scene
from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli.enhancement.thumbnail import thumbnail
from enlighten_cli.photo import as_rgb
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.cropping import CropWindow, crops, reduced
from enlighten_cli.training.objectives.enlightengan import EnlightenGanOptions

CONFIG = TrainConfig(EnlightenGanOptions(), crop_px=32)


def photo(height, width, *, seed=0):
    return torch.from_numpy(scene(height, width, seed=seed)).permute(2, 0, 1)


def drawn(size, seed=0, **options):
    return CropWindow.drawn(size, dataclasses.replace(CONFIG, **options), np.random.default_rng(seed))


@given(st.integers(32, 200), st.integers(32, 200), st.floats(1, 5))
def test_photos_are_reduced_as_in_use(height, width, factor):
    """But for a step of 255, as Pillow rounds a little otherwise, and for centres exactly between two new pixels."""
    ramps = np.stack(np.broadcast_arrays(np.arange(height)[:, None], np.arange(width), 77), axis=-1).astype(np.uint8)
    wanted = height * width / factor**2
    seen = thumbnail(ramps, as_rgb, wanted)
    ours = reduced(torch.from_numpy(ramps).permute(2, 0, 1), (height * width / wanted) ** 0.5).permute(1, 2, 0)
    assert np.abs(ours.numpy() - seen).max() <= (1.01 + factor / 2) / 255


@pytest.mark.parametrize(("side", "size"), [(225, 112), (224, 112), (448, 112), (112, 112), (900, 112)])
def test_squares_are_reduced_exactly_as_in_use(side, size):
    pixels = scene(side, side)
    seen = thumbnail(pixels, as_rgb, size**2)
    ours = reduced(torch.from_numpy(pixels).permute(2, 0, 1), side / size).permute(1, 2, 0)
    assert np.abs(ours.numpy() - seen).max() < 1e-6


@pytest.mark.parametrize(("shape", "seen"), [((128, 128), (64, 64)), ((256, 512), (45, 91)), ((48, 48), (48, 48))])
def test_views_have_the_training_pixels(shape, seen):
    """Of 4096 pixels; smaller photos stay as they are."""
    assert drawn(shape, training_pixels=4096).size == seen


def test_frames_are_parts_of_the_photo():
    frames = np.array([drawn((200, 100), seed, frame_min=0.6).frame for seed in range(30)])
    heights, widths = frames.T
    assert 120 <= heights.min() < 140 < 180 < heights.max() <= 200
    assert np.abs(heights - 2 * widths).max() <= 2


def test_square_frames_are_seen_whole():
    windows = [drawn((200, 100), seed, frame="square", frame_min=0.6) for seed in range(30)]
    assert {(window.size, window.crop) for window in windows} == {((32, 32), (0, 0))}
    assert all(60 <= window.frame[0] == window.frame[1] <= 100 for window in windows)
    assert max(window.corner[0] for window in windows) > 100


def test_unreduced_views_are_crops_of_anywhere():
    windows = [CropWindow.drawn_unreduced((60, 40), CONFIG, np.random.default_rng(seed)) for seed in range(60)]
    assert {(window.size, window.crop) for window in windows} == {((32, 32), (0, 0))}
    corners = np.array([window.corner for window in windows])
    assert corners.min(axis=0).tolist() == [0, 0]
    assert corners.max(axis=0).tolist() == [28, 8]


@pytest.mark.parametrize("seed", range(8))
def test_crops_are_of_the_place_that_was_drawn(seed):
    """Flipped or not."""
    whole = photo(90, 120)
    window = drawn((90, 120), seed, frame_min=0.6)
    crop = crops([whole], [window])[0]
    top, left = (start + inside for start, inside in zip(window.corner, window.crop, strict=True))
    expected = whole[:, top : top + 32, left : left + 32] / 255
    expected = expected.flip([axis for axis, step in enumerate(window.steps, start=1) if step < 0])
    assert torch.equal(crop, expected)


def test_crops_of_reduced_frames_are_cut_from_what_is_seen_of_the_photo():
    whole = photo(200, 300)
    window = drawn((200, 300), 3, training_pixels=4096)
    (top, left), (height, width) = window.crop, window.size
    seen = reduced(whole, window.factor)
    assert seen.shape == (3, height, width)
    expected = seen[:, top : top + 32, left : left + 32]
    expected = expected.flip([axis for axis, step in enumerate(window.steps, start=1) if step < 0])
    assert torch.equal(crops([whole], [window])[0], expected)


def test_crops_are_exposed_each_by_its_own_stops():
    """In the order asked for, whatever is beside them."""
    sizes = [(90, 120), (60, 60), (90, 120), (33, 200), (60, 60)]
    photos = [photo(*size, seed=seed) for seed, size in enumerate(sizes)]
    windows = [drawn(size, seed) for seed, size in enumerate(sizes)]
    stops = np.linspace(-2, 0, 15).reshape(5, 3)
    together = crops(photos, windows, stops)
    for place in range(5):
        alone = crops(photos[place : place + 1], windows[place : place + 1], stops[place : place + 1])
        assert torch.allclose(together[place], alone[0], atol=1e-6)
