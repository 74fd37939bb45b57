from dataclasses import replace

import numpy as np
import pytest
from conftest import noisy, scene
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from enlighten_cli.enhancement import fast
from enlighten_cli.enhancement.apply import applied
from enlighten_cli.enhancement.denoise import PART
from enlighten_cli.enhancement.enhance import Mode, Options, at_strengths, enhance, plan_of
from enlighten_cli.enhancement.highlights import KNEE
from enlighten_cli.enhancement.plan import mean_plan, planned
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Photo, as_rgb

MODES = [Mode.FAST, Mode.FULL]


class Counted:
    """A network that brightens, and counts how often it is asked."""

    receptive_field_px, bytes_per_pixel = 3, 100

    def __init__(self, training_pixels=0):
        self.training_pixels, self.calls = training_pixels, 0

    def __call__(self, rgb):
        self.calls += 1
        return np.sqrt(rgb)


LIGHT = arrays(np.float32, (2, 4, 5, 3), elements=st.floats(0, 0.375, width=32))


@given(LIGHT, st.floats(0, 1.5))
def test_below_the_knee_the_change_is_as_large_as_the_strength(both, strength):
    before, lifted = both
    change = applied(lifted, before, strength) - before
    np.testing.assert_allclose(change, np.float32(strength) * (lifted - before), atol=1e-6)


@given(arrays(np.float32, (4, 5, 3), elements=st.floats(-0.5, 1.5, width=32)))
def test_colours_that_the_network_cannot_see_are_kept(before):
    np.testing.assert_allclose(applied(before.clip(0, 1), before, 1.0), before, atol=1e-6)


def test_highlights_are_held():
    white = np.full((2, 2, 3), 3, np.float32)
    assert KNEE < applied(white, np.zeros_like(white), 1.0).max() < 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0, 1.5])
@pytest.mark.parametrize("denoise", [0.0, 1.0])
def test_the_way_for_srgb_gives_what_the_formula_gives(dtype, strength, denoise, monkeypatch):
    """The passes over memory are fewer, the pixels the same but for rounding."""
    pixels = noisy(4).astype(dtype) * (257 if dtype == np.uint16 else 1)
    pixels[:, 200:] *= 9  # highlights
    photo = Photo(pixels, "PNG")
    plan = planned(photo, FunctionNetwork(lambda rgb: rgb**0.5), denoise)
    assert (plan.denoised > 0) == bool(denoise)

    def rows():
        return next(fast.Brightened(photo, plan.coefficients, plan.denoising, strength)([(0, photo.height)]))

    direct = rows()
    monkeypatch.setattr(fast, "is_direct", lambda photo, colour: False)
    steps = np.abs(direct.astype(int) - rows())
    assert steps.max() <= 1
    assert (steps > 0).mean() < (1e-3 if dtype == np.uint8 else 0.2)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("training_pixels", [0, 5_000])
def test_one_plan_serves_every_strength(mode, training_pixels):
    photo, network = Photo(noisy(3), "PNG"), Counted(training_pixels)
    options, strengths = Options(mode=mode), [0.0, 0.4, 1.0, 1.5]
    alone = [enhance(photo, network, replace(options, strength=each)) for each in strengths]
    once = Counted(training_pixels)
    enhance(photo, once, options)
    together = Counted(training_pixels)
    for one, other in zip(alone, at_strengths(photo, together, options, strengths), strict=True):
        np.testing.assert_array_equal(other.whole().pixels, one.pixels)
        assert other.denoised == one.denoised
    assert together.calls == once.calls
    np.testing.assert_array_equal(alone[0].pixels, photo.pixels)


@pytest.mark.parametrize("mode", MODES)
def test_a_plan_may_come_from_outside(mode):
    """That of the photo is what is made without; that of a brighter one lifts less."""
    photo = Photo(scene(200, 300, exposure=0.3), "PNG")
    network = FunctionNetwork(lambda rgb: rgb * np.float32(0.5 / rgb.mean()))
    options = Options(mode=mode, denoise=0)
    plan = plan_of(photo, network, options)
    own = enhance(photo, network, options).pixels
    np.testing.assert_array_equal(enhance(photo, network, options, plan=plan).pixels, own)
    if mode is Mode.FAST:
        brighter = plan_of(replace(photo, pixels=photo.pixels * 2), network, options)
        assert enhance(photo, network, options, plan=brighter).pixels.mean() < 0.7 * own.mean()


@given(st.integers(0, 3))
@settings(max_examples=4)
def test_the_mean_of_a_plan_with_itself_is_the_plan(seed):
    plan = planned(Photo(scene(60, 80, seed=seed), "PNG"), Counted(), 0)
    mean = mean_plan([plan, plan, plan], [1, 2, 0.5])
    for name in ("scale", "detail", "offset"):
        np.testing.assert_allclose(getattr(mean.coefficients, name), getattr(plan.coefficients, name), atol=1e-5)
    np.testing.assert_allclose(mean.confidence, plan.confidence, atol=1e-6)
    np.testing.assert_allclose(mean.exposure.after, plan.exposure.after, atol=1e-6)
    assert mean.denoising is None


def test_the_mean_of_plans_lifts_by_the_mean():
    photo = Photo(scene(90, 120, exposure=0.1), "PNG")
    weak, strong = (planned(photo, FunctionNetwork(lambda rgb, by=by: rgb * by), 0) for by in (2.0, 4.0))
    rgb = as_rgb(photo.pixels)
    mean = mean_plan([weak, strong], [3, 1]).coefficients.lifted(rgb)
    expected = 0.75 * weak.coefficients.lifted(rgb) + 0.25 * strong.coefficients.lifted(rgb)
    np.testing.assert_allclose(mean, expected, atol=1e-5)


def test_where_one_of_two_plans_removes_noise_half_of_it_goes():
    network = FunctionNetwork(lambda rgb: rgb * 6)
    grainy, still = (planned(Photo(pixels, "PNG"), network, 1) for pixels in (noisy(2), noisy(0)))
    assert still.denoising is None
    mean = mean_plan([grainy, still], [1, 1]).denoising
    np.testing.assert_allclose(mean.planes[..., PART], grainy.denoising.planes[..., PART] / 2, atol=1e-6)
    np.testing.assert_allclose(mean.planes[..., :PART], grainy.denoising.planes[..., :PART], atol=1e-5)
    assert mean.coarse is None  # it is that of one photo's noise


def test_plans_that_do_not_fit_each_other_have_no_mean():
    photo, network = Photo(scene(60, 80), "PNG"), Counted()
    plans = [planned(photo, network, 0), planned(photo, network, 0, sees_all=True)]
    with pytest.raises(ValueError, match="coefficients"):
        mean_plan(plans, [1, 1])
    with pytest.raises(ValueError, match="shape"):
        mean_plan([plans[0], planned(Photo(scene(80, 60), "PNG"), network, 0)], [1, 1])


def test_the_work_can_be_stopped_between_its_steps():
    calls = []

    def stop():
        calls.append(1)
        raise KeyboardInterrupt

    network = Counted(5_000)
    with pytest.raises(KeyboardInterrupt):
        planned(Photo(scene(200, 300), "PNG"), network, 0, check=stop)
    assert network.calls == 2  # for the exposure, from both sides
