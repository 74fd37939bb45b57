import io
from dataclasses import replace

import numpy as np
import pytest
from conftest import noisy, scene
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter

from enlighten_cli.enhancement.denoise import HALO_PX, NOISE, PART, Denoising
from enlighten_cli.enhancement.enhance import MAX_DENOISE, Mode, Options, enhance
from enlighten_cli.enhancement.noise import NO_NOISE, NoiseCurve, measure_noise
from enlighten_cli.enhancement.thumbnail import reduced
from enlighten_cli.errors import UsageError
from enlighten_cli.models.denoiser import RECEPTIVE_FIELD_PX, package_denoiser
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Photo, as_rgb, decode

SIX = FunctionNetwork(lambda rgb: rgb * np.float32(6))
LOUD = NoiseCurve(np.array([0.0, 1.0], np.float32), np.array([0.02, 0.02], np.float32))


def planned(rgb, *, gain=6.0, noise=LOUD, strength=1.0):
    return Denoising.planned(package_denoiser, rgb, noise, np.full((1, 1, 1), gain, np.float32), strength)


def through_jpeg(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def psnr(one, other):
    return -10 * np.log10(np.mean((one.astype(float) - other) ** 2) / 255**2)


@given(st.integers(1, 150), st.integers(1, 90), st.integers(1, 60))
@settings(max_examples=20)
def test_strips_give_the_pixels_of_the_whole(height, width, strip):
    rgb = as_rgb(scene(height, width))
    coarse = np.random.default_rng(0).normal(0, 0.01, (-(-height // 8), -(-width // 8), 3)).astype(np.float32)
    denoising = replace(planned(rgb), coarse=coarse)

    def read(rows, columns):
        return rgb[rows, columns]

    strips = [
        denoising.rows(read, start, min(start + strip, height), height, width) for start in range(0, height, strip)
    ]
    assert np.abs(np.concatenate(strips) - denoising.whole(rgb)).max() < 1e-5


def test_the_halo_is_over_the_receptive_field():
    """A pixel outside the receptive field changes nothing, one inside may; the constant is true."""
    assert HALO_PX >= RECEPTIVE_FIELD_PX
    rgb = as_rgb(scene(128, 128))
    noise, gain = np.full((128, 128), 0.02, np.float32), np.full((128, 128), 6, np.float32)
    before = package_denoiser()(rgb, noise, gain)
    changed = rgb.copy()
    changed[64, 64] = 1
    rows, columns = np.nonzero(np.abs(package_denoiser()(changed, noise, gain) - before).max(axis=2) > 0)
    farthest = max(np.abs(rows - 64).max(), np.abs(columns - 64).max())
    assert 4 < farthest <= RECEPTIVE_FIELD_PX


def test_noise_goes_and_edges_stay():
    clean = np.full((200, 300, 3), 25, np.uint8)
    clean[:, 150:] = 60
    random = np.random.default_rng(0)
    dirty = np.rint(clean + random.normal(0, 3, clean.shape)).clip(0, 255).astype(np.uint8)
    rgb = as_rgb(dirty)
    made = 255 * planned(rgb, noise=measure_noise(rgb)).whole(rgb)
    assert np.std((made - clean)[:, 20:130]) < 0.5 * np.std((dirty.astype(float) - clean)[:, 20:130])
    assert made[:, 152:156].mean() - made[:, 144:148].mean() > 0.9 * 35


def blotchy(deviation, sigma):
    """Make coarse noise on grey, and an edge."""
    random = np.random.default_rng(0)
    clean = np.full((320, 480, 3), 0.1, np.float32)
    clean[:, 240:] = 0.2
    noise = gaussian_filter(random.normal(0, 1, clean.shape), (sigma, sigma, 0))
    return clean, (clean + deviation * noise / noise.std()).astype(np.float32)


def test_coarse_noise_goes_and_edges_stay():
    clean, rgb = blotchy(0.006, sigma=8)
    fine, all_of_it = planned(rgb).whole(rgb), planned(rgb).coarse_to_fine(rgb)
    flat = np.s_[20:-20, 20:210]
    before, left, least = (np.std((each - clean)[flat]) for each in (rgb, fine, all_of_it))
    assert least < 0.6 * left < 0.6 * before
    assert all_of_it[:, 244:252].mean() - all_of_it[:, 228:236].mean() > 0.9 * 0.1


def test_the_coarse_noise_of_a_photo_is_found_in_its_thumbnail():
    clean, rgb = blotchy(0.006, sigma=8)
    thumbnail = reduced(rgb, rgb.shape[0] * rgb.shape[1] / 9)
    of_thumbnail = planned(thumbnail)
    coarse = of_thumbnail.coarse_change(thumbnail, of_thumbnail.change(thumbnail), rgb.shape[0] * rgb.shape[1])
    assert coarse.shape == thumbnail.shape
    before, left = (
        np.std((replace(planned(rgb), coarse=each).whole(rgb) - clean)[20:-20, 20:210]) for each in (None, coarse)
    )
    assert left < 0.7 * before


def test_half_of_the_coarse_noise_goes_where_half_of_the_noise_is_to_go():
    _, rgb = blotchy(0.006, sigma=8)
    whole = planned(rgb)
    planes = whole.planes.copy()
    planes[..., PART] = 0.5
    all_of_it, half = (denoising.coarse_to_fine(rgb) - rgb for denoising in (whole, replace(whole, planes=planes)))
    np.testing.assert_allclose(half, all_of_it / 2, atol=1e-5)


def test_no_frame_is_drawn():
    """Beyond its borders the network sees zeros, and a thumbnail's border is wide."""
    random = np.random.default_rng(0)
    rgb = (0.02 + random.normal(0, 0.01, (450, 650, 3))).clip(0, 1).astype(np.float32)
    clean = np.mean([planned(each).coarse_to_fine(each) for each in (rgb, rgb[::-1, ::-1])], axis=0)
    middle = clean[150:-150, 200:-200].mean()
    for border in (clean[:16], clean[-16:], clean[:, :16], clean[:, -16:]):
        assert abs(border.mean() - middle) < 0.1 / 255


def test_what_would_not_be_seen_is_left_and_the_denoiser_not_even_loaded():
    def absent():
        raise AssertionError("loaded")

    rgb = as_rgb(scene(64, 64))
    quiet = NoiseCurve(LOUD.lumas, np.full(2, 0.3 / 255, np.float32))
    for noise, gain in ((quiet, 4.0), (LOUD, 1.0)):
        assert Denoising.planned(absent, rgb, noise, np.full((1, 1, 1), gain, np.float32), 1.0) is None


def test_the_error_of_coding_is_left_until_it_is_amplified_further_than_noise():
    rgb = np.full((300, 400, 3), 0.1, np.float32)
    gain = np.full((1, 1, 1), 6, np.float32)
    error = 0.5 / 255
    as_noise = NoiseCurve(LOUD.lumas, np.full(2, error, np.float32))
    assert Denoising.planned(package_denoiser, rgb, as_noise, gain, 1.0) is not None
    assert Denoising.planned(package_denoiser, rgb, NO_NOISE, gain, 1.0, error) is None
    of_coding = Denoising.planned(package_denoiser, rgb, NO_NOISE, 3 * gain, 1.0, error)
    assert of_coding is not None
    assert of_coding.planes[..., NOISE] == pytest.approx(error)
    both = Denoising.planned(package_denoiser, rgb, LOUD, gain, 1.0, error)
    assert both is not None
    assert both.planes[..., NOISE].min() > error


def test_a_single_spot_is_no_noise():
    rgb = np.full((300, 400, 3), 0.1, np.float32)
    gain = np.full((1, 1, 1), 6, np.float32)
    spotted = NoiseCurve(np.array([0.1, 0.11], np.float32), np.array([0, 0.02], np.float32))
    rgb[100:104, 200:204] = 0.9
    assert Denoising.planned(package_denoiser, rgb, spotted, gain, 1.0) is None


@pytest.mark.parametrize("quality", [98, 92])
def test_nothing_is_done_to_a_clean_jpeg(quality):
    """What is measured in a photo without noise is JPEG's rounding."""
    rows, columns = np.mgrid[:600, :900]
    light = 0.15 + 0.1 * np.sin(rows / 40) * np.cos(columns / 60) + 0.1 * (columns > 500)
    pixels = np.rint(255 * light[..., None] * (1, 0.9, 0.7)).astype(np.uint8)
    photo = decode(through_jpeg(pixels, quality))
    network = FunctionNetwork(lambda rgb: rgb * np.float32(7))
    made, kept = (enhance(photo, network, Options(mode=Mode.FAST, denoise=strength)) for strength in (1, 0))
    assert made.denoised == 0
    np.testing.assert_array_equal(made.pixels, kept.pixels)


@pytest.mark.parametrize("mode", [Mode.FAST, Mode.FULL])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_clean_photo_is_the_same_with_and_without(mode, dtype):
    rows, columns = np.mgrid[:200, :300]
    light = (0.15 + 0.1 * np.sin(rows / 30) * np.cos(columns / 40))[..., None].repeat(3, axis=2)
    pixels = np.rint(light * np.iinfo(dtype).max).astype(dtype)
    with_it, without = (
        enhance(Photo(pixels, "PNG"), FunctionNetwork(lambda rgb: rgb * 3), Options(mode=mode, denoise=strength)).pixels
        for strength in (1, 0)
    )
    assert psnr(with_it / np.iinfo(dtype).max * 255, without / np.iinfo(dtype).max * 255 + 1e-9) >= 50


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_and_sixteen_bits_are_denoised_too(channels):
    eight = noisy(2.0, light=0.08)[..., :channels]
    sixteen = eight.astype(np.uint16) * 257
    made = {
        name: enhance(Photo(pixels, "PNG"), SIX, Options(mode=Mode.FAST)).pixels
        for name, pixels in (("8", eight), ("16", sixteen))
    }
    kept = enhance(Photo(eight, "PNG"), SIX, Options(mode=Mode.FAST, denoise=0)).pixels
    assert made["8"].std() < 0.5 * kept.std()
    assert made["16"].std() / 257 < 0.6 * kept.std()


def test_the_stronger_noise_is_taken_to_be_the_more_goes():
    dark = noisy(2.0, light=0.08)
    left = [
        enhance(Photo(dark, "PNG"), SIX, Options(mode=Mode.FAST, denoise=strength)).pixels.std()
        for strength in (0, 0.5, 1, MAX_DENOISE)
    ]
    assert left[0] > left[1] > left[2]
    assert left[3] < 1.05 * left[2]  # all of it is gone
    assert left[3] < 0.6 * left[0]


def test_strength_zero_stays_the_identity_on_a_noisy_photo():
    dark = noisy(3.0)
    np.testing.assert_array_equal(enhance(Photo(dark, "PNG"), SIX, Options(strength=0)).pixels, dark)


@pytest.mark.parametrize("denoise", [-0.1, 2.1])
def test_out_of_range_is_refused(denoise):
    with pytest.raises(UsageError, match="denoise"):
        Options(denoise=denoise)
