"""Record docs/first-ten-minutes.md: run the commands of a newcomer in a temporary folder, and write their output.

The photos are examples/path.jpg and parts of it. What differs between runs and machines (times, versions, paths) is
replaced, so that the page changes only if the program does.
"""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "first-ten-minutes.md"
PARTS = {"gate.jpg": (0, 0), "path.jpg": (960, 300), "trees.png": (1800, 500)}  # left and top corner in the example
PART_PX = (640, 480)
INTRODUCTION = """# The first ten minutes

The commands of a newcomer, in order, with what the program answers. `night.jpg` is the example of this repository, and
`photos/` holds three parts of it and a text file. `…` stands for what differs from run to run and between machines.

This page was recorded by `python .ci/record.py`.
"""


@dataclass(frozen=True)
class Step:
    """A heading, one or two sentences, and the commands."""

    heading: str
    text: str
    commands: tuple[str, ...]


STEPS = (
    Step(
        "Is it installed?",
        "`doctor` checks the installation, runs the model once, and ends with what to do next.",
        ("enlighten --version", "enlighten doctor"),
    ),
    Step("One photo", "The result is written beside the photo, which is not changed.", ("enlighten night.jpg",)),
    Step("The same command again", "An existing result is not replaced.", ("enlighten night.jpg",)),
    Step(
        "Less of it",
        "`--overwrite` replaces the result.",
        ("enlighten night.jpg --overwrite --strength 0.5",),
    ),
    Step(
        "A folder",
        "Results keep the names of their photos. Other files are ignored. The second run finds everything done.",
        ("ls photos", "enlighten photos/ -o out/", "ls out", "enlighten photos/ -o out/"),
    ),
    Step("A typo", "Nothing is done, and the message suggests a name.", ("enlighten nihgt.jpg",)),
    Step(
        "What would be done?",
        "`--dry-run` prints the plan.",
        ("enlighten photos/ -o out/ --format jpg --dry-run",),
    ),
    Step(
        "How strong?",
        "`preview` writes one sheet: the photo as it is, and at three strengths, side by side.",
        ("enlighten preview night.jpg -o sheet.jpg",),
    ),
    Step(
        "Models and methods",
        "`--model` takes any of these names.",
        ("enlighten models list",),
    ),
    Step(
        "Which one is better?",
        "`evaluate` prints scores and writes no photos. Three do not prove much; see [evaluation](evaluation.md).",
        ("enlighten evaluate photos/ --method input --method gamma --model lite",),
    ),
    Step(
        "In a pipe",
        "`-` is stdin, and `-o -` is stdout.",
        ("cat photos/path.jpg | enlighten - -o - > bright.jpg", "ls bright.jpg"),
    ),
)
VERSIONS = "python|system|numpy|pillow|pyvips|click|requests|torch|onnx|pillow-heif|rawpy|onnxruntime|offered|nvidia"
CHANGING = (
    (re.compile(rf"^( {{4}}(?:{VERSIONS}|cuda:\d) +)\S.*$", re.MULTILINE), r"\1…"),
    (re.compile(r"\d+ of \d+ may be used"), "… of … may be used"),
    (re.compile(r"\d+\.\d+ GB are free"), "… GB are free"),
    (re.compile(r"\b\d+(?:\.\d+)? (s|photos a second)\b"), r"… \1"),
)


def stable(text: str, folder: Path) -> str:
    """Replace what differs between runs and machines: times, versions, paths."""
    text = text.replace(str(folder), "~")
    for pattern, replacement in CHANGING:
        text = pattern.sub(replacement, text)
    return _without_seconds(text)


def _without_seconds(text: str) -> str:
    """Replace the column of seconds in a table of scores."""
    lines = text.splitlines()
    if not lines or not lines[0].startswith("set ") or "seconds" not in lines[0]:
        return text
    start = lines[0].index("seconds")
    end = start + len("seconds")
    table = [
        line[:start] + "…".rjust(end - start) + line[end:] if line[start:end].strip() else line for line in lines[1:]
    ]
    return "\n".join([lines[0], *table]) + "\n"


def lay_out(folder: Path) -> None:
    """Write the photos that the commands read."""
    example = ROOT / "examples" / "path.jpg"
    (folder / "night.jpg").write_bytes(example.read_bytes())
    (folder / "photos").mkdir()
    (folder / "photos" / "notes.txt").write_text("Taken at dusk.\n", encoding="utf-8")
    with Image.open(example) as image:
        for name, (left, top) in PARTS.items():
            image.crop((left, top, left + PART_PX[0], top + PART_PX[1])).save(folder / "photos" / name)


def answer(command: str, folder: Path) -> str:
    """Run a command in bash, and return what a terminal would show, without what changes."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ENLIGHTEN_", "XDG_"))}
    environment |= {
        "HOME": str(folder),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "100",
    }
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    code = f"(exit code {done.returncode})\n" if done.returncode else ""
    return stable(done.stdout, folder) + code


def run() -> None:
    """Write the page."""
    parts = [INTRODUCTION]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        lay_out(folder)
        for step in STEPS:
            session = "".join(f"$ {command}\n{answer(command, folder)}" for command in step.commands)
            parts.append(f"## {step.heading}\n\n{step.text}\n\n```console\n{session}```\n")
    PAGE.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    run()
