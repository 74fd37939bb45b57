import sys

import numpy as np
import pytest
from conftest import noisy, scene
from hypothesis import given, settings
from hypothesis import strategies as st

from enlighten_cli.enhancement import fast
from enlighten_cli.enhancement.encoded import Treatment, enhance_encoded
from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.enhancement.guided_filter import RESIDUAL_WEIGHT
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Metadata, Photo, encode
from enlighten_cli.photo.photo import spans_of

sys.path.append(str(__import__("pathlib").Path(__file__).parent / "photo"))
from samples import icc_profile


def brightened(pixels, model, denoise=1.0, training_pixels=0, **options):
    network = FunctionNetwork(model, training_pixels or getattr(model, "training_pixels", 0))
    return enhance(Photo(pixels, "PNG", **options), network, Options(mode=Mode.FAST, denoise=denoise)).pixels


def difference(one, other):
    return np.abs(one.astype(int) - other).max()


@given(st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=25)
def test_a_network_that_changes_nothing_changes_nothing(height, width):
    pixels = scene(height, width, exposure=0.8)
    np.testing.assert_array_equal(brightened(pixels, lambda rgb: rgb), pixels)


@pytest.mark.parametrize("size", [(60, 80), (900, 1200), (1, 5000)])
def test_even_light_is_carried_exactly(size):
    pixels = scene(*size, exposure=0.4)
    expected = (pixels * 2.0).clip(0, 255)
    result = brightened(pixels, lambda rgb: rgb * 2)
    inner = expected < 250
    # The scene is noisy, and its noise is not doubled.
    assert np.abs(result - expected)[inner].mean() < 2.5
    assert result[inner].mean() == pytest.approx(expected[inner].mean(), rel=0.03)


def test_detail_finer_than_the_look_is_lifted_as_its_surroundings_are():
    """Stripes of single pixels, gone in the reduced photo: no haze over them."""
    pixels = np.full((1600, 2000, 3), 40, np.uint8)
    pixels[:, ::2] = 60
    result = brightened(pixels, lambda rgb: rgb + np.float32(0.2)).astype(int)
    gain = (50 + 51) / 50
    assert result[:, ::2].mean() - result[:, 1::2].mean() == pytest.approx(20 * gain, abs=1)
    assert result.mean() == pytest.approx(50 + 51, abs=0.5)
    gamma = brightened(scene(1600, 2000, exposure=0.3), lambda rgb: rgb**0.5).astype(int)
    direct = np.rint(255 * (scene(1600, 2000, exposure=0.3) / 255) ** 0.5)
    assert np.abs(gamma - direct).mean() < 6


def test_light_follows_strong_edges_without_haloes():
    pixels = np.full((1200, 1600, 3), 20, np.uint8)
    pixels[:, 800:] = 220
    result = brightened(pixels, lambda rgb: rgb**0.6).astype(int)
    dark, bright = 255 * (20 / 255) ** 0.6, 255 * (220 / 255) ** 0.6
    assert np.abs(result[:, :790] - dark).max() <= 3
    assert np.abs(result[:, 810:] - bright).max() <= 3
    assert np.abs(result[:, 795:800] - dark).max() <= 6


def test_strips_are_seamless(monkeypatch):
    pixels = scene(700, 900, exposure=0.4)

    def uneven(rgb):
        return rgb * np.linspace(1, 3, rgb.shape[0], dtype=np.float32)[:, None, None]

    whole = brightened(pixels, uneven)
    monkeypatch.setattr(fast, "DIRECT_PIXELS", 900 * 7)
    assert difference(brightened(pixels, uneven), whole) <= 1


@pytest.mark.parametrize("space", [None, "Display P3", "ProPhoto"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_strength_zero_is_the_identity(space, dtype, channels):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, (40, 60, channels)).astype(dtype)
    metadata = Metadata(icc_profile=icc_profile(space) if space else None)
    photo = Photo(pixels, "PNG", metadata=metadata)
    result = enhance(photo, FunctionNetwork(lambda rgb: rgb * 2), Options(mode=Mode.FAST, strength=0)).pixels
    np.testing.assert_array_equal(result, pixels)


def test_sixteen_bits_stay_smooth():
    ramp = np.arange(4096, dtype=np.uint16).reshape(64, 64, 1).repeat(3, 2)
    assert len(np.unique(brightened(ramp, lambda rgb: rgb * 4))) > 3500


@pytest.mark.parametrize("mode", [Mode.FAST, Mode.FULL])
def test_black_stays_black_whatever_the_network_makes_of_it(mode):
    pixels = np.zeros((96, 128, 3), np.uint8)
    network = FunctionNetwork(lambda rgb: rgb + np.float32(0.2), training_pixels=12_544)
    assert enhance(Photo(pixels, "PNG"), network, Options(mode=mode)).pixels.max() == 0


@pytest.mark.parametrize("mode", [Mode.FAST, Mode.FULL])
def test_a_network_that_others_trained_is_shown_as_it_is(mode):
    """It was not trained on reduced photos; what it makes of black is its own."""
    pixels = np.zeros((96, 128, 3), np.uint8)
    network = FunctionNetwork(lambda rgb: rgb + np.float32(0.2))
    assert enhance(Photo(pixels, "PNG"), network, Options(mode=mode)).pixels.min() == 51


def test_rounding_of_the_darkest_tones_is_not_lifted():
    """A wall of 0 and 1 in 255 becomes an even, dark one; a wall of 40 and 41, lifted as far, keeps its steps."""
    random = np.random.default_rng(0)
    steps = random.integers(0, 2, (300, 400, 1)).repeat(3, 2).astype(np.uint8)
    wall = brightened(steps, lambda rgb: rgb * 40, training_pixels=12_544)
    assert steps.mean() < wall.mean() < 20
    assert wall.std() < 4
    stepped = brightened(steps + np.uint8(40), lambda rgb: rgb * 4, denoise=0)
    assert stepped.std() == pytest.approx(4 * steps.std(), rel=0.2)


def test_light_is_known_the_better_the_more_of_it_there_is():
    """No gate: from black to bright the lift grows without a jump."""
    ramp = np.arange(32, dtype=np.uint8).repeat(16)[None, :, None].repeat(100, 0).repeat(3, 2)
    lifted = brightened(ramp, lambda rgb: rgb * 6)[50].mean(axis=1).astype(float)
    assert lifted[0] == 0
    assert np.diff(lifted[8::16]).min() >= 0
    assert np.abs(np.diff(lifted)).max() <= 8


@pytest.mark.parametrize("mode", [Mode.FAST, Mode.FULL])
def test_noise_is_removed_before_light_is_lifted(mode):
    dark = noisy(1.5, light=0.1)
    network = FunctionNetwork(lambda rgb: rgb * 6)
    left, kept = (
        enhance(Photo(dark, "PNG"), network, Options(mode=mode, denoise=strength)).pixels for strength in (1, 0)
    )
    assert left.mean() == pytest.approx(6 * dark.mean(), rel=0.03)
    assert left.std() < 0.5 * kept.std()


def test_the_network_sees_as_much_whatever_the_size():
    sizes = []

    def model(rgb):
        sizes.append(rgb.shape)
        return rgb

    brightened(scene(2000, 3000), model)
    assert len(sizes) == 1
    assert sizes[0][0] % 16 == sizes[0][1] % 16 == 0


class Exposing:
    """Brings what it is shown to a mean of 0.5, as a network does that judges light from all of a photo."""

    training_pixels = 2_500

    def __init__(self):
        self.sizes = []

    def __call__(self, rgb):
        self.sizes.append(rgb.shape[:2])
        # What it sees at any other scale than its own leads it astray.
        wanted = 0.5 if rgb.shape[0] * rgb.shape[1] < 5_000 else 0.3
        return rgb * np.float32(wanted / rgb.mean())


def test_light_is_judged_from_the_look_that_the_network_learned_from():
    pixels = scene(400, 600, exposure=0.3)
    model = Exposing()
    bright = brightened(pixels, model)
    assert model.sizes == [(48, 64), (48, 64), (400, 608)]
    assert bright.mean() / 255 == pytest.approx(0.5, abs=0.03)
    small = Exposing()
    brightened(pixels[:40, :60], small, denoise=0)
    assert small.sizes == [(48, 64)] * 2
    large = Exposing()
    large.training_pixels = 800_000
    brightened(scene(1000, 1600), large, denoise=0)
    assert large.sizes == [(720, 1136)] * 2


def test_a_network_s_own_hand_is_kept_in_part():
    """What it draws where there was nothing, at the scale of its thumbnail."""
    pixels = np.full((96, 128, 3), 60, np.uint8)
    drawn = np.float32(0.1) * ((np.arange(96)[:, None] + np.arange(128)) % 2 * 2 - 1)[..., None]
    drawn = drawn.astype(np.float32)
    kept = brightened(pixels, lambda rgb: rgb + drawn)[10:-10, 10:-10].std() / 25.5
    assert kept == pytest.approx(RESIDUAL_WEIGHT, abs=0.03)


@pytest.mark.parametrize("denoise", [0.0, 1.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_rows_are_the_same_however_they_are_asked_for(channels, denoise):
    photo = Photo(noisy(4)[..., :channels], "PNG")
    kept = photo.pixels.copy()
    options = Options(mode=Mode.FAST, denoise=denoise, strength=0.8)
    network = FunctionNetwork(lambda rgb: rgb**0.5)
    whole = enhance(photo, network, options)
    bands = enhance(photo, network, options, by_bands=True)
    assert whole.bands is None
    assert bands.bands is not None
    assert bands.denoised == whole.denoised
    assert (bands.denoised > 0) == bool(denoise)
    for rows in (7, 64, 1000):
        made = np.concatenate(list(bands.rows(spans_of(photo.height, rows))))
        assert difference(made, whole.pixels) <= 1
        assert (made != whole.pixels).mean() < 1e-3
    np.testing.assert_array_equal(bands.whole().pixels, whole.pixels)
    assert whole.pixels.flags.c_contiguous  # OpenCV takes no other arrays
    np.testing.assert_array_equal(photo.pixels, kept)


@pytest.mark.parametrize("keep_before", [False, True])
def test_the_photo_as_it_was_is_kept_if_it_is_asked_for(keep_before):
    content = encode(Photo(scene(60, 80, exposure=0.2), "PNG"))
    enhanced = enhance_encoded(content, FunctionNetwork(lambda rgb: rgb**0.5), Treatment(), keep_before=keep_before)
    assert (enhanced.height, enhanced.width) == (60, 80)
    if keep_before:
        np.testing.assert_array_equal(enhanced.before.pixels, scene(60, 80, exposure=0.2))
    else:
        assert enhanced.before is None
