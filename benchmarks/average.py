"""Average two generators: what one knew, and what it learned since.

    python benchmarks/average.py BEFORE AFTER -o OUT.safetensors [--part 0.5] [--seed 0]

A network that was trained on lies in the same valley of the loss as where it began, and so does
the line between (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022,
arXiv:2109.01903). BEFORE is widened first, if AFTER is wider: as training did, if the seed is its seed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from enlighten_cli.training.checkpoint import read_weights, write_weights
from enlighten_cli.training.networks.widening import widened


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--part", type=float, default=0.5, help="of AFTER")
    parser.add_argument("--seed", type=int, default=0, help="of the run that widened BEFORE")
    arguments = parser.parse_args()
    after = read_weights(arguments.after)
    before = widened(read_weights(arguments.before).generator, after.generator.width, arguments.seed).state_dict()
    tensors = after.generator.state_dict()
    for name, tensor in tensors.items():
        if tensor.is_floating_point():
            tensor.lerp_(before[name], 1 - arguments.part)
    write_weights(arguments.output, after.generator, {}, after.metadata)


if __name__ == "__main__":
    main()
