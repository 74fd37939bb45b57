import numpy as np
import pytest
from conftest import REPOSITORY, SHARED, scene
from PIL import Image, ImageFilter

from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.errors import PhotoError
from enlighten_cli.metrics.niqe import niqe
from enlighten_cli.metrics.psnr import psnr
from enlighten_cli.metrics.ssim import ssim
from enlighten_cli.photo import decode


def test_psnr_by_hand():
    dark, light = np.full((4, 4, 3), 100, np.uint8), np.full((4, 4, 3), 110, np.uint8)
    assert psnr(dark, light) == pytest.approx(20 * np.log10(255 / 10))
    assert psnr(dark, dark) == float("inf")


def test_ssim_falls_with_noise():
    photo = scene(64, 64, exposure=1)
    noise = np.random.default_rng(0).integers(0, 40, photo.shape, dtype=np.uint8)
    assert ssim(photo, photo) == pytest.approx(1)
    assert ssim(photo // 2 + noise, photo // 2) < 0.9


def test_other_sizes_are_refused():
    with pytest.raises(PhotoError, match="8 x 4 and 4 x 4"):
        psnr(np.zeros((4, 8, 3), np.uint8), np.zeros((4, 4, 3), np.uint8))


def test_niqe_is_pinned_on_a_scene():
    photo = scene(200, 300, seed=1, exposure=0.8)
    # What this code gives now that it gives the known values of the field, further down.
    assert niqe(photo) == pytest.approx(20.633, abs=0.01)


def test_niqe_of_a_photo_rises_with_blur():
    with Image.open(REPOSITORY / "examples" / "path.jpg") as image:
        photo = image.convert("RGB").reduce(3)
    scores = [niqe(np.asarray(photo.filter(ImageFilter.GaussianBlur(radius)))) for radius in (1, 2, 3, 5)]
    assert scores == sorted(scores)
    assert scores[-1] > 2 * scores[0]


def test_niqe_rises_with_blocks():
    photo = scene(300, 300, seed=1, exposure=0.8)
    blocks = photo[::8, ::8].repeat(8, 0).repeat(8, 1)[:300, :300]
    assert niqe(blocks) > niqe(photo)


@pytest.mark.parametrize("photo", [np.zeros((95, 200, 3), np.uint8), np.zeros((200, 200, 3), np.uint8)])
def test_niqe_refuses_what_has_no_statistics(photo):
    with pytest.raises(PhotoError):
        niqe(photo)


@pytest.mark.skipif(not (SHARED / "data").exists(), reason="needs the shared photos")
@pytest.mark.parametrize(("name", "count", "expected"), [("lime", 9, 4.56), ("mef", 17, 4.32), ("dicm", 32, 4.07)])
def test_niqe_has_the_known_values_of_the_field(name, count, expected):
    scores = [niqe(decode(path).pixels) for path in find_photos(SHARED / "data" / "val" / name) if path.name != "5.png"]
    assert len(scores) == count
    assert np.mean(scores) == pytest.approx(expected, abs=0.005)
