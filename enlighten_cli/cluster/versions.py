"""The packages that decide what a result looks like: all machines of a run need the same."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from enlighten_cli.models.providers import RUNTIMES

PACKAGES = ("enlighten-cli", "numpy", "pillow", "scipy", "scikit-image", "pillow-heif", "pillow-jxl-plugin", "rawpy")


def versions() -> dict[str, str]:
    """Return the versions of this program and of the packages that read, enhance and write photos here."""
    found = {name: _version(name) for name in PACKAGES}
    # Those of the same version compute alike on the CPU.
    runtime = next((each for each in map(_version, RUNTIMES) if each), "")
    return {**found, "onnxruntime": runtime}


def difference(ours: dict[str, str], theirs: dict[str, str]) -> str:
    """Name the packages that another machine lacks or has in another version; empty if there are none."""
    return ", ".join(
        f"{name} {theirs.get(name) or 'absent'} instead of {wanted}"
        for name, wanted in ours.items()
        if wanted and theirs.get(name) != wanted
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
