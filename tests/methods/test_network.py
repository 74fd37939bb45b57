import numpy as np
import pytest
from conftest import scene

from enlighten_cli import Enhancer
from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.errors import ModelError, OutOfMemoryError
from enlighten_cli.methods import METHODS, Method
from enlighten_cli.methods.network import JUDGED_PIXELS, MethodNetwork, open_network
from enlighten_cli.models.network import EVERYWHERE
from enlighten_cli.photo import Photo, as_pixels, as_rgb


def by_brightest(rgb):
    """A method that depends on every pixel."""
    return rgb / max(float(rgb.max()), 1e-3)


class Watched:
    """A method that remembers what it was shown."""

    def __init__(self):
        self.sizes = []

    def __call__(self, rgb):
        self.sizes.append(rgb.shape[:2])
        return by_brightest(rgb)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_small_photo_comes_out_as_the_method_has_it(depth):
    pixels = scene(48, 64, exposure=0.6).astype(depth) * (257 if depth == np.uint16 else 1)
    network = open_network("gamma")
    made = enhance(Photo(pixels, "PNG"), network, Options(denoise=0)).pixels
    assert made.dtype == depth
    expected = METHODS["gamma"].enhance(as_rgb(pixels))
    bright = as_rgb(pixels).min(axis=2) > 0.2  # where all of it is signal, and lifted
    np.testing.assert_allclose(as_rgb(made)[bright], expected[bright], atol=0.02)


@pytest.mark.parametrize("options", [Options(), Options(tile_px=16), Options(mode=Mode.FULL, tile_px=32)])
def test_a_method_sees_the_whole_photo_whatever_the_tiles(options):
    watched = Watched()
    photo = Photo(scene(80, 112), "PNG")
    made = enhance(photo, MethodNetwork(Method("seen", watched, "a test")), options)
    assert set(watched.sizes) == {(80, 112)}
    whole = enhance(photo, MethodNetwork(Method("seen", by_brightest, "a test")), Options())
    np.testing.assert_array_equal(made.pixels, whole.pixels)


def test_of_a_large_photo_it_sees_the_thumbnail():
    watched = Watched()
    photo = Photo(scene(900, 1200), "PNG")
    enhance(photo, MethodNetwork(Method("seen", watched, "a test")), Options())
    assert watched.sizes
    assert all(height * width < 1.1 * JUDGED_PIXELS for height, width in watched.sizes)


def test_too_little_memory_for_all_of_a_photo_is_said_before_it_is_tried():
    photo = Photo(scene(400, 600), "PNG")
    with pytest.raises(OutOfMemoryError, match="--mode fast"):
        enhance(photo, open_network("gamma"), Options(mode=Mode.FULL, memory_bytes=10**6))


def test_an_unknown_name_lists_models_and_methods():
    with pytest.raises(ModelError, match=r"models are: lite, .*methods are: gamma, .*lime"):
        open_network("nonsense")


def test_the_photo_as_it_is_is_no_network_and_methods_reach_everywhere():
    with pytest.raises(ModelError):
        open_network("input")
    assert open_network("lime").receptive_field_px == EVERYWHERE


def test_enhancer_takes_a_method():
    dark = scene(40, 60)
    bright = Enhancer("gamma").enhance(dark)
    assert bright.mean() > 1.2 * dark.mean()
    assert abs(bright.mean() - as_pixels(METHODS["gamma"].enhance(as_rgb(dark))).mean()) < 25
