"""Make photos taken in too little light look as if there had been enough.

Examples
--------
>>> from enlighten_cli import Enhancer
>>> Enhancer().enhance_file("night.jpg", "bright.jpg")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from enlighten_cli.api import Enhancer
    from enlighten_cli.errors import EnlightenError

__version__ = "0.1.0"
__all__ = ["Enhancer", "EnlightenError", "__version__"]


def __getattr__(name: str) -> Any:
    # On first use only: the command's --help needs none of what these import.
    if name == "Enhancer":
        from enlighten_cli.api import Enhancer

        return Enhancer
    if name == "EnlightenError":
        from enlighten_cli.errors import EnlightenError

        return EnlightenError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
