"""One photo: decoded pixels and everything else that its file carried."""

from enlighten_cli.photo.colour import Colour, as_srgb, colour_of, colour_of_photo
from enlighten_cli.photo.decode import decode
from enlighten_cli.photo.encode import encode
from enlighten_cli.photo.formats import CHOICES, FORMATS, RAW, RAW_RESULT, SUFFIXES, cannot_hold, is_photo
from enlighten_cli.photo.limits import Limits
from enlighten_cli.photo.metadata import Metadata, Strip
from enlighten_cli.photo.photo import LUMA, Coding, Photo, Pixels, Rgb, as_pixels, as_rgb

__all__ = [
    "CHOICES",
    "FORMATS",
    "LUMA",
    "RAW",
    "RAW_RESULT",
    "SUFFIXES",
    "Coding",
    "Colour",
    "Limits",
    "Metadata",
    "Photo",
    "Pixels",
    "Rgb",
    "Strip",
    "as_pixels",
    "as_rgb",
    "as_srgb",
    "cannot_hold",
    "colour_of",
    "colour_of_photo",
    "decode",
    "encode",
    "is_photo",
]
