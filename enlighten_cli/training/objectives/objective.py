"""What a run learns: networks, the data that they need, and a step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.optim import Optimizer

from enlighten_cli.errors import UsageError
from enlighten_cli.photo import Pixels
from enlighten_cli.training.checkpoint import Weights
from enlighten_cli.training.config import RANDOM, ObjectiveOptions, TrainConfig
from enlighten_cli.training.data.batches import Samples
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent


@dataclass(frozen=True)
class Needs:
    """What an objective asks of the run.

    Parameters
    ----------
    folders : tuple of str
        Options that name folders of photos.
    vgg : bool
        Whether it compares features of VGG-16.
    """

    folders: tuple[str, ...] = ("low", "normal")
    vgg: bool = False


@dataclass(frozen=True)
class Stage:
    """A part of a run: one objective, for the steps that begin before image number `until`."""

    objective: Objective
    until: int


class Objective(ABC):
    """What is learned.

    Parameters
    ----------
    config : TrainConfig
        Its `options` are this objective's `Options`.
    descent : Descent
    features : Module or None
        `VggFeatures` on the device, where the objective needs them.

    Attributes
    ----------
    Options : type
        Of its own options.
    exported : str
        The network that is averaged over the run and shipped.
    default_start : str
        What a run begins with unless told otherwise.
    networks : ModuleDict
        All that a checkpoint keeps: those that learn, and those frozen ones that they are compared with. Networks
        named ``"discriminators"`` are written beside the exported weights, for fine-tuning.
    optimisers : dict of str to Optimizer
        Their learning rates at the beginning of the schedule are those that they were made with.
    """

    Options: ClassVar[type[ObjectiveOptions]]
    exported: ClassVar[str]
    default_start: ClassVar[str] = RANDOM
    networks: nn.ModuleDict
    optimisers: dict[str, Optimizer]

    def __init__(self, config: TrainConfig, descent: Descent, features: nn.Module | None = None) -> None:
        self.config = config
        self.descent = descent
        self.features = features

    @classmethod
    @abstractmethod
    def needs(cls, config: TrainConfig) -> Needs:
        """Return what a run with these options asks for."""

    @abstractmethod
    def samples(self, photos: PhotoFolders) -> Samples:
        """Return the data that it learns from."""

    @abstractmethod
    def step(self, batch: Any, images_seen: int) -> dict[str, Tensor]:
        """Descend the losses of one batch (of this process's part of it), and return them by name."""

    def stages(self) -> Sequence[Stage]:
        """Return what is learned one after the other; all are to work on this objective's networks."""
        return [Stage(self, self.config.images)]

    @classmethod
    def suggested(cls, weights: Weights | None) -> dict[str, Any]:
        """Return options that suit a start from some weights, or from nothing, unless they are given."""
        return {}

    @classmethod
    def read(cls, path: Path) -> Weights:
        """Read weights to start from.

        Raises
        ------
        UsageError
            If the objective begins with nothing.
        """
        raise UsageError(f"{cls.Options.objective} begins with nothing; leave --from out")

    @classmethod
    def fitted(cls, weights: Weights, config: TrainConfig) -> Weights:
        """Fit the weights to the options, as by widening."""
        return weights

    def start_from(self, weights: Weights) -> None:
        """Begin with known weights; the average and a checkpoint follow."""
        raise NotImplementedError

    @abstractmethod
    def metadata(self) -> dict[str, str]:
        """Return what is recorded beside the exported network's weights."""

    def restore(self, metadata: Mapping[str, str]) -> None:  # noqa: B027, as few need it
        """Take over what `metadata` recorded in a checkpoint, whose tensors are loaded afterwards."""

    @abstractmethod
    def picture(self, network: nn.Module, pixels: Pixels) -> Pixels:
        """Return what the exported network, or its average, makes of a photo in use: (H, W, 3) uint8."""

    @classmethod
    @abstractmethod
    def export(cls, checkpoint: Path, stem: Path, *, name: str, licence: str) -> Path:
        """Write the exported network of a checkpoint as it is used, checked, and return the file.

        Parameters
        ----------
        checkpoint : Path
        stem : Path
            Of the files, which have it as their name but for a suffix.
        name, licence : str
            Recorded in them.

        Raises
        ------
        TrainingError
            If what was written would differ from what was trained.
        """
