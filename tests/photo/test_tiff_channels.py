"""Channels of TIFF files besides colours: opacity, or something of which nobody says what it is."""

import io

import numpy as np
import pytest

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import decode, encode

tifffile = pytest.importorskip("tifffile")

UNSPECIFIED, PREMULTIPLIED, OPACITY = 0, 1, 2
DEEP = np.random.default_rng(0).integers(1, 2**16, (12, 20, 6)).astype(np.uint16)
OF_DEPTH = {np.uint16: DEEP, np.uint8: (DEEP >> 8).astype(np.uint8), np.float32: (DEEP / 65535).astype(np.float32)}


def tiff(pixels: np.ndarray, extras: list[int], photometric: str = "", **options) -> bytes:
    buffer = io.BytesIO()
    name = photometric or ("rgb" if pixels.shape[2] - len(extras) == 3 else "minisblack")
    tifffile.imwrite(
        buffer, pixels, photometric=name, planarconfig="contig", extrasamples=extras, metadata=None, **options
    )
    return buffer.getvalue()


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", OF_DEPTH)
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize(
    "extras", [[OPACITY], [UNSPECIFIED], [UNSPECIFIED] * 2, [OPACITY, UNSPECIFIED], [UNSPECIFIED, OPACITY]]
)
def test_only_what_is_called_opacity_is_taken_for_it(extras, colours, dtype, byteorder):
    pixels = OF_DEPTH[dtype][..., : colours + len(extras)]
    photo = decode(tiff(pixels, extras, byteorder=byteorder))
    assert photo.pixels.dtype == dtype
    np.testing.assert_array_equal(photo.pixels, pixels[..., :colours])
    if OPACITY in extras:
        np.testing.assert_array_equal(photo.alpha, pixels[..., colours + extras.index(OPACITY)])
    else:
        assert photo.alpha is None
    left = extras.count(UNSPECIFIED)
    assert [note for note in photo.notes if "further channel" in note] == (
        []
        if not left
        else [f"its {left} further channels are left out" if left > 1 else "its further channel is left out"]
    )
    again = decode(encode(photo))
    np.testing.assert_array_equal(again.pixels[..., :colours], photo.pixels)


@pytest.mark.parametrize("dtype", OF_DEPTH)
@pytest.mark.parametrize("colours", [1, 3])
def test_colours_that_were_multiplied_by_opacity_are_divided(colours, dtype):
    pixels = OF_DEPTH[dtype][..., : colours + 1].copy()
    pixels[0, 0] = 0
    straight, alpha = pixels[..., :colours], pixels[..., colours]
    scale = 1 if dtype == np.float32 else np.iinfo(dtype).max
    multiplied = straight.astype(np.float64) * (alpha / scale)[..., None]
    stored = np.dstack([multiplied if dtype == np.float32 else np.rint(multiplied), alpha]).astype(dtype)
    photo = decode(tiff(stored, [PREMULTIPLIED]))
    np.testing.assert_array_equal(photo.alpha, alpha)
    opaque = alpha > scale / 2
    assert np.abs(photo.pixels[opaque].astype(np.float64) - straight[opaque]).max() <= (4 if scale > 1 else 1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_cmyk_with_further_channels_is_refused_by_name(dtype):
    pixels = OF_DEPTH[dtype][..., :5]
    with pytest.raises(PhotoError, match=r"CMYK of (8|16) bits and further channels is not read; convert it to RGB"):
        decode(tiff(pixels, [OPACITY], "separated"))


def test_deep_cmyk_is_refused_by_name():
    with pytest.raises(PhotoError, match="16-bit CMYK is not read; convert it to RGB"):
        decode(tiff(DEEP[..., :4], [], "separated"))
