import numpy as np
import pytest
from conftest import scene

from enlighten_cli.enhancement.enhance import LARGEST_TILE_PX, SMALLEST_TILE_PX, Mode, Options, enhance, largest_tile
from enlighten_cli.errors import OutOfMemoryError, UsageError
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.models.session import open_model
from enlighten_cli.photo import Metadata, Photo

PHOTO = Photo(scene(20, 30), "PNG", alpha=np.full((20, 30), 7, np.uint8), metadata=Metadata(comment=b"kept"))


brighter = FunctionNetwork(lambda rgb: rgb * 2)


def test_strength_scales_the_change():
    even = Photo(PHOTO.pixels // 2 * 2, "PNG")
    half = enhance(even, brighter, Options(strength=0.5)).pixels
    np.testing.assert_array_equal(half, (even.pixels * 1.5).clip(0, 255))


def test_strength_zero_is_the_identity():
    np.testing.assert_array_equal(enhance(PHOTO, brighter, Options(strength=0)).pixels, PHOTO.pixels)


def test_the_clamp_comes_last():
    dark = Photo(np.full((16, 16, 3), 100, np.uint8), "PNG")
    assert enhance(dark, FunctionNetwork(lambda rgb: rgb * 10), Options()).pixels.min() == 255
    assert enhance(dark, FunctionNetwork(lambda rgb: rgb - 5), Options()).pixels.max() == 0


def test_everything_else_is_kept():
    enhanced = enhance(PHOTO, brighter, Options())
    assert enhanced.alpha is PHOTO.alpha
    assert (enhanced.format, enhanced.metadata) == ("PNG", PHOTO.metadata)


def test_tiles_are_told():
    told = []
    enhance(
        Photo(scene(16, 600), "PNG"), brighter, Options(tile_px=160), lambda done, total: told.append((done, total))
    )
    assert told == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize(
    "options",
    [{"strength": -0.1}, {"strength": 1.6}, {"tile_px": 15}, {"tile_px": -1}, {"tile_px": 64, "mode": Mode.FAST}],
)
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(UsageError):
        Options(**options)


def test_auto_is_fast_from_two_megapixels_unless_tiles_are_asked_for():
    assert not Options().is_fast(1000, 1999)
    assert Options().is_fast(1000, 2000)
    assert not Options(tile_px=0).is_fast(1000, 2000)
    assert not Options(mode=Mode.FULL).is_fast(1000, 2000)
    assert Options(mode=Mode.FAST).is_fast(10, 10)


def test_auto_is_fast_where_the_photo_is_larger_than_what_the_model_learned_to_see():
    assert Options().is_fast(200, 300, training_pixels=60_000)
    assert not Options().is_fast(200, 299, training_pixels=60_000)
    assert not Options(tile_px=64).is_fast(200, 300, training_pixels=60_000)
    sizes = []
    small = FunctionNetwork(lambda rgb: sizes.append(rgb.shape[:2]) or rgb, training_pixels=2_500)
    enhance(Photo(scene(200, 200), "PNG"), small, Options())
    assert sizes == [(64, 64), (64, 64), (208, 208)]  # to judge light, from both sides, and for detail


@pytest.mark.parametrize(("memory", "payload"), [(10**9, 704), (10**12, LARGEST_TILE_PX), (1, SMALLEST_TILE_PX)])
def test_the_tile_is_the_largest_that_fits(memory, payload):
    tile = largest_tile(memory, 1000)
    assert tile == payload
    assert tile % 16 == 0


class Cramped:
    """A network that runs out of memory above a number of pixels."""

    bytes_per_pixel = 1
    training_pixels = 0
    receptive_field_px = 137

    def __init__(self, most):
        self.most, self.sizes = most, []

    def __call__(self, rgb):
        self.sizes.append(rgb.shape[:2])
        if rgb.shape[0] * rgb.shape[1] > self.most:
            raise OutOfMemoryError("failed to allocate")
        return rgb * 2


def test_an_automatic_tile_is_halved_until_it_fits():
    photo, model = Photo(scene(40, 2000), "PNG"), Cramped(48 * 900)
    enhanced = enhance(photo, model, Options(mode=Mode.FULL, memory_bytes=10**9))
    np.testing.assert_array_equal(enhanced.pixels, enhance(photo, brighter, Options(tile_px=0)).pixels)
    assert model.sizes[1] == (48, 2000)  # after a thumbnail, to tell how far light is lifted
    assert model.sizes[-1][1] < model.sizes[1][1]
    with pytest.raises(OutOfMemoryError):
        enhance(photo, Cramped(1), Options(mode=Mode.FULL, memory_bytes=10**9))


def test_an_explicit_tile_is_never_changed_and_the_error_says_what_fits():
    model = Cramped(48 * 900)
    with pytest.raises(OutOfMemoryError, match="--tile 704 would fit"):
        enhance(Photo(scene(40, 2000), "PNG"), model, Options(tile_px=1024, memory_bytes=10**6, denoise=0))
    assert len(model.sizes) == 2


def judging(rgb):
    """Judge light from few pixels: brighten small pictures, darken large ones, sharpen both."""
    blurred = np.stack([np.roll(rgb, shift, (0, 1)) for shift in ((0, 1), (1, 0), (0, -1), (-1, 0))]).mean(axis=0)
    return rgb * (2 if rgb.shape[0] * rgb.shape[1] < 5_000 else 0.5) + (rgb - blurred)


JUDGING = FunctionNetwork(judging, training_pixels=2_500)


def test_light_is_judged_from_a_look_and_detail_from_all_pixels():
    photo = Photo(scene(240, 320, exposure=0.4), "PNG")
    enhanced = enhance(photo, JUDGING, Options(mode=Mode.FULL, denoise=0)).pixels.astype(float)
    made = enhance(photo, FunctionNetwork(judging), Options(tile_px=0, denoise=0)).pixels.astype(float)

    def light(pixels):
        """Over cells larger than the windows in which light is described."""
        return pixels.reshape(6, 40, 8, 40, 3).mean(axis=(1, 3))

    expected = light(photo.pixels * 2.0)
    assert np.abs(light(enhanced) - expected).mean() < 0.05 * expected.mean()
    fine = [np.diff(pixels, axis=1).ravel() for pixels in (enhanced, made)]
    assert np.corrcoef(*fine)[0, 1] > 0.95
    assert 1 < fine[0].std() / fine[1].std() < 2  # more light, more contrast


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiles_judge_light_alike(dtype, tiny_model):
    """For a network whose reach is known: but for rounding of its sums."""
    tiny_model = open_model(str(tiny_model))

    judging = FunctionNetwork(tiny_model, training_pixels=5_000)
    photo = Photo(scene(200, 700, exposure=0.3).astype(dtype) * (257 if dtype == np.uint16 else 1), "PNG")
    whole, tiled = (enhance(photo, judging, Options(tile_px=tile)).pixels for tile in (0, 64))
    assert whole.dtype == dtype
    assert np.abs(whole.astype(int) - tiled).max() <= (0 if dtype == np.uint8 else 8)
    plain = enhance(photo, tiny_model, Options(tile_px=0)).pixels
    assert np.abs(whole.astype(int) - plain).max() > 0


def test_a_photo_as_small_as_the_look_is_as_it_is_made():
    photo = Photo(scene(40, 50), "PNG")
    all_of_it = FunctionNetwork(judging, training_pixels=40 * 50)
    expected = enhance(photo, all_of_it, Options(tile_px=0, denoise=0)).pixels
    np.testing.assert_array_equal(enhance(photo, JUDGING, Options(denoise=0)).pixels, expected)


def test_strength_zero_is_the_identity_with_a_look_too():
    photo = Photo(scene(240, 320), "PNG")
    np.testing.assert_array_equal(enhance(photo, JUDGING, Options(strength=0, mode=Mode.FULL)).pixels, photo.pixels)


def test_what_is_kept_until_light_is_known_counts_as_memory():
    """In six bytes a pixel; the tiles get smaller."""
    sizes = []

    options = Options(mode=Mode.FULL, memory_bytes=100 * 640**2, denoise=0)
    for kept in (True, False):
        network = FunctionNetwork(
            lambda rgb: sizes.append(rgb.shape[:2]) or rgb, training_pixels=100 if kept else 0, bytes_per_pixel=100
        )
        enhance(Photo(scene(1000, 1000), "PNG"), network, options)
    kept, whole = sizes[1], sizes[-1]
    assert whole == (640, 640)
    assert kept[0] * kept[1] * 100 + 6 * 1000**2 <= 100 * 640**2
