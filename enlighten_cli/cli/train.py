"""Run ``enlighten train``: from the command line to the options of a run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from enlighten_cli.cli.train_options import device_called, new_config, refuse_used, resumed_config, with_settings
from enlighten_cli.cli.train_run import Setting, train_in
from enlighten_cli.errors import UsageError
from enlighten_cli.training.config import IMAGES_AN_EPOCH


@dataclass(frozen=True, kw_only=True)
class TrainArguments:
    """The arguments of ``enlighten train``.

    Parameters
    ----------
    recipe : dict
        Options of the recipe, by their names there; None where one is not given.
    """

    run: Path
    pairs: tuple[Path, Path] | None
    file: Path | None
    start: str | None
    epochs: float | None
    device: str
    workers: int | None
    vgg: Path | None
    val: Path | None
    skip_bad: bool
    settings: tuple[str, ...]
    resume: bool
    tensorboard: bool
    dry_run: bool
    recipe: dict[str, Any]

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the arguments."""
        return [field.name for field in fields(cls)]

    def options(self) -> dict[str, Any]:
        """Return the options of the recipe that are given.

        Raises
        ------
        UsageError
            If one is given twice.
        """
        given = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in self.recipe.items()
            if value is not None
        }
        if self.pairs:
            given |= {"pairs_low": str(self.pairs[0]), "pairs_high": str(self.pairs[1])}
        given = with_settings(given, self.settings)
        if self.epochs is not None:
            if "images" in given:
                raise UsageError("--epochs and --images both set the length; give one")
            given["images"] = round(self.epochs * IMAGES_AN_EPOCH)
        return given


def train_network(arguments: TrainArguments) -> None:
    """Train, or show the options of the run."""
    import torch

    # Before the first operation, because threads inherit it; denormals halve the speed.
    torch.set_flush_denormal(True)
    given, run, start = arguments.options(), arguments.run, arguments.start
    if arguments.resume:
        config, weights = resumed_config(run, {**given, **({"start": start} if start else {})}, arguments.file), None
    else:
        refuse_used(run)
        config, weights = new_config(given, arguments.file, start)
    if arguments.dry_run:
        click.echo(config.to_json(), nl=False)
        return
    setting = Setting(
        run,
        device_called(arguments.device),
        arguments.workers,
        arguments.vgg,
        arguments.val,
        arguments.skip_bad,
        arguments.tensorboard,
    )
    train_in(setting.remembered() if arguments.resume else setting, config, weights)
