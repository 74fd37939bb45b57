"""Keep the scores in README, card and registry in step with the board; with --check, only compare.

The board is benchmarks/results/board.json. A generated table follows a comment, <!-- scores --> or, with further
columns, <!-- scores: all -->.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BOARD = ROOT / "benchmarks" / "results" / "board.json"
REGISTRY = ROOT / "enlighten_cli" / "models" / "registry.py"
PAGES = (ROOT / "README.md", ROOT / "weights" / "MODEL_CARD.md")
TABLE = re.compile(r"(?P<mark><!-- scores(?P<all>: all)? -->\n\n)(?P<head>\|.*\n\|[ -|]*\n)(?P<rows>(?:\|.*\n)+)")
NAMES = {"input": "input", "gamma045": "gamma 0.45", "clahe": "CLAHE", "fusion": "exposure fusion", "lite": "`lite`"}
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


def rows(means: Means, *, with_all: bool) -> str:
    """Return the rows of a table: a mean with its interval a cell."""
    return "".join(f"| {' | '.join(cells(means, method, with_all=with_all))} |\n" for method in NAMES)


def cells(means: Means, method: str, *, with_all: bool) -> list[str]:
    """Return the cells of a method's row."""
    scores = means[method]
    name = NAMES[method] + (" (default)" if method == DEFAULT and not with_all else "")
    result = [name]
    for photos in ("lol", "backlit"):
        for metric, digits in (("psnr", 1), ("ssim", 2)):
            mean, low, high = (f"{value:.{digits}f}" for value in scores[photos][metric])
            result.append(f"{mean} ({low} to {high})")
        if with_all:
            result.append(f"{scores[photos]['aligned_psnr'][0]:.1f} / {scores[photos]['aligned_ssim'][0]:.2f}")
    result.append(" / ".join(f"{scores[photos]['niqe'][0]:.2f}" for photos in ("lime", "mef", "dicm")))
    if with_all:
        result.append(f"{scores['well-lit']['psnr'][0]:.1f}")
    return result


def page(text: str, means: Means) -> str:
    """Fill the tables of a page."""
    return TABLE.sub(lambda match: match["mark"] + match["head"] + rows(means, with_all=bool(match["all"])), text)


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
    means: Means = json.loads(BOARD.read_text(encoding="utf-8"))["means"]
    texts = {path: path.read_text(encoding="utf-8") for path in (*PAGES, REGISTRY)}
    if unmarked := [path.name for path in PAGES if not TABLE.search(texts[path])]:
        sys.exit(f"no table after <!-- scores --> in: {', '.join(unmarked)}")
    made = {path: registry(text, means) if path == REGISTRY else page(text, means) for path, text in texts.items()}
    stale = [path for path in texts if made[path] != texts[path]]
    if check and stale:
        sys.exit(f"not the board's scores: {', '.join(path.name for path in stale)}; run: python .ci/scores.py")
    for path in stale:
        path.write_text(made[path], encoding="utf-8")


if __name__ == "__main__":
    run(check="--check" in sys.argv[1:])
