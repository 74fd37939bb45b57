"""Print the paper's first table (NIQE, lower is better) with our rows for the sets that are given.

    python benchmarks/published_niqe.py DATA [--method NAME]... [--model NAME|FILE]... [--mode auto|full|fast]

DATA holds folders named as the paper's sets, in any case: MEF, LIME, NPE, VV, DICM. Published rows:
Jiang et al., "EnlightenGAN", IEEE TIP 2021, table I. A set with fewer photos than the paper's is
marked, and so is a mean over marked or missing sets.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from enlighten_cli.enhancement.enhance import Mode, Options
from enlighten_cli.evaluation.runner import INPUT, by_method, by_network, evaluate, photo_sets
from enlighten_cli.methods import METHODS
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.models.session import open_model

SETS = {"MEF": 17, "LIME": 10, "NPE": 8, "VV": 24, "DICM": 64}
PUBLISHED = {
    "Input": (4.265, 4.438, 4.319, 3.525, 4.255, 4.134),
    "LLNet": (4.845, 4.940, 4.78, 4.446, 4.809, 4.751),
    "CycleGAN": (3.782, 3.276, 4.036, 3.343, 3.560, 3.554),
    "RetinexNet": (4.149, 4.420, 4.485, 2.602, 4.200, 3.920),
    "LIME": (3.720, 4.155, 4.268, 2.489, 3.846, 3.629),
    "SRIE": (3.475, 3.788, 3.986, 2.850, 3.899, 3.650),
    "NPE": (3.524, 3.905, 3.953, 2.524, 3.760, 3.525),
    "EnlightenGAN": (3.232, 3.719, 4.113, 2.581, 3.570, 3.385),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--method", action="append", choices=METHODS, default=[])
    parser.add_argument("--model", action="append")
    parser.add_argument("--mode", choices=[mode.value for mode in Mode], default="auto")
    arguments = parser.parse_args()
    options = Options(mode=Mode(arguments.mode))
    methods = {name: by_method(METHODS[name].enhance) for name in (INPUT, *arguments.method)}
    for name in arguments.model or [DEFAULT_MODEL]:
        network = open_model(name)
        methods[name] = by_network(network, options)

    given = {folder.name.upper(): folder for folder in arguments.data.iterdir() if folder.name.upper() in SETS}
    if not given:
        parser.error(f"{arguments.data}: none of the sets {', '.join(SETS)}")
    ours: dict[str, dict[str, list[float]]] = {name: {} for name in methods}
    for set_name, folder in given.items():
        for scores in evaluate(photo_sets([folder], None), methods):
            if "niqe" in scores.values:
                ours[scores.method].setdefault(set_name, []).append(scores.values["niqe"])

    print("| NIQE | " + " | ".join([*SETS, "All"]) + " |")
    print("| --- |" + " --- |" * (len(SETS) + 1))
    for name, figures in PUBLISHED.items():
        print(f"| {name} (published) | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    for name, sets in ours.items():
        cells = []
        for set_name, count in SETS.items():
            values = sets.get(set_name, [])
            cells.append(f"{np.mean(values):.3f}{'' if len(values) == count else '*'}" if values else "-")
        values = [value for each in sets.values() for value in each]
        cells.append(f"{np.mean(values):.3f}{'' if len(values) == sum(SETS.values()) else '*'}")
        print(f"| {name} (here) | " + " | ".join(cells) + " |")
    counts = {name: len(ours["input"].get(name, [])) for name in SETS}
    incomplete = [f"{name} {counts[name]} of {count}" for name, count in SETS.items() if counts[name] != count]
    if incomplete:
        print("* incomplete: " + ", ".join(incomplete))


if __name__ == "__main__":
    main()
