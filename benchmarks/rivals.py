"""Train networks by the objectives of other papers, on a CPU with two cores, to compare them with the shipped model.

    python benchmarks/rivals.py LOW NORMAL OUT [--pairs LOW HIGH] [--only NAME ...] [--images N] [--seconds N]

The recipes are those of benchmarks/rivals; each takes about 10 to 25 minutes of one core. Retinex-Net is supervised:
without `--pairs`, it learns from synthetic pairs, made from NORMAL by made_pairs.py in OUT/pairs. What is done is not
done again: run the command again to go on, for example where `--seconds` ended it. The last lines say where the models
are; compare them with: enlighten evaluate PHOTOS --model lite --model OUT/zero-dce/model.onnx --report page.html
"""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path

from library.resumable import trained
from made_pairs import make_pairs

from enlighten_cli.training.data.pairs import PAIRS
from enlighten_cli.training.recipe import config_from, objective_class, read_options

RECIPES = {path.stem: path for path in sorted((Path(__file__).parent / "rivals").glob("*.json"))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("low", type=Path)
    parser.add_argument("normal", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--pairs", type=Path, nargs=2, metavar=("LOW", "HIGH"), help="folders of real pairs")
    parser.add_argument("--only", action="append", choices=list(RECIPES), help="may be repeated")
    parser.add_argument("--images", type=int, help="length of each run, instead of the recipe's")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop training after so long")
    arguments = parser.parse_args()
    until = time.monotonic() + arguments.seconds
    models = {
        name: trained(arguments.output / name, until, partial(options_of, name, arguments))
        for name in arguments.only or RECIPES
    }
    for name, model in models.items():
        print(f"{name}: {model or 'not trained to its end yet: run the command again'}")
    if not all(models.values()):
        sys.exit(1)


def options_of(name: str, arguments: argparse.Namespace) -> list[str]:
    """Return the options of a new run."""
    images = ["--images", str(arguments.images)] if arguments.images else []
    return ["--config", str(RECIPES[name]), *inputs(name, arguments), *images]


def inputs(name: str, arguments: argparse.Namespace) -> list[str]:
    """Return the options of the folders that an objective needs."""
    options = read_options(RECIPES[name])
    needs = objective_class(options, name).needs(config_from(options, name))
    if needs.folders == PAIRS:
        low, high = arguments.pairs or make_pairs(arguments.normal, arguments.output / "pairs")
        return ["--pairs", str(low), str(high)]
    return [word for role in (*needs.folders, *needs.optional) for word in (f"--{role}", str(getattr(arguments, role)))]


if __name__ == "__main__":
    main()
