import numpy as np
import pytest
from conftest import scene

from enlighten_cli.enhance import AUTOMATIC_TILE_PX, Options, enhance
from enlighten_cli.errors import UsageError
from enlighten_cli.photo import Metadata, Photo

PHOTO = Photo(scene(20, 30), "PNG", alpha=np.full((20, 30), 7, np.uint8), metadata=Metadata(comment=b"kept"))


def brighter(rgb):
    return rgb * 2


def test_strength_scales_the_change():
    even = Photo(PHOTO.pixels // 2 * 2, "PNG")
    half = enhance(even, brighter, Options(strength=0.5)).pixels
    np.testing.assert_array_equal(half, (even.pixels * 1.5).clip(0, 255))


def test_strength_zero_is_the_identity():
    np.testing.assert_array_equal(enhance(PHOTO, brighter, Options(strength=0)).pixels, PHOTO.pixels)


def test_the_clamp_comes_last():
    dark = Photo(np.full((16, 16, 3), 100, np.uint8), "PNG")
    assert enhance(dark, lambda rgb: rgb * 10, Options()).pixels.min() == 255
    assert enhance(dark, lambda rgb: rgb - 5, Options()).pixels.max() == 0


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


@pytest.mark.parametrize("options", [{"strength": -0.1}, {"strength": 1.6}, {"tile_px": 15}, {"tile_px": -1}])
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(UsageError):
        Options(**options)


def test_large_photos_are_tiled_unless_asked_otherwise():
    assert Options().tile_for(1000, 1000) == 0
    assert Options().tile_for(4000, 6000) == AUTOMATIC_TILE_PX
    assert Options(tile_px=0).tile_for(4000, 6000) == 0
    assert Options(tile_px=64).tile_for(100, 100) == 64
