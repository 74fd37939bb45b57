"""JPEG XL, as far as its plug-in goes."""

import numpy as np
import pytest
from conftest import scene
from PIL import Image
from samples import SRGB, XMP, exif, icc_profile, saved

from enlighten_cli.photo import Coding, Metadata, Photo, as_srgb, cannot_hold, decode, encode

pytest.importorskip("pillow_jxl")

PIXELS = scene(40, 60, exposure=0.7)


def test_colours_of_another_space_become_srgb_and_that_is_said():
    photo = Photo(PIXELS, "JXL", metadata=Metadata(icc_profile=icc_profile("Display P3")))
    assert any("colours become sRGB" in line for line in cannot_hold(photo, "JXL"))
    result = decode(encode(photo))
    assert np.abs(as_srgb(result).astype(int) - as_srgb(photo)).mean() < 4
    assert not cannot_hold(Photo(PIXELS, "JXL", metadata=Metadata(icc_profile=SRGB)), "JXL")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_lossless_stays_lossless(channels, has_alpha):
    pixels, alpha = PIXELS[..., :channels], PIXELS[..., 0] if has_alpha else None
    whole = np.dstack([pixels, alpha]) if has_alpha else pixels
    image = Image.fromarray(whole.squeeze()) if channels == 3 or not has_alpha else None
    if image is None:
        image = Image.fromarray(pixels[..., 0])
        image.putalpha(Image.fromarray(alpha))
    photo = decode(saved(image, "JXL", lossless=True))
    assert photo.coding.lossless
    again = decode(encode(photo))
    assert again.coding.lossless
    np.testing.assert_array_equal(again.pixels, pixels)
    if has_alpha:
        np.testing.assert_array_equal(again.alpha, alpha)
    assert not decode(encode(photo, quality=90)).coding.lossless
    assert not decode(saved(image, "JXL", quality=90)).coding.lossless


def test_deep_grey_stays_deep():
    pixels = (np.arange(2400).reshape(40, 60, 1) * 7).astype(np.uint16)
    photo = Photo(pixels, "JXL", coding=Coding(lossless=True))
    assert cannot_hold(photo, "JXL") == []
    np.testing.assert_array_equal(decode(encode(photo)).pixels, pixels)
    assert any("rounded" in line for line in cannot_hold(Photo(np.repeat(pixels, 3, 2), "JXL"), "JXL"))


def test_xmp_is_read_and_kept():
    photo = decode(saved(Image.fromarray(PIXELS), "JXL", xmp=XMP))
    assert b"somebody" in photo.metadata.xmp
    assert b"somebody" in decode(encode(photo)).metadata.xmp


def test_what_the_decoder_has_turned_is_not_turned_again():
    """The codestream's orientation counts, not that of the metadata around it (ISO/IEC 18181-2)."""
    photo = decode(saved(Image.fromarray(PIXELS), "JXL", xmp=XMP, exif=exif(6), lossless=True))
    np.testing.assert_array_equal(photo.pixels, PIXELS)
    assert photo.metadata.orientation == 1
