"""Install the `cpu` extra under other Pythons, and check that the example photo comes out as the same bytes.

    python .ci/pythons.py [PYTHON ...]

Without arguments: python3.12, python3.13 and python3.14, as far as they start.
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
USUAL = ("python3.12", "python3.13", "python3.14")


def version(python: str) -> str:
    """Return the version of an interpreter; nothing if it does not start."""
    try:
        done = subprocess.run([python, "-c", "import platform; print(platform.python_version())"],
                              capture_output=True, text=True, check=False)  # fmt: skip
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def digest(python: str, folder: Path) -> str:
    """Enhance the example photo by an interpreter that has the package; return the hash of the result."""
    output = folder / "path.jpg"
    subprocess.run(
        [python, "-m", "enlighten_cli", str(ROOT / "examples" / "path.jpg"), "-o", str(output), "--quiet"],
        check=True,
        cwd=folder,
    )
    return hashlib.sha256(output.read_bytes()).hexdigest()


def main() -> None:
    """Compare each Python with this one; exit 1 if a result differs."""
    with tempfile.TemporaryDirectory() as name:
        expected = digest(sys.executable, Path(name))
    print(f"{version(sys.executable):8} {expected[:16]}  this one")
    differ = 0
    for python in sys.argv[1:] or USUAL:
        if not (found := version(python)):
            print(f"{python}: does not start: not run")
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            subprocess.run([python, "-m", "venv", str(folder / "venv")], check=True)
            own = str(folder / "venv" / "bin" / "python")
            install = ["-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), f"{ROOT}[cpu]"]
            subprocess.run([own, *install], check=True)
            result = digest(own, folder)
        same = result == expected
        differ += not same
        print(f"{found:8} {result[:16]}  {'the same bytes' if same else 'OTHER BYTES'}", flush=True)
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
