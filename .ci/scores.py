"""Keep the scores in README, card and registry in step with the board; with --check, only compare.

The board is benchmarks/results/board.json. A generated table follows a comment, <!-- scores --> or, with further
columns, <!-- scores: all -->.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BOARD = ROOT / "benchmarks" / "results" / "board.json"
REGISTRY = ROOT / "enlighten_cli" / "models" / "registry.py"
PAGES = (ROOT / "README.md", ROOT / "weights" / "MODEL_CARD.md")
TABLE = re.compile(r"(?P<mark><!-- scores(?P<all>: all)? -->\n\n)(?P<head>\|.*\n\|[ -|]*\n)(?P<rows>(?:\|.*\n)+)")
NAMES = {
    "input": "input",
    "gamma045": "gamma 0.45",
    "clahe": "CLAHE",
    "fusion-in-pipeline": "exposure fusion in the network's place",
    "lite": "`lite`",
}
PAIRED = ("lol", "backlit", "bracket", "fivek")
DEFAULT = "lite"
# Of the registry: set and metric by their names on the board, and the digits.
REGISTERED = {
    "lol_psnr": ("lol", "psnr", 2),
    "lol_ssim": ("lol", "ssim", 3),
    "well_lit_psnr": ("well-lit", "psnr", 2),
    "lime_niqe": ("lime", "niqe", 2),
    "mef_niqe": ("mef", "niqe", 2),
    "dicm_niqe": ("dicm", "niqe", 2),
}

Means = dict[str, dict[str, dict[str, list[float]]]]
Board = dict[str, Any]


def rows(board: Board, *, with_all: bool) -> str:
    """Return the rows of a table: with all, also after alignment, and a row for each half of split.tsv."""
    if not with_all:
        return "".join(row(NAMES[method], board["means"][method], with_all=False) for method in NAMES)
    made = ""
    for method, name in NAMES.items():
        made += row(name, board["means"][method], with_all=True)
        if method in (DEFAULT, "fusion-in-pipeline"):
            for half, means in board["halves"].items():
                made += row(f"{name}, half to {half}", means[method], with_all=True)
    return made


def row(name: str, scores: dict[str, dict[str, list[float]]], *, with_all: bool) -> str:
    """Return a row: PSNR / SSIM of each set of pairs, then NIQE."""

    def mean(photos: str, metric: str, digits: int) -> str:
        return f"{scores[photos][metric][0]:.{digits}f}"

    result = [name]
    for photos in PAIRED:
        cell = f"{mean(photos, 'psnr', 1)} / {mean(photos, 'ssim', 3)}"
        if with_all:
            cell += f", {mean(photos, 'aligned_psnr', 1)} / {mean(photos, 'aligned_ssim', 3)}"
        result.append(cell)
    result.append(" / ".join(mean(photos, "niqe", 2) for photos in ("lime", "mef", "dicm")))
    if with_all:
        result.append(mean("well-lit", "psnr", 1))
    return f"| {' | '.join(result)} |\n"


def page(text: str, board: Board) -> str:
    """Fill the tables of a page."""
    return TABLE.sub(lambda match: match["mark"] + match["head"] + rows(board, with_all=bool(match["all"])), text)


def registry(text: str, means: Means) -> str:
    """Fill the scores of the default model's row."""
    start = text.index(f'name="{DEFAULT}"')
    before, row = text[:start], text[start:]
    for name, (photos, metric, digits) in REGISTERED.items():
        score = round(means[DEFAULT][photos][metric][0], digits)
        row, found = re.subn(rf'("{name}": )[\d.]+', rf"\g<1>{score}", row, count=1)
        if not found:
            sys.exit(f"{REGISTRY} has no score {name} of {DEFAULT}")
    return before + row


def run(*, check: bool) -> None:
    """Write the scores, or fail where they differ."""
    board: Board = json.loads(BOARD.read_text(encoding="utf-8"))
    means: Means = board["means"]
    texts = {path: path.read_text(encoding="utf-8") for path in (*PAGES, REGISTRY)}
    if unmarked := [path.name for path in PAGES if not TABLE.search(texts[path])]:
        sys.exit(f"no table after <!-- scores --> in: {', '.join(unmarked)}")
    made = {path: registry(text, means) if path == REGISTRY else page(text, board) for path, text in texts.items()}
    stale = [path for path in texts if made[path] != texts[path]]
    if check and stale:
        sys.exit(f"not the board's scores: {', '.join(path.name for path in stale)}; run: python .ci/scores.py")
    for path in stale:
        path.write_text(made[path], encoding="utf-8")


if __name__ == "__main__":
    run(check="--check" in sys.argv[1:])
