"""Show for which Pythons and systems every extra can be installed from wheels; fail where one cannot.

    pip install uv
    python .ci/wheels.py --markdown

uv resolves, and reads metadata only: nothing is installed, and no wheel of PyTorch or CUDA is downloaded. pip's own
``--dry-run --platform`` would not do: it evaluates markers such as ``platform_system`` for the machine that it runs on,
so that PyTorch for macOS would ask for Linux's CUDA packages. This shows that wheels exist, not that they work.
"""

import argparse
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "Linux x86_64": "x86_64-manylinux_2_28",
    "Linux aarch64": "aarch64-manylinux_2_28",
    "macOS arm64": "aarch64-apple-darwin",
    "Windows x86_64": "x86_64-pc-windows-msvc",
}
MACOS = "14.0"  # the oldest that ONNX Runtime has wheels for
# pyvips is published as source alone. It builds without a compiler: what is compiled is in pyvips-binary.
FROM_SOURCE = ("pyvips",)
# NVIDIA's GPUs are supported on these only; elsewhere the two extras are not offered.
CUDA_EXTRAS, CUDA_SYSTEMS = ("cuda", "cuda12"), ("Linux x86_64", "Windows x86_64")


def resolve(extra: str, system: str, python: str) -> str:
    """Return why an extra cannot be installed; nothing if it can."""
    command = ["uv", "pip", "compile", "--quiet", "--no-header", "--only-binary", ":all:"]
    for package in FROM_SOURCE:
        command += ["--no-binary", package]
    command += ["--python-version", python, "--python-platform", SYSTEMS[system]]
    command += ["--extra", extra] if extra else []
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": MACOS, "UV_PYTHON_DOWNLOADS": "never"}
    result = subprocess.run([*command, "pyproject.toml"], cwd=ROOT, env=environment, capture_output=True, text=True)
    return "" if result.returncode == 0 else " ".join(result.stderr.split()) or f"uv ended with {result.returncode}"


def offered(extra: str) -> Iterator[tuple[str, str]]:
    """Yield the systems and Pythons for which an extra is meant."""
    for system in SYSTEMS:
        if extra not in CUDA_EXTRAS or system in CUDA_SYSTEMS:
            yield from ((system, python) for python in PYTHONS)


def main() -> None:
    """Resolve everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extras", nargs="*", help="all by default; an empty word is the package alone")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--jobs", type=int, default=4)
    arguments = parser.parse_args()
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = arguments.extras or ["", *tomllib.load(file)["project"]["optional-dependencies"]]
    cells = [(extra, system, python) for extra in extras for system, python in offered(extra)]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        reasons = dict(zip(cells, pool.map(lambda cell: resolve(*cell), cells), strict=True))

    rows = [["extra", *SYSTEMS], ["---"] * (1 + len(SYSTEMS))] if arguments.markdown else [["extra", *SYSTEMS]]
    for extra in extras:
        row = [extra or "none"]
        for system in SYSTEMS:
            found = [python for python in PYTHONS if reasons.get((extra, system, python)) == ""]
            row.append(" ".join(found) or ("no" if (extra, system, PYTHONS[0]) in reasons else "not offered"))
        rows.append(row)
    for row in rows:
        print("| " + " | ".join(row) + " |" if arguments.markdown else "".join(cell.ljust(22) for cell in row).rstrip())
    print(
        f"\n{date.today()}, {subprocess.check_output(['uv', '--version'], text=True).strip()}, macOS {MACOS} or newer"
    )
    holes = {cell: reason for cell, reason in reasons.items() if reason}
    for (extra, system, python), reason in holes.items():
        print(f"{extra or 'the package'} on {system}, Python {python}: {reason}", file=sys.stderr)
    sys.exit(1 if holes else 0)


if __name__ == "__main__":
    main()
