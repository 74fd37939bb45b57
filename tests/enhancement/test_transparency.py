"""The same cut-out over hidden black and over hidden white: what cannot be seen decides nothing."""

import io

import numpy as np
import pytest
from conftest import scene
from PIL import Image

from enlighten_cli import Enhancer
from enlighten_cli.enhancement.analysis import analysed
from enlighten_cli.enhancement.encoded import BrightAlreadyError, Treatment, enhance_encoded
from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.enhancement.transparency import without_hidden
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Photo, decode, encode

ROWS, COLUMNS = np.mgrid[:150, :200]
DISTANCE = np.hypot(ROWS - 80, COLUMNS - 90)
SHAPES = {
    "with a sharp edge": np.where(DISTANCE < 55, 255, 0),
    "with a soft edge": (255 * ((65 - DISTANCE) / 20).clip(0, 1)).round(),
    "with holes": np.where((DISTANCE < 60) & (ROWS % 40 > 3), 255, 0),
}


def judging(rgb):
    """Bring the mean to a half, as a network does that looks at all of a photo, and sharpen."""
    around = (np.roll(rgb, 1, 0) + np.roll(rgb, -1, 0) + np.roll(rgb, 1, 1) + np.roll(rgb, -1, 1)) / 4
    return (rgb + 0.5 * (rgb - around)) * np.float32(0.5 / rgb.mean())


NETWORKS = {
    "of any size": FunctionNetwork(judging),
    "of small photos": FunctionNetwork(judging, training_pixels=3_000),
}


def cut_out(shape, hidden, dtype=np.uint8):
    """Cut a noisy scene out, over a colour that cannot be seen."""
    factor = 257 if dtype == np.uint16 else 1
    alpha = SHAPES[shape].astype(dtype) * factor
    noise = np.random.default_rng(1).normal(0, 4, (150, 200, 3))
    pixels = (scene(150, 200, exposure=0.4) + noise).clip(0, 255).astype(dtype) * factor
    pixels[alpha == 0] = np.iinfo(dtype).max * hidden
    return Photo(pixels, "PNG", alpha=alpha)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", [Mode.FAST, Mode.FULL])
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("denoise", [0, 1])
def test_what_is_hidden_decides_nothing_and_stays(shape, mode, network, denoise):
    options = Options(mode=mode, denoise=denoise)
    black, white = (cut_out(shape, hidden) for hidden in (0, 1))
    over_black, over_white = (enhance(photo, NETWORKS[network], options) for photo in (black, white))
    seen = black.alpha > 0
    np.testing.assert_array_equal(over_black.pixels[seen], over_white.pixels[seen])
    assert over_black.denoised == over_white.denoised
    assert (over_black.denoised > 0) == bool(denoise)
    for photo, enhanced in ((black, over_black), (white, over_white)):
        np.testing.assert_array_equal(enhanced.pixels[~seen], photo.pixels[~seen])
        np.testing.assert_array_equal(enhanced.alpha, photo.alpha)


def test_the_object_is_lit_as_if_there_were_nothing_else():
    """A grey disc over hidden black or white becomes the half that the network aims at."""
    for hidden in (0, 1):
        photo = cut_out("with a sharp edge", hidden)
        photo.pixels[photo.alpha > 0] = 40
        made = enhance(photo, NETWORKS["of any size"], Options()).pixels[photo.alpha > 0]
        assert made.mean() == pytest.approx(127.5, abs=2)


@pytest.mark.parametrize("denoise", [0, 1])
def test_the_same_opacity_everywhere_changes_nothing(denoise):
    photo = Photo(scene(150, 200), "PNG")
    thin = Photo(photo.pixels, "PNG", alpha=np.full((150, 200), 100, np.uint8))
    for mode in (Mode.FAST, Mode.FULL):
        one, other = (
            enhance(each, NETWORKS["of any size"], Options(mode=mode, denoise=denoise)) for each in (photo, thin)
        )
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_pixels_count_by_their_opacity():
    """Half of the photo at a tenth of the opacity: in a thumbnail, what lies under it hardly counts."""
    pixels = np.full((2000, 1000, 3), 40, np.uint8)
    pixels[:, ::2] = 200
    alpha = np.full((2000, 1000), 255, np.uint8)
    alpha[:, ::2] = 25
    rgb = analysed(Photo(pixels, "PNG", alpha=alpha), FunctionNetwork(lambda rgb: rgb), 10_000, 0).rgb
    expected = (40 + 200 * 25 / 255) / (1 + 25 / 255) / 255
    assert rgb.shape[1] < 500
    assert rgb.mean() == pytest.approx(expected, abs=0.015)


def test_hidden_pixels_take_the_colours_of_visible_ones_around():
    pixels = np.full((90, 120, 3), 250, np.uint8)
    pixels[:, :30], pixels[:, 90:] = 40, 80
    alpha = np.zeros((90, 120), np.uint8)
    alpha[:, :30] = alpha[:, 90:] = 255
    filled = without_hidden(Photo(pixels, "PNG", alpha=alpha)).pixels
    np.testing.assert_array_equal(filled[alpha > 0], pixels[alpha > 0])
    assert np.abs(filled[:, 31:34].astype(int) - 40).max() <= 4
    assert np.abs(filled[:, 86:89].astype(int) - 80).max() <= 4
    assert 40 <= filled.min() <= filled.max() <= 80


def test_strength_zero_and_wholly_hidden_photos_stay():
    photo = cut_out("with a soft edge", 1)
    same = enhance(photo, NETWORKS["of any size"], Options(strength=0))
    np.testing.assert_array_equal(same.pixels, photo.pixels)
    nothing = Photo(photo.pixels, "PNG", alpha=np.zeros_like(photo.alpha))
    assert enhance(nothing, NETWORKS["of any size"], Options()).pixels.shape == photo.pixels.shape


@pytest.mark.parametrize(
    ("format", "dtype"),
    [("PNG", np.uint8), ("PNG", np.uint16), ("TIFF", np.uint8), ("TIFF", np.uint16), ("WEBP", np.uint8)],
)
def test_in_files_too(format, dtype):
    enhanced = []
    for hidden in (0, 1):
        photo = cut_out("with a soft edge", hidden, dtype)
        if format == "WEBP":
            file = io.BytesIO()
            Image.fromarray(np.dstack([photo.pixels, photo.alpha])).save(file, format, lossless=True, exact=True)
            content = file.getvalue()
        else:
            content = encode(photo, format)
        before = decode(content)
        assert before.alpha is not None
        assert (before.pixels[before.alpha == 0] == np.iinfo(dtype).max * hidden).all()
        enhanced.append(enhance(before, NETWORKS["of small photos"], Options()))
    seen = enhanced[0].alpha > 0
    np.testing.assert_array_equal(enhanced[0].pixels[seen], enhanced[1].pixels[seen])


def test_arrays_of_pillow_too():
    results = []
    for hidden in (0, 1):
        photo = cut_out("with a sharp edge", hidden)
        image = Image.fromarray(np.dstack([photo.pixels, photo.alpha]))
        results.append(np.asarray(Enhancer().enhance(image))[photo.alpha > 0])
    np.testing.assert_array_equal(*results)


def test_whether_a_photo_is_bright_already_does_not_depend_on_what_is_hidden():
    for hidden in (0, 1):
        content = encode(cut_out("with a sharp edge", hidden), "PNG")
        assert enhance_encoded(content, NETWORKS["of any size"], Treatment(skip_brighter_than=0.3)).content
        with pytest.raises(BrightAlreadyError):
            enhance_encoded(content, NETWORKS["of any size"], Treatment(skip_brighter_than=0.01))
