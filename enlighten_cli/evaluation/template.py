"""Templates of the HTML pages, and pictures embedded in them."""

from __future__ import annotations

import base64
from importlib.resources import files
from typing import TYPE_CHECKING

from enlighten_cli.errors import MissingDependencyError, how_to_install
from enlighten_cli.photo import Photo, Pixels, encode

if TYPE_CHECKING:
    from jinja2 import Environment


def environment() -> Environment:
    """Return an environment that escapes all values, and loads the templates of this package.

    Raises
    ------
    MissingDependencyError
        If Jinja2 is absent.
    """
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError as error:
        raise MissingDependencyError(f"HTML pages need Jinja2; {how_to_install('evaluate', 'jinja2')}") from error

    templates = files("enlighten_cli.evaluation")
    return Environment(
        loader=FunctionLoader(lambda name: templates.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def jpeg(pixels: Pixels, quality: int) -> str:
    """Return a picture, (H, W, 3) uint8, as JPEG in base64."""
    return base64.b64encode(encode(Photo(pixels, "JPEG"), quality=quality)).decode("ascii")
