"""Fit the meter of noise that the package ships, and write it.

    python -m enlighten_cli.training.noise_meter NORMAL -o weights/noise_meter.npz --config weights/noise_meter.json

NORMAL holds well-lit photos without noise of their own; every fifth is left out, to check on. It takes 20 minutes.
`benchmarks/noise_meter.py` checks the result.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import torch
from torch import nn

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.enhancement.noise import LEVELS, NOISE_SOFTENED, NoiseMeter, features
from enlighten_cli.errors import UsageError
from enlighten_cli.training.data.noise_samples import Sample, samples, split

LEAST_SPREAD = 1e-3  # added to the deviation of each feature, so that one that never changes divides by something
HUBER = 0.3  # in powers of two
TOLD_EPOCHS = 10


@dataclass(frozen=True)
class MeterRecipe:
    """How a meter is fitted; the defaults are those of the package's.

    Parameters
    ----------
    samples : int
        Photos with noise that are made.
    hidden : int
        Width of the two hidden layers.
    epochs, batch : int
        Passes over the samples, and samples a step.
    lr, weight_decay : float
        Of AdamW; the learning rate rises to `lr` and falls to zero (one cycle).
    seed : int
    """

    samples: int = 36_000
    hidden: int = 64
    epochs: int = 40
    batch: int = 128
    lr: float = 3e-3
    weight_decay: float = 0.1
    seed: int = 0

    @classmethod
    def read(cls, path: Path) -> MeterRecipe:
        """Read a recipe from a JSON file.

        Raises
        ------
        UsageError
            If it is not one.
        """
        try:
            return cls(**json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            raise UsageError(f"{path}: not a recipe of a noise meter: {error}") from error


def fit(examples: Sequence[Sample], recipe: MeterRecipe) -> NoiseMeter:
    """Fit a meter to photos with noise of known strength.

    Parameters
    ----------
    examples : sequence of Sample
    recipe : MeterRecipe
    """
    torch.manual_seed(recipe.seed)
    described = np.concatenate([features(each.statistics) for each in examples])
    truth = np.concatenate([each.truth for each in examples])
    centre, spread = described.mean(axis=0), described.std(axis=0) + LEAST_SPREAD
    inputs = torch.from_numpy((described - centre) / spread)
    targets = torch.from_numpy(np.log2(255 * truth + NOISE_SOFTENED).astype(np.float32))
    network = _perceptron(inputs.shape[1], recipe.hidden)
    optimiser = torch.optim.AdamW(network.parameters(), recipe.lr, weight_decay=recipe.weight_decay)
    rows = recipe.batch * LEVELS
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.lr, total_steps=recipe.epochs * -(-len(inputs) // rows)
    )
    for epoch in range(1, recipe.epochs + 1):
        total = 0.0
        order = torch.randperm(len(inputs))
        for start in range(0, len(inputs), rows):
            part = order[start : start + rows]
            loss = nn.functional.smooth_l1_loss(network(inputs[part])[:, 0], targets[part], beta=HUBER)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(part) / len(inputs)
        if epoch % TOLD_EPOCHS == 0:
            click.echo(f"epoch {epoch}: loss {total:.4f}", err=True)
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    weights = tuple(np.ascontiguousarray(layer.weight.detach().numpy().T) for layer in linear)
    biases = tuple(layer.bias.detach().numpy() for layer in linear)
    return NoiseMeter(centre.astype(np.float32), spread.astype(np.float32), weights, biases)


def write_meter(meter: NoiseMeter, path: Path) -> None:
    """Write the file that `NoiseMeter.read` reads."""
    arrays = {"centre": meter.centre, "spread": meter.spread}
    for layer, (weight, bias) in enumerate(zip(meter.weights, meter.biases, strict=True)):
        arrays |= {f"weight{layer}": weight, f"bias{layer}": bias}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    write_whole(path, file.getvalue())


def _perceptron(inputs: int, hidden: int) -> nn.Sequential:
    sizes = (inputs, hidden, hidden)
    layers = [part for size, following in pairwise(sizes) for part in (nn.Linear(size, following), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(hidden, 1))


@click.command(help=__doc__, context_settings={"max_content_width": 120})
@click.argument("normal", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
def main(normal: Path, output: Path, config: Path) -> None:
    """Fit a meter, and write it."""
    recipe = MeterRecipe.read(config)
    fitted, _ = split(find_photos(normal))
    write_meter(fit(list(samples(fitted, range(recipe.samples))), recipe), output)


if __name__ == "__main__":
    main()
