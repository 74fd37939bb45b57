import doctest
import threading

import numpy as np
import pytest
from conftest import scene
from PIL import Image

import enlighten_cli
from enlighten_cli import Enhancer, api
from enlighten_cli.errors import EnlightenError, PhotoError, UsageError
from enlighten_cli.photo import Photo, decode, encode


@pytest.fixture(scope="module")
def enhancer(tiny_model):
    return Enhancer(tiny_model, device="cpu")


@pytest.mark.parametrize("shape", [(20, 30, 3), (20, 30)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_arrays_of_every_kind(enhancer, shape, dtype):
    # Bright enough for rounding to 8 bits not to matter: where it does, 16 bits are lifted further.
    pixels = scene(20, 30, exposure=0.8) if len(shape) == 3 else scene(20, 30, exposure=0.8)[..., 0]
    array = {np.uint8: pixels, np.uint16: pixels.astype(np.uint16) * 257, np.float32: pixels.astype(np.float32) / 255}[
        dtype
    ]
    before = array.copy()
    enhanced = enhancer.enhance(array)
    assert enhanced.shape == shape
    assert enhanced.dtype == dtype
    np.testing.assert_array_equal(array, before)
    scale = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    np.testing.assert_allclose(enhanced / scale, enhancer.enhance(pixels) / 255, atol=0.6 / 255)
    np.testing.assert_allclose(enhancer.enhance(array, strength=0), array, atol=1e-5)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_images_of_every_mode(enhancer, mode):
    image = Image.fromarray(scene(20, 30)).convert(mode)
    image.info["dpi"] = (72, 72)
    enhanced = enhancer.enhance(image)
    assert (enhanced.mode, enhanced.size, enhanced.info["dpi"]) == (mode, image.size, (72, 72))
    if mode.endswith("A"):
        assert enhanced.getchannel("A").tobytes() == image.getchannel("A").tobytes()


@pytest.mark.parametrize(
    "photo",
    [
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((2, 2), np.int64),
        np.zeros((0, 2), np.uint8),
        "a.jpg",
        Image.new("CMYK", (2, 2)),
    ],
)
def test_anything_else_is_refused(enhancer, photo):
    with pytest.raises(PhotoError, match="cannot enhance"):
        enhancer.enhance(photo)


def test_files(enhancer, tmp_path):
    source = tmp_path / "in.png"
    source.write_bytes(encode(Photo(scene(20, 30), "PNG")))
    assert enhancer.enhance_file(source, tmp_path / "out.png").status.value == "done"
    assert decode(tmp_path / "out.png").width == 30
    assert enhancer.enhance_file(str(source), str(tmp_path / "out.png")).status.value == "skipped"
    with pytest.raises(UsageError, match="the output is the source"):
        enhancer.enhance_file(source, source, overwrite=True)
    (tmp_path / "bad.png").write_bytes(b"text")
    with pytest.raises(PhotoError, match=r"bad\.png: not a photo"):
        enhancer.enhance_file(tmp_path / "bad.png", tmp_path / "no.png")


def test_threads_share_an_enhancer(enhancer, capfd):
    photos = [scene(40, 40, seed=seed) for seed in range(8)]
    alone = [enhancer.enhance(photo) for photo in photos]
    together = [None] * len(photos)

    def work(index):
        together[index] = enhancer.enhance(photos[index])

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(photos))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert capfd.readouterr() == ("", "")


def test_the_public_names_are_those_announced():
    assert set(enlighten_cli.__all__) == {"EnlightenError", "Enhancer", "__version__"}
    assert enlighten_cli.EnlightenError is EnlightenError
    with pytest.raises(AttributeError):
        enlighten_cli.nonsense  # noqa: B018
    with pytest.raises(UsageError, match="device"):
        Enhancer(device="tpu")


def test_the_examples_in_the_documentation_run():
    failed, attempted = doctest.testmod(api, globs={"Enhancer": Enhancer})
    assert attempted >= 5
    assert failed == 0
