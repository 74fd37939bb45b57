import numpy as np
from conftest import scene
from hypothesis import given, settings
from hypothesis import strategies as st

from enlighten_cli.enhancement.exposure import Exposure, corrected, enhanced_thumbnail
from enlighten_cli.enhancement.thumbnail import reduced, upsampled
from enlighten_cli.enhancement.windows import box_mean, fit_windows
from enlighten_cli.models.network import FunctionNetwork


def picture(height, width, seed=0):
    return scene(height, width, exposure=0.5, seed=seed).astype(np.float32) / 255


def at_full_size(planes, height, width):
    return upsampled(planes, 0, height, height, width)


def test_both_sides_are_seen_so_that_a_mirrored_photo_is_judged_as_its_mirror():
    def lopsided(rgb):
        return (rgb * np.linspace(1, 2, rgb.shape[1], dtype=np.float32)[None, :, None]).clip(0, 1)

    network = FunctionNetwork(lopsided, training_pixels=64 * 96)
    rgb = picture(64, 96)
    exposure, mirrored = (
        Exposure.estimated(np.ascontiguousarray(each), network, 64 * 96) for each in (rgb, rgb[:, ::-1])
    )
    np.testing.assert_allclose(exposure.after, mirrored.after[:, ::-1], atol=1e-6)
    np.testing.assert_allclose(exposure.after, 1.5 * rgb, atol=0.03)


@given(st.integers(8, 60), st.integers(8, 60), st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_what_has_the_estimated_exposure_lacks_nothing(height, width, seed):
    rgb = picture(height, width, seed)
    np.testing.assert_allclose(Exposure(rgb, rgb).correction(rgb), 0, atol=1e-5)


def test_what_is_missing_ends_where_the_object_does():
    """A dark wall beside a bright sky is to be twice as bright: the sky stays, up to the edge."""
    fine = np.full((300, 400, 3), 0.1, np.float32)
    fine[:, 200:] = 0.8
    wanted = fine.copy()
    wanted[:, :200] = 0.25
    exposure = Exposure(reduced(fine, 3_000), reduced(wanted, 3_000))
    made = corrected(fine, at_full_size(exposure.correction(fine), 300, 400))
    added = upsampled(exposure.after - reduced(fine, 3_000), 0, 300, 300, 400) + fine
    error, plain = (np.abs(each - wanted)[:, 196:220].mean() for each in (made, added))
    assert error < 0.6 * plain
    assert np.abs(made - wanted)[:, 60:150].max() < 0.02


def test_detail_is_as_it_was_made():
    rgb = picture(300, 400)
    network = FunctionNetwork(lambda seen: seen * (2 if seen.size < 20_000 else 1), training_pixels=3_000)
    exposure = Exposure.estimated(rgb, network, 3_000)
    made = enhanced_thumbnail(rgb, network, exposure)
    light = np.abs(reduced(made, 300) - reduced(2 * rgb, 300).clip(0, 1))
    assert light.mean() < 0.02
    fine = [each - at_full_size(reduced(each, 12_000), 300, 400) for each in (rgb, made)]
    assert np.corrcoef(fine[0].ravel(), fine[1].ravel())[0, 1] > 0.95


@given(st.floats(-0.5, 1.5), st.floats(-0.2, 0.2), st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_a_linear_change_is_found_where_there_is_contrast(slope, offset, seed):
    guide = np.random.default_rng(seed).uniform(0, 1, (20, 30, 2)).astype(np.float32)
    fit = fit_windows(guide, np.float32(slope) * guide + np.float32(offset), 1e-9)
    np.testing.assert_allclose(fit.slope, slope, atol=2e-3)
    np.testing.assert_allclose(fit.offset, offset, atol=2e-3)
    flat = fit_windows(guide, np.float32(slope) * guide + np.float32(offset), 1e9)
    np.testing.assert_allclose(flat.slope, 0, atol=1e-6)


@given(st.integers(1, 30), st.integers(1, 30))
@settings(max_examples=20, deadline=None)
def test_a_mean_of_windows_is_that_of_their_pixels(height, width):
    values = np.random.default_rng(0).uniform(0, 1, (height, width, 1)).astype(np.float32)
    row, column = height // 2, width - 1
    window = values[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
    np.testing.assert_allclose(box_mean(values)[row, column], window.mean(), rtol=1e-5)
