"""The interface of an objective: its networks, its data and its training step."""

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
    """The inputs that an objective needs.

    Parameters
    ----------
    folders : tuple of str
        Options that name folders of photos.
    optional : tuple of str
        Options that name folders which are used if they are given.
    vgg : bool
        Whether it needs the weights of VGG-16.
    """

    folders: tuple[str, ...] = ("low", "normal")
    optional: tuple[str, ...] = ()
    vgg: bool = False

    def used(self, config: TrainConfig) -> tuple[str, ...]:
        """Return the options of the folders that a run uses."""
        return (*self.folders, *(name for name in self.optional if getattr(config, name)))


@dataclass(frozen=True)
class Stage:
    """A part of a run: one objective, for the steps whose first image has a number below `until`."""

    objective: Objective
    until: int


class Objective(ABC):
    """What a run learns: the base class of all objectives.

    Parameters
    ----------
    config : TrainConfig
        Its `options` are this objective's `Options`.
    descent : Descent
    features : Module or None
        `VggFeatures` on the device, if the objective needs them.

    Attributes
    ----------
    Options : type
        Type of the objective's own options.
    exported : str
        Name of the network that is averaged over the run and exported.
    has_weights : bool
        Whether its export writes weights from which training can start, beside the model.
    default_start : str
        Default of the option that chooses the initial weights.
    networks : ModuleDict
        All networks of a checkpoint: those that learn, and frozen ones with which they are compared. Networks
        named ``"discriminators"`` are written beside the exported weights, for fine-tuning.
    optimisers : dict of str to Optimizer
        Each is created with the learning rate with which its schedule begins.
    """

    Options: ClassVar[type[ObjectiveOptions]]
    exported: ClassVar[str]
    has_weights: ClassVar[bool] = False
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
        """Return the inputs that a run with these options needs."""

    @abstractmethod
    def samples(self, photos: PhotoFolders) -> Samples:
        """Return the training data."""

    @abstractmethod
    def step(self, batch: Any, images_seen: int) -> dict[str, Tensor]:
        """Train on one batch (on this process's part of it), and return the losses by name."""

    def stages(self) -> Sequence[Stage]:
        """Return the stages of the run in order; all of them train this objective's networks."""
        return [Stage(self, self.config.images)]

    @classmethod
    def suggested(cls, weights: Weights | None) -> dict[str, Any]:
        """Return defaults of options that depend on the initial weights; None is a random start."""
        return {}

    @classmethod
    def read(cls, path: Path) -> Weights:
        """Read weights to start from.

        Raises
        ------
        UsageError
            If the objective always starts with random weights.
        """
        raise UsageError(f"{cls.Options.objective} always starts with random weights; leave --from out")

    @classmethod
    def fitted(cls, weights: Weights, config: TrainConfig) -> Weights:
        """Adapt the weights to the options, for example by widening."""
        return weights

    def start_from(self, weights: Weights) -> None:
        """Load pretrained weights into the networks."""
        raise NotImplementedError

    @abstractmethod
    def metadata(self) -> dict[str, str]:
        """Return the metadata that is stored with the exported network's weights."""

    def restore(self, metadata: Mapping[str, str]) -> None:  # noqa: B027, as few need it
        """Restore what `metadata` recorded in a checkpoint; its tensors are loaded afterwards."""

    @abstractmethod
    def picture(self, network: nn.Module, pixels: Pixels) -> Pixels:
        """Return the result of the exported network, or of its average, for a photo as in use: (H, W, 3) uint8."""

    @classmethod
    @abstractmethod
    def export(cls, checkpoint: Path, stem: Path, *, name: str, licence: str) -> Path:
        """Export a checkpoint's network, check the result, and return the ``.onnx`` file.

        Parameters
        ----------
        checkpoint : Path
        stem : Path
            Path of the files without their suffixes.
        name, licence : str
            Recorded in them.

        Raises
        ------
        TrainingError
            If the exported network would differ from the trained one.
        """
