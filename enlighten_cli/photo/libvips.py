"""The one import of libvips, with its warnings off.

pyvips hands each warning to Python. If that happens while another one is handed over, as damaged files make it, GLib
ends the whole process.
"""

from __future__ import annotations

import functools
import os
from typing import Any


@functools.cache
def libvips() -> Any:
    """Return the module pyvips; what fails raises its `Error` all the same."""
    os.environ.setdefault("VIPS_WARNING", "1")  # read as the library starts: warnings go nowhere
    import pyvips

    pyvips._remove_log_handler()
    return pyvips
