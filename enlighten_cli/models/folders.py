"""The folders in which models are kept on this machine."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_VARIABLE, DATA_VARIABLE = "ENLIGHTEN_CACHE", "ENLIGHTEN_DATA"


def weights_folder() -> Path:
    """Return the folder of the bundled weights: in the installed package, or in the checkout."""
    package = Path(__file__).parent.parent
    bundled = package / "bundled"
    return bundled if bundled.is_dir() else package.parent / "weights"


def cache_folder() -> Path:
    """Return the folder of downloads: ``ENLIGHTEN_CACHE``, or the platform's cache folder."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("enlighten-cli")


def imported_folder() -> Path:
    """Return the folder of imported models: below ``ENLIGHTEN_DATA``, or the platform's data folder."""
    if chosen := os.environ.get(DATA_VARIABLE):
        return Path(chosen) / "models"
    from platformdirs import user_data_path

    return user_data_path("enlighten-cli") / "models"
