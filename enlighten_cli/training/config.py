"""The configuration of a training run: one frozen value, which is also written to the run's folder."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from enlighten_cli.errors import UsageError

RANDOM = "random"  # start with random weights
PHOTO, SQUARE = "photo", "square"  # shape of frames
IMAGES_AN_EPOCH = 1016  # size of the larger of the paper's two sets; an epoch is one pass over it

Rules = Mapping[str, tuple[bool, str]]  # name of an option -> whether its value is valid, and which values are


@dataclass(frozen=True)
class ObjectiveOptions:
    """Options of one objective, in addition to the shared ones.

    Attributes
    ----------
    objective : str
        The objective's name.
    """

    objective: ClassVar[str]

    def rules(self, config: TrainConfig) -> Rules:
        """Return the rules that this objective adds to those of the shared options."""
        return {}


@dataclass(frozen=True)
class TrainConfig:
    """Options of a training run; the defaults are the paper's.

    Durations are counted in images that the exported network has seen, so that they do not depend on the batch
    size.

    Parameters
    ----------
    options : ObjectiveOptions
        Options of the objective, which also determine it. In JSON they stand beside the shared ones, with the
        objective's name as ``objective``.
    low, normal : str
        Folders of low-light and of normal-light photos.
    pairs_low, pairs_high : str
        Folders of dark and of well-lit photos of the same scenes, with the same names; for supervised training.
    start : str
        ``"random"``, or the weights with which the run started.
    width : int
        Channels of the exported network's first level; 32 in the paper.
    images : int
        Length of the run; 200 epochs of 1016 in the paper.
    crop_px : int
        Side of a training crop, a multiple of 16.
    batch : int
        Crops per step.
    lr : float
        Adam's learning rate, of the exported network.
    constant_fraction : float
        Part of the run, in [0, 1], with constant learning rates; after it they fall linearly to zero.
    ema_images : int
        Half-life, in images, of the exponential moving average of the exported network's weights; 0 for none.
    frame : str
        ``"photo"``: frames have the photo's shape, and the network sees a crop of each. ``"square"``: frames
        are square and reduced to `crop_px`, so that the network sees all of each, because the right
        brightness depends on the whole photo. Then `training_pixels` becomes `crop_px` squared.
    frame_min : float
        Augmentation by random framing: a frame is a part of the photo's height and width, drawn from
        [frame_min, 1].
    exposure_stops : float
        Augmentation of low photos by exposure, in stops drawn from [-exposure_stops, exposure_stops].
    darkened_probability : float
        Probability with which a darkened normal photo takes the place of the low one.
    training_pixels : int
        Size, in pixels, to which photos are reduced in training and in use; 0 for no reduction. It is recorded
        in the model.
    precision : str
        ``"fp32"``, or mixed precision with losses in fp32: ``"bf16"``, or ``"fp16"`` for GPUs without
        bfloat16.
    seed : int
        All random numbers are functions of the seed and the image's number.
    """

    options: ObjectiveOptions
    low: str = ""
    normal: str = ""
    pairs_low: str = ""
    pairs_high: str = ""
    start: str = RANDOM
    width: int = 32
    images: int = 200 * IMAGES_AN_EPOCH
    crop_px: int = 320
    batch: int = 32
    lr: float = 1e-4
    constant_fraction: float = 0.5
    ema_images: int = 0
    frame: str = PHOTO
    frame_min: float = 1.0
    exposure_stops: float = 0.0
    darkened_probability: float = 0.0
    training_pixels: int = 0
    precision: str = "fp32"
    seed: int = 0

    def __post_init__(self) -> None:
        """Set `training_pixels` for square frames, and refuse invalid options; the error names the option.

        Raises
        ------
        UsageError
            If an option is out of its range.
        """
        if self.frame == SQUARE and self.training_pixels == 0:
            object.__setattr__(self, "training_pixels", self.crop_px**2)
        rules = {
            "width": (self.width >= 1, "at least 1"),
            "images": (self.images >= 1, "at least 1"),
            "crop_px": (self.crop_px >= 32 and self.crop_px % 16 == 0, "a multiple of 16, at least 32"),
            "batch": (self.batch >= 1, "at least 1"),
            "lr": (0 < self.lr < 1, "above 0 and below 1"),
            "constant_fraction": (0 <= self.constant_fraction <= 1, "from 0 to 1"),
            "ema_images": (self.ema_images >= 0, "0 or more"),
            "frame": (self.frame in (PHOTO, SQUARE), "photo or square"),
            "frame_min": (0.1 <= self.frame_min <= 1, "from 0.1 to 1"),
            "exposure_stops": (0 <= self.exposure_stops <= 8, "from 0 to 8"),
            "darkened_probability": (0 <= self.darkened_probability <= 1, "from 0 to 1"),
            "training_pixels": (self.training_pixels == 0 or self.training_pixels >= 1024, "0, or at least 1024"),
            "training_pixels of square frames": (
                self.frame != SQUARE or self.training_pixels == self.crop_px**2,
                "crop_px squared",
            ),
            "precision": (self.precision in ("fp32", "bf16", "fp16"), "fp32, bf16 or fp16"),
            "seed": (self.seed >= 0, "0 or more"),
        }
        for name, (holds, wanted) in (*rules.items(), *self.options.rules(self).items()):
            if not holds:
                value = self.to_mapping()[name.split()[0]]
                raise UsageError(f"{name} is {value!r}; it must be {wanted}")

    @property
    def objective(self) -> str:
        """Name of the objective."""
        return self.options.objective

    def learning_rate_factor(self, images_seen: int) -> float:
        """Return the factor of the learning-rate schedule: 1, then falling linearly to 0."""
        constant = self.constant_fraction * self.images
        if images_seen <= constant:
            return 1.0
        return max(0.0, (self.images - images_seen) / (self.images - constant))

    def to_mapping(self) -> dict[str, Any]:
        """Return all options by name: the shared ones and those of the objective."""
        shared = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del shared["options"]
        return {"objective": self.objective, **shared, **dataclasses.asdict(self.options)}

    def to_json(self) -> str:
        """Return the options as indented JSON."""
        return json.dumps(self.to_mapping(), indent=2) + "\n"
