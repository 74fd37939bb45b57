"""Paths given to the command -> photos to work on."""

from __future__ import annotations

import os
from pathlib import Path

from enlighten_cli.errors import UsageError
from enlighten_cli.photo import SUFFIXES


def find_photos(folder: Path) -> list[Path]:
    """List the photos below a folder by their names' endings, sorted.

    Hidden files and folders are left out, and symbolic links to folders are not followed.

    Raises
    ------
    UsageError
        If `folder` is no folder that can be read.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: not a folder")
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise UsageError(f"{error.filename}: {error.strerror}") from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(parent, name)
            for name in sorted(names)
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES
        ]
    return found
