import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.enhancement.highlights import KNEE, hold_highlights
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Photo

LIGHT = st.floats(-0.5, 3, width=32)


def held(after, before, white=1.0):
    result = np.array(after, np.float32)
    hold_highlights(result, np.asarray(before, np.float32), white)
    return result


@given(arrays(np.float32, 30, elements=LIGHT))
def test_brighter_light_stays_brighter_and_below_white(light):
    light = np.sort(light)
    result = held(light, np.zeros(30))
    assert np.all(np.diff(result) >= 0)
    assert np.all(result < 1)
    np.testing.assert_array_equal(result[light <= KNEE], light[light <= KNEE])


@given(arrays(np.float32, 30, elements=LIGHT))
def test_light_that_did_not_change_stays(light):
    np.testing.assert_array_equal(held(light, light), light)


@given(arrays(np.float32, 30, elements=LIGHT), arrays(np.float32, 30, elements=LIGHT))
def test_nothing_becomes_darker_than_it_was(after, before):
    assert np.all(held(after, before) >= np.minimum(after, before))


@given(arrays(np.float32, 30, elements=LIGHT), arrays(np.float32, 30, elements=LIGHT))
def test_the_scale_does_not_matter(after, before):
    np.testing.assert_allclose(held(255 * after, 255 * before, 255), 255 * held(after, before), atol=1e-3)


def test_bright_detail_is_not_clipped_in_any_mode():
    """Stripes of 200 and 220, brightened to 0.98 and 1.08 of white."""
    pixels = np.full((96, 128, 3), 200, np.uint8)
    pixels[::2] = 220
    for mode in (Mode.FAST, Mode.FULL):
        result = enhance(Photo(pixels, "PNG"), FunctionNetwork(lambda rgb: rgb * 1.25), Options(mode=mode)).pixels
        bright, dark = result[::2].astype(int), result[1::2].astype(int)
        assert result.max() < 255
        assert (bright - dark)[10:-10].min() > 0
