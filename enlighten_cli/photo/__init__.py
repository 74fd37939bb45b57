"""One photo: decoded pixels and everything else that its file carried."""

from enlighten_cli.photo.formats import SUFFIXES, decode, encode
from enlighten_cli.photo.photo import Photo, Pixels, Rgb, as_pixels, as_rgb

__all__ = ["SUFFIXES", "Photo", "Pixels", "Rgb", "as_pixels", "as_rgb", "decode", "encode"]
