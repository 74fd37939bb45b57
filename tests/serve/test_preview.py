import numpy as np
import pytest
from conftest import scene
from samples import icc_profile

from enlighten_cli.enhancement import enhance as enhancing
from enlighten_cli.enhancement.enhance import Mode, Options
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Metadata, Photo, as_rgb, decode
from enlighten_cli.serve.preview import Preview, View

STEP = 1 / 255
PHOTOS = {
    "8 bits": lambda: Photo(scene(300, 400), "PNG"),
    "16 bits": lambda: Photo(scene(300, 400).astype(np.uint16) * 257, "PNG"),
    "grey": lambda: Photo(scene(300, 400)[..., :1], "PNG"),
}


class Counted:
    """A network that brightens, more where it is darker, and counts how often it is asked."""

    receptive_field_px, bytes_per_pixel = 3, 100

    def __init__(self, training_pixels=0):
        self.training_pixels, self.calls = training_pixels, 0

    def __call__(self, rgb):
        self.calls += 1
        around = (np.roll(rgb, 1, 0) + np.roll(rgb, -1, 0) + np.roll(rgb, 1, 1) + np.roll(rgb, -1, 1)) / 4
        return np.sqrt((0.7 * rgb + 0.3 * around).clip(0, 1)).astype(np.float32)


def whole_at_full_size(photo):
    return View(0, 0, photo.width, photo.height, photo.width * photo.height)


@pytest.mark.parametrize("kind", PHOTOS)
@pytest.mark.parametrize("strength", [0, 0.4, 1, 1.5])
def test_at_full_size_it_is_the_photo_that_is_saved(kind, strength):
    photo, network = PHOTOS[kind](), Counted()
    options = Options(strength=strength, mode=Mode.FAST)
    saved = as_rgb(enhancing.enhance(photo, network, options).pixels)
    shown = Preview(photo).brightened(whole_at_full_size(photo), "n", network, options).clip(0, 1)
    assert np.abs(shown - saved).max() <= STEP


def test_a_part_is_that_part_of_the_whole():
    photo, network, options = PHOTOS["8 bits"](), Counted(), Options(mode=Mode.FAST)
    preview = Preview(photo)
    whole = preview.brightened(whole_at_full_size(photo), "n", network, options)
    for left, top, width, height in ((0, 0, 50, 40), (350, 260, 50, 40), (101, 77, 123, 99), (399, 299, 1, 1)):
        part = preview.brightened(View(left, top, width, height, width * height), "n", network, options)
        assert np.abs(part - whole[top : top + height, left : left + width]).max() < 0.1 * STEP


def test_reduced_it_is_the_saved_photo_reduced():
    photo, network, options = PHOTOS["8 bits"](), Counted(), Options(mode=Mode.FAST)
    saved = as_rgb(enhancing.enhance(photo, network, options).pixels)
    preview = Preview(photo)
    shown = preview.brightened(preview.whole(300 * 400 // 16), "n", network, options)
    reduced = saved.reshape(75, 4, 100, 4, 3).mean(axis=(1, 3))
    assert shown.shape == reduced.shape
    assert np.abs(shown.clip(0, 1) - reduced).mean() < STEP


def test_a_profile_is_shown_in_the_colours_of_the_screen():
    pixels = scene(200, 300, exposure=0.8)
    photo = Photo(pixels, "PNG", metadata=Metadata(icc_profile=icc_profile("Display P3")))
    preview = Preview(photo)
    before = preview.brightened(whole_at_full_size(photo), "n", Counted(), Options(strength=0))
    assert np.abs(before - as_rgb(pixels)).max() > 10 * STEP
    wanted = decode(preview.before(whole_at_full_size(photo))).pixels
    assert np.abs(before.clip(0, 1) * 255 - wanted).mean() < 3  # JPEG's


def test_the_network_sees_a_photo_once_for_each_model():
    photo, network = PHOTOS["8 bits"](), Counted(5_000)
    preview = Preview(photo)
    for strength in (0.2, 0.9, 1.4):
        for view in (preview.whole(10_000), preview.whole(100_000), View(9, 9, 50, 50, 2500)):
            preview.after(view, "one", network, Options(strength=strength))
    assert network.calls == 3  # for detail, and for light from both sides
    preview.after(preview.whole(10_000), "other", network, Options())
    assert network.calls == 6
    preview.after(preview.whole(10_000), "one", network, Options())
    assert network.calls == 6


@pytest.mark.parametrize("training_pixels", [0, 6_000])
def test_in_full_mode_the_part_in_view_is_that_of_the_saved_photo(training_pixels):
    photo, network = Photo(scene(700, 900), "PNG"), Counted(training_pixels)
    options = Options(mode=Mode.FULL, tile_px=0)
    saved = as_rgb(enhancing.enhance(photo, network, options).pixels)
    preview = Preview(photo)
    for left, top, width, height in ((0, 0, 300, 200), (400, 301, 233, 122), (700, 600, 200, 100)):
        part = preview.brightened(View(left, top, width, height, width * height), "n", network, options)
        error = np.abs(part.clip(0, 1) - saved[top : top + height, left : left + width])
        # Light that is judged from a thumbnail is compared over cells, which here end elsewhere.
        assert error.mean() < (2 * STEP if training_pixels else 0.51 * STEP)


def test_modes_are_told_apart():
    pixels = np.linspace(60, 200, 300 * 400).reshape(300, 400, 1).repeat(3, 2).astype(np.uint8)
    photo, network = Photo(pixels, "PNG"), FunctionNetwork(lambda rgb: 1 - rgb)
    preview, view = Preview(photo), View(0, 0, 400, 300, 120_000)
    full = preview.brightened(view, "n", network, Options(mode=Mode.FULL))
    fast = preview.brightened(view, "n", network, Options(mode=Mode.FAST))
    assert np.abs(full - fast).max() > STEP
    assert np.abs(full - (1 - as_rgb(photo.pixels))).max() < 0.1 * STEP
    assert np.array_equal(preview.brightened(view, "n", network, Options(mode=Mode.AUTO)), full)  # a small photo


def test_its_size_is_told_and_bounded():
    photo, network = PHOTOS["8 bits"](), Counted()
    preview = Preview(photo)
    assert preview.size_bytes == photo.pixels.nbytes
    for pixels in range(70_000, 80_000, 1_000):
        preview.after(preview.whole(pixels), "n", network, Options())
    most = preview.size_bytes
    for pixels in range(70_000, 80_000, 1_000):
        preview.after(preview.whole(pixels), "n", network, Options())
    assert preview.size_bytes <= most
    assert most < 45 * photo.pixels.nbytes


def test_between_its_steps_it_can_be_stopped():
    class StopError(Exception):
        pass

    def stop():
        raise StopError

    network = Counted()
    preview = Preview(PHOTOS["8 bits"]())
    with pytest.raises(StopError):
        preview.after(preview.whole(1000), "n", network, Options(), stop)
    assert network.calls == 0
