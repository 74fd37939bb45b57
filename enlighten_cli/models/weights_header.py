"""Check the shapes in a ``.safetensors`` file before a network is built from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from enlighten_cli.errors import ModelError

MOST_HEADER_BYTES = 16 << 20
MOST_WIDTH = 512  # sixteen times the paper's
FIRST = "conv1_1.weight"  # of shape (width, 4, 3, 3); the width determines all other shapes


def check_generator(path: Path) -> None:
    """Refuse a file whose first layer is not a generator's; files of other kinds pass.

    Raises
    ------
    ModelError
    """
    if path.suffix != ".safetensors":
        return
    for name, entry in _header(path).items():
        if name.removeprefix("average.").removeprefix("generator.").removeprefix("module.") != FIRST:
            continue
        shape = entry.get("shape") if isinstance(entry, dict) else None
        if not isinstance(shape, list) or len(shape) != 4 or shape[1:] != [4, 3, 3] or not _is_width(shape[0]):
            raise ModelError(f"{path}: not an EnlightenGAN generator: {FIRST} is not of shape (width, 4, 3, 3)")


def _is_width(number: object) -> bool:
    return isinstance(number, int) and 1 <= number <= MOST_WIDTH


def _header(path: Path) -> dict[str, Any]:
    """Read a header; return an empty one if it is invalid, which the library then reports."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size)) if size <= MOST_HEADER_BYTES else None
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}
