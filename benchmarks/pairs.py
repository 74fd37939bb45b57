"""Blind votes of any voter on pairs of pictures: render the pairs with names hidden, then count the votes.

    python benchmarks/pairs.py render DATA/val FOLDER ONE OTHER [--set mef ...] [--every 2] [--seed 0]
    python benchmarks/pairs.py count FOLDER.key.json VOTES.json [--json FILE]

ONE and OTHER are methods as of score.py: model:NAME or model:FILE, fusion-in-pipeline, outputs:NAME=FOLDER, a method.
FOLDER gets a picture a pair, 001.jpg and so on: two results side by side, left and right by chance. Which is which
stands in FOLDER.key.json, beside the folder, so that a voter who is shown the folder alone knows nothing. A voter is a
person, or a vision model with a fresh memory. VOTES.json: {"voter": "...", "votes": [{"pair": 1, "better": "left",
"reason": "..."}, ...]}, better is left, right or same. Shares come with Wilson's 95 % interval, by set and by half of
split.tsv; the JSON holds votes, reasons and names.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from library.board import HALVES, OUTPUTS, Task, made, split, tasks

from enlighten_cli import photo
from enlighten_cli.evaluation.sheet import reduced
from enlighten_cli.evaluation.votes import Tally
from enlighten_cli.photo import Photo, Pixels, encode
from enlighten_cli.resources import available_cores

SETS = ("lime", "mef", "dicm", "hard", "backlit")
CELL_PX, GAP_PX = 760, 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    render = commands.add_parser("render")
    render.add_argument("val", type=Path)
    render.add_argument("folder", type=Path)
    render.add_argument("methods", nargs=2, metavar="METHOD")
    render.add_argument("--set", action="append", dest="sets")
    render.add_argument("--every", type=int, default=1)
    render.add_argument("--seed", type=int, default=0)
    count = commands.add_parser("count")
    count.add_argument("key", type=Path)
    count.add_argument("votes", type=Path)
    count.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "render":
        write_pairs(arguments)
    else:
        write_count(arguments)


def write_pairs(arguments: argparse.Namespace) -> None:
    found = tasks(arguments.val, arguments.sets or SETS, arguments.every)
    drawn = random.Random(arguments.seed)
    drawn.shuffle(found)
    arguments.folder.mkdir(parents=True)
    identities = {method: identity(method) for method in arguments.methods}
    key = []
    jobs = []
    for number, task in enumerate(found, start=1):
        left, right = drawn.sample(arguments.methods, 2)
        names = {"left": identities[left], "right": identities[right]}
        key.append({"pair": number, "set": task.set, "photo": task.path.name, **names})
        jobs.append((task, left, right, arguments.folder / f"{number:03}.jpg"))
    with ProcessPoolExecutor(available_cores()) as pool:
        list(pool.map(write_pair, *zip(*jobs, strict=True)))
    document = {"methods": list(identities.values()), "pairs": key}
    arguments.folder.with_suffix(".key.json").write_text(json.dumps(document, indent=1) + "\n")
    print(f"{len(found)} pairs in {arguments.folder}")


def identity(method: str) -> str:
    """Return a method's name without folders; a file's with the beginning of its SHA-256."""
    name = method.partition(":")[2] or method
    if method.startswith(OUTPUTS):
        return name.partition("=")[0]
    path = Path(name)
    return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}" if path.is_file() else name


def write_pair(task: Task, left: str, right: str, path: Path) -> None:
    decoded = photo.decode(task.path)
    cells = [reduced(made(method, decoded, task), CELL_PX) for method in (left, right)]
    path.write_bytes(encode(Photo(beside(*cells), "JPEG"), quality=93))


def beside(left: Pixels, right: Pixels) -> Pixels:
    """Put two pictures of one photo side by side, whatever size each has."""
    height = max(len(left), len(right))
    sheet = np.full((height, left.shape[1] + GAP_PX + right.shape[1], 3), 128, np.uint8)
    sheet[: len(left), : left.shape[1]] = left
    sheet[: len(right), left.shape[1] + GAP_PX :] = right
    return sheet


def write_count(arguments: argparse.Namespace) -> None:
    document = json.loads(arguments.key.read_text())
    key = {each["pair"]: each for each in document["pairs"]}
    said = json.loads(arguments.votes.read_text())
    first, second = document["methods"]
    halves = split()
    votes = []
    for vote in said["votes"]:
        pair = key.pop(vote["pair"])
        winner = None if vote["better"] == "same" else pair[vote["better"]]
        half = halves[pair["set"], Path(pair["photo"]).stem]
        votes.append({**pair, "half": half, "winner": winner, "reason": vote.get("reason", "")})
    if key:
        print(f"without a vote: {sorted(key)}")
    groups = {"all": votes}
    groups |= {name: [vote for vote in votes if vote["set"] == name] for name in sorted({v["set"] for v in votes})}
    groups |= {half: [vote for vote in votes if vote["half"] == half] for half in HALVES}
    tallies = [
        Tally(
            name,
            first,
            second,
            *(sum(vote["winner"] == each for vote in group) for each in (first, second, None)),
        )
        for name, group in groups.items()
        if group
    ]
    print(f"{first} against {second}, by {said['voter']}")
    for tally in tallies:
        low, high = tally.interval
        print(f"  {tally.set:8} {tally.wins:3} won {tally.losses:3} lost {tally.ties:3} same   "
              f"{100 * tally.rate:3.0f} % ({100 * low:.0f} to {100 * high:.0f})")  # fmt: skip
    if arguments.json:
        record = {
            "voter": said["voter"],
            "methods": document["methods"],
            "tallies": [each.record() for each in tallies],
            "votes": votes,
        }
        arguments.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
