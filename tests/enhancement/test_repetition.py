"""Screens, checkers and fabrics are no noise: what the denoiser may not touch."""

import numpy as np
import pytest
from conftest import noisy, scene
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.enhancement.noise import measure_noise
from enlighten_cli.enhancement.repetition import WINDOW_PX, repeating
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import LUMA, Photo, as_rgb

ROWS, COLUMNS = np.mgrid[:240, :336]


def checker(cell_px, dark, bright):
    return np.where((ROWS // cell_px + COLUMNS // cell_px) % 2, bright, dark)


def halftone(period_px, angle, dark=0, bright=120, tone=0.5):
    """Draw a printed screen: dots whose size is the tone."""
    turn = np.exp(1j * np.deg2rad(angle)) * 2 * np.pi / period_px
    places = (COLUMNS + 1j * ROWS) * turn
    return np.where((np.cos(places.real) + np.cos(places.imag)) / 4 + 0.5 < tone, dark, bright)


SCREENS = {
    **{f"checker of {cell} px": checker(cell, 10, 90) for cell in (1, 2, 3, 4)},
    "weak checker": checker(2, 60, 72),
    **{f"stripes of {cell} px": np.where(COLUMNS // cell % 2, 80, 5) for cell in (1, 2, 4)},
    **{f"halftone {period}, {angle}": halftone(period, angle) for period in (3, 4, 5.3) for angle in (0, 15, 45)},
    "light halftone": halftone(4, 45, tone=0.2),
}


def grainy(light, deviation, seed=0):
    noise = np.random.default_rng(seed).normal(0, deviation, (*light.shape, 3))
    return np.rint(light[..., None] + noise).clip(0, 255).astype(np.uint8)


def contrast(pixels, light):
    """Return how much of the pattern is in the pixels."""
    pattern = light - light.mean()
    return float((pixels.mean(axis=2) * pattern).sum() / (pattern**2).sum())


def both(pixels, mode=Mode.FAST):
    """Enhance with and without denoising, by a network that triples the light."""
    network = FunctionNetwork(lambda rgb: rgb * np.float32(2.5))
    return (enhance(Photo(pixels, "PNG"), network, Options(mode=mode, denoise=denoise)) for denoise in (1, 0))


@pytest.mark.parametrize("deviation", [0, 2])
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_keeps_its_colour_and_its_contrast(name, deviation):
    pixels = grainy(SCREENS[name], deviation)
    denoised, kept = (photo.pixels.astype(float) for photo in both(pixels))
    assert np.abs(denoised.mean(axis=(0, 1)) - kept.mean(axis=(0, 1))).max() < 1
    assert contrast(denoised, SCREENS[name]) > 0.9 * contrast(kept, SCREENS[name]) > 0


def test_in_full_mode_too():
    pixels = grainy(SCREENS["halftone 4, 45"], 0)
    denoised, kept = (photo.pixels.astype(float) for photo in both(pixels, Mode.FULL))
    assert np.abs(denoised.mean(axis=(0, 1)) - kept.mean(axis=(0, 1))).max() < 1
    assert contrast(denoised, SCREENS["halftone 4, 45"]) > 0.9 * contrast(kept, SCREENS["halftone 4, 45"])


@pytest.mark.parametrize("name", ["checker of 1 px", "checker of 3 px", "halftone 4, 15"])
def test_beside_a_screen_noise_is_measured_and_removed(name):
    light = SCREENS[name].copy()
    light[:, :168] = 40
    pixels = grainy(light, 2.5)
    assert 255 * measure_noise(as_rgb(pixels)).deviations == pytest.approx(2.5 * np.linalg.norm(LUMA), rel=0.3)
    denoised, kept = (photo.pixels.astype(float) for photo in both(pixels))
    wall, screen = np.s_[20:-20, 20:140], np.s_[20:-20, 188:-20]
    assert denoised[wall].std() < 0.3 * kept[wall].std()
    assert contrast(denoised[screen], light[screen]) > 0.9 * contrast(kept[screen], light[screen])
    assert np.abs(denoised[screen].mean(axis=(0, 1)) - kept[screen].mean(axis=(0, 1))).max() < 2


@given(st.integers(0, 50), st.floats(0, 3), st.floats(1, 20))
@settings(max_examples=25)
def test_noise_does_not_repeat_itself_fine_or_coarse(seed, sigma, deviation):
    noise = gaussian_filter(np.random.default_rng(seed).normal(0, 1, (240, 336)), sigma)
    assert not repeating((0.3 + deviation / 255 * noise / noise.std()).astype(np.float32)).any()


def test_neither_do_edges_slopes_and_scenes():
    flat = np.full((240, 336), 0.2, np.float32)
    edge, bar = flat.copy(), flat.copy()
    edge[:, 100:], bar[50:60] = 0.8, 0.8
    slope = (COLUMNS / 400).astype(np.float32)
    disc = (np.hypot(ROWS - 120, COLUMNS - 150) < 60).astype(np.float32)
    for luma in (flat, edge, bar, slope, disc, as_rgb(scene(240, 336)) @ LUMA):
        assert not repeating(luma).any()


def test_what_is_measured_of_noise_alone_is_as_before():
    """The mask is of whole windows, and here it is empty; so is it where a photo is smaller than a window."""
    assert 255 * measure_noise(as_rgb(noisy(3.0))).deviations == pytest.approx(3, rel=0.2)
    small = as_rgb(grainy(np.full((WINDOW_PX - 8, 400), 60), 3))
    assert repeating(small @ LUMA).size == 0
    assert measure_noise(small).deviations.max() > 0
