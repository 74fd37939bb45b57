from itertools import pairwise

import numpy as np
from conftest import scene
from hypothesis import given, settings
from hypothesis import strategies as st

from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.enhancement.tiles import (
    HALO_PX,
    MULTIPLE_PX,
    padded_index,
    padded_size,
    plan_spans,
    plan_tiles,
    run_tiled,
)
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.models.session import Model
from enlighten_cli.photo import Photo, as_rgb

lengths = st.integers(1, 3000)
payloads = st.integers(16, 1100)


@given(lengths, payloads)
def test_spans_keep_every_pixel_once_and_lie_on_the_grid(length, payload):
    padded = padded_size(length)
    spans = plan_spans(padded, payload)
    assert spans[0].keep_start == 0
    assert spans[-1].keep_stop == padded
    assert all(one.keep_stop == next_.keep_start for one, next_ in pairwise(spans))
    for span in spans:
        assert span.start % MULTIPLE_PX == span.stop % MULTIPLE_PX == 0
        assert 0 <= span.start <= span.keep_start < span.keep_stop <= span.stop <= padded
        # Thrown away all around, except at the photo's own borders.
        assert span.start == 0 or span.keep_start - span.start >= HALO_PX
        assert span.stop == padded or span.stop - span.keep_stop >= HALO_PX


@given(lengths, payloads)
def test_tiles_of_a_photo_have_one_shape(length, payload):
    assert len({span.stop - span.start for span in plan_spans(padded_size(length), payload)}) == 1


@given(lengths)
def test_a_payload_of_zero_is_the_whole(length):
    assert len(plan_spans(padded_size(length), 0)) == 1


@given(st.integers(1, 400))
def test_padding_reflects_then_replicates(length):
    index = padded_index(length)
    assert len(index) % MULTIPLE_PX == 0
    assert index[:length].tolist() == list(range(length))
    beyond = index[length:].tolist()
    reflected = list(range(length - 2, -1, -1))[: len(beyond)]
    assert beyond == reflected + [length - 1] * (len(beyond) - len(reflected))


def stitched(pixels, model, payload, halo=HALO_PX):
    rgb = as_rgb(pixels)
    height, width = rgb.shape[:2]
    result = np.full_like(rgb, np.nan)
    tiles = plan_tiles(height, width, payload, halo)
    for rows, columns, tile in run_tiled(lambda r, c: rgb[np.ix_(r, c)], model, height, width, tiles):
        assert np.isnan(result[rows, columns]).all()
        result[rows, columns] = tile
    return result


@given(st.integers(1, 90), st.integers(1, 90), st.integers(16, 48))
@settings(max_examples=40)
def test_the_identity_gives_the_photo_back(height, width, payload):
    pixels = scene(height, width)
    np.testing.assert_array_equal(stitched(pixels, lambda rgb: rgb, payload, halo=16), as_rgb(pixels))


@given(st.integers(1, 120), st.integers(1, 120), st.integers(16, 64))
@settings(max_examples=40)
def test_a_filter_within_the_halo_gives_the_untiled_result(height, width, payload):
    def box(rgb):  # reaches 16 pixels
        padded = np.pad(rgb, ((16, 16), (16, 16), (0, 0)))
        return padded[32:, 32:] + padded[:-32, :-32]

    pixels = scene(height, width)
    np.testing.assert_array_equal(stitched(pixels, box, payload, halo=16), stitched(pixels, box, 0))


@given(st.integers(1, 500), st.integers(300, 700), st.integers(64, 200))
@settings(max_examples=6)
def test_a_network_tiled_is_the_network_whole(tiny_model, height, width, payload):
    model = tiny_network(tiny_model)
    photo = Photo(scene(height, width), "PNG")
    whole = enhance(photo, model, Options(tile_px=0)).pixels
    tiled = enhance(photo, model, Options(tile_px=payload)).pixels
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def tiny_network(path):
    if path not in _networks:
        _networks[path] = Model(path)
    return _networks[path]


_networks: dict = {}


def test_too_small_a_receptive_field_would_be_noticed(tiny_model):
    photo = Photo(scene(48, 400), "PNG")
    model = tiny_network(tiny_model)
    whole = enhance(photo, model, Options(tile_px=0)).pixels
    told_wrongly = FunctionNetwork(model, receptive_field_px=0)
    tiled = enhance(photo, told_wrongly, Options(tile_px=64)).pixels
    assert np.abs(whole.astype(int) - tiled).max() > 1


def test_the_shipped_weights_tile_exactly():
    from enlighten_cli.models.registry import DEFAULT_MODEL
    from enlighten_cli.models.store import locate

    model = Model(locate(DEFAULT_MODEL))
    photo = Photo(scene(33, 701), "PNG")
    whole = enhance(photo, model, Options(tile_px=0)).pixels
    tiled = enhance(photo, model, Options(tile_px=70)).pixels
    assert np.abs(whole.astype(int) - tiled).max() <= 1
