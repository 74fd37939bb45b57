"""What a training run is asked to do, as one frozen value that is written into the run."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from enlighten_cli.errors import UsageError

RANDOM = "random"  # a start from nothing
PHOTO, SQUARE = "photo", "square"  # what frames look like
IMAGES_AN_EPOCH = 1016  # the larger of the paper's two sets; an epoch is one pass over it


@dataclass(frozen=True)
class TrainConfig:
    """Options of a training run; the defaults are the paper's.

    Durations are counted in images (low crops seen by the generator), so that they mean the
    same at every batch size.

    Parameters
    ----------
    low, normal : str
        Folders of low-light and of normal-light photos.
    start : str
        ``"random"``, or the weights that the run started from.
    width : int
        Channels of the generator's first level; 32 in the paper.
    discriminator_width : int
        Channels of the first layer of both discriminators; 64 in the paper.
    images : int
        Length of the run; 200 epochs of 1016 in the paper.
    crop_px : int
        Side of a training crop, a multiple of 16.
    reduce_min, reduce_max : float
        Each photo is reduced by a factor drawn from this range before it is cropped, or as far
        as it is large enough. With `look_pixels` it is first reduced to these.
    batch : int
        Crops a step.
    lr, discriminator_lr : float
        Adam's learning rates.
    constant_fraction : float
        Part of the run, in [0, 1], before the learning rates begin to fall linearly to zero.
    ema_images : int
        Half-life, in images, of the moving average of the generator's weights; 0 for none.
    warm_start_images : int
        Images of the two lessons below alone, before the adversaries begin; for a random start,
        where nothing brightens for a thousand steps otherwise.
    lift_weight : float
        Weight of the L1 distance to `lift.lift` of the low crops; 0 in the paper.
    well_lit_weight : float
        Weight of the L1 distance between what the generator makes of normal crops and those
        crops, or what `well_lit_lift` makes of them: photos with light enough are to be left
        alone; 0 in the paper.
    well_lit_lift : float
        Part of `lift.lift`, in [0, 1], that well-lit photos are to get: a little, and their
        shadows are lifted.
    frozen_images : int
        Images in which only the discriminators learn; for known weights whose discriminators
        are lost.
    sfp_px : int
        Side to which crops are reduced for the self-feature-preserving loss; 0 leaves them.
    patches, patch_px : int
        Patches a crop for the local discriminator, and their side.
    dim_probability, dim_min, dim_max : float
        Light augmentation: with this probability the generator is fed the low crop divided by a
        factor drawn from [dim_min, dim_max].
    frame : str
        ``"photo"``: frames have the photo's shape, and a crop of each is seen. ``"square"``: they are
        square, and reduced to `crop_px`, so that all of each is seen: how bright a photo is to be hangs on
        all of it. Then `look_pixels` becomes `crop_px` squared, and `reduce_min` and `reduce_max` mean nothing.
    frame_min : float
        Each photo is framed anew: a part of its height and width, drawn from [frame_min, 1],
        stands for the whole.
    exposure_stops : float
        Light augmentation: low photos are exposed anew, by stops drawn from
        [-exposure_stops, exposure_stops], before they are lifted.
    darkened_probability : float
        With this probability a darkened normal photo serves as the low one.
    kept_detail_weight : float
        Weight of `losses.changed_detail`, beside the lessons: the generator learns to judge light from photos far
        reduced, and is to keep the fine detail that it made, when the run began, of those that are not; 0 in the
        paper.
    detail_weight : float
        Weight of `losses.new_detail`, which keeps grain and ringing away; 0 in the paper.
    look_pixels : int
        How many pixels of a photo, reduced, the model sees in training and is to see in use;
        0 if it learns from photos as they are. Recorded in the model.
    precision : str
        ``"fp32"``, or networks in mixed precision with losses in fp32: ``"bf16"``, or ``"fp16"``
        for GPUs that lack it.
    seed : int
        Everything random is a function of the seed and the image's number.
    """

    low: str = ""
    normal: str = ""
    start: str = RANDOM
    width: int = 32
    discriminator_width: int = 64
    images: int = 200 * IMAGES_AN_EPOCH
    crop_px: int = 320
    reduce_min: float = 1.0
    reduce_max: float = 1.0
    batch: int = 32
    lr: float = 1e-4
    discriminator_lr: float = 1e-4
    constant_fraction: float = 0.5
    ema_images: int = 0
    warm_start_images: int = 0
    lift_weight: float = 0.0
    well_lit_weight: float = 0.0
    well_lit_lift: float = 0.0
    frozen_images: int = 0
    sfp_px: int = 0
    patches: int = 6
    patch_px: int = 32
    dim_probability: float = 0.5
    dim_min: float = 2.0
    dim_max: float = 4.0
    frame: str = PHOTO
    frame_min: float = 1.0
    exposure_stops: float = 0.0
    darkened_probability: float = 0.0
    kept_detail_weight: float = 0.0
    detail_weight: float = 0.0
    look_pixels: int = 0
    precision: str = "fp32"
    seed: int = 0

    def __post_init__(self) -> None:
        """Settle what square frames are looked at by; refuse what cannot work, naming the option.

        Raises
        ------
        UsageError
            If an option is out of its range.
        """
        if self.frame == SQUARE and self.look_pixels == 0:
            object.__setattr__(self, "look_pixels", self.crop_px**2)
        rules = {
            "width": (self.width >= 1, "at least 1"),
            "discriminator_width": (self.discriminator_width >= 1, "at least 1"),
            "images": (self.images >= 1, "at least 1"),
            "crop_px": (self.crop_px >= 32 and self.crop_px % 16 == 0, "a multiple of 16, at least 32"),
            "reduce_min": (0.5 <= self.reduce_min <= self.reduce_max, "from 0.5 to reduce_max"),
            "reduce_max": (1 <= self.reduce_max <= 64, "from 1 to 64"),
            "batch": (self.batch >= 1, "at least 1"),
            "lr": (0 < self.lr < 1, "above 0 and below 1"),
            "discriminator_lr": (0 < self.discriminator_lr < 1, "above 0 and below 1"),
            "constant_fraction": (0 <= self.constant_fraction <= 1, "from 0 to 1"),
            "ema_images": (self.ema_images >= 0, "0 or more"),
            "warm_start_images": (self.warm_start_images >= 0, "0 or more"),
            "lift_weight": (self.lift_weight >= 0, "0 or more"),
            "well_lit_weight": (self.well_lit_weight >= 0, "0 or more"),
            "well_lit_lift": (0 <= self.well_lit_lift <= 1, "from 0 to 1"),
            "frozen_images": (self.frozen_images >= 0, "0 or more"),
            "sfp_px": (self.sfp_px == 0 or self.sfp_px >= 16, "0, or at least 16"),
            "patches": (self.patches >= 1, "at least 1"),
            "patch_px": (16 <= self.patch_px <= self.crop_px, "from 16 to the crop"),
            "dim_probability": (0 <= self.dim_probability <= 1, "from 0 to 1"),
            "dim_min": (1 <= self.dim_min <= self.dim_max, "from 1 to dim_max"),
            "frame": (self.frame in (PHOTO, SQUARE), "photo or square"),
            "frame_min": (0.1 <= self.frame_min <= 1, "from 0.1 to 1"),
            "exposure_stops": (0 <= self.exposure_stops <= 8, "from 0 to 8"),
            "darkened_probability": (0 <= self.darkened_probability <= 1, "from 0 to 1"),
            "kept_detail_weight": (
                self.kept_detail_weight == 0 or (self.kept_detail_weight > 0 and self.start != RANDOM),
                "0, or more where the run begins with known weights",
            ),
            "detail_weight": (self.detail_weight >= 0, "0 or more"),
            "look_pixels": (self.look_pixels == 0 or self.look_pixels >= 1024, "0, or at least 1024"),
            "look_pixels of square frames": (
                self.frame != SQUARE or self.look_pixels == self.crop_px**2,
                "crop_px squared",
            ),
            "precision": (self.precision in ("fp32", "bf16", "fp16"), "fp32, bf16 or fp16"),
            "seed": (self.seed >= 0, "0 or more"),
        }
        for name, (holds, wanted) in rules.items():
            if not holds:
                raise UsageError(f"{name} is {getattr(self, name.split()[0])!r}; it must be {wanted}")

    def warms_up(self, images_seen: int) -> bool:
        """Whether the step after so many images is one of the lessons alone."""
        return images_seen < self.warm_start_images

    def learning_rate_factor(self, images_seen: int) -> float:
        """Return what the learning rates are multiplied by: 1, then linearly to 0."""
        constant = self.constant_fraction * self.images
        if images_seen <= constant:
            return 1.0
        return max(0.0, (self.images - images_seen) / (self.images - constant))

    def to_json(self) -> str:
        """Return the options as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_mapping(cls, options: dict[str, Any], source: str) -> Self:
        """Make a configuration from a mapping, refusing names it does not know.

        Parameters
        ----------
        options : dict
            Names and values of options; those absent keep their defaults.
        source : str
            Where they come from, for the message.

        Raises
        ------
        UsageError
            If a name is unknown, a value has the wrong type or is out of its range.
        """
        kinds = {field.name: type(field.default) for field in dataclasses.fields(cls)}
        for name, value in options.items():
            if name not in kinds:
                raise UsageError(f"{source}: unknown option {name!r}")
            if isinstance(value, bool) or not isinstance(
                value, (kinds[name], int) if kinds[name] is float else kinds[name]
            ):
                raise UsageError(f"{source}: {name} is {value!r}; it must be of type {kinds[name].__name__}")
        return cls(**options)


def read_options(path: Path) -> dict[str, Any]:
    """Read a JSON file of options.

    Raises
    ------
    UsageError
        If the file cannot be read or is not a JSON object.
    """
    try:
        options = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: not a readable JSON file of options ({error})") from error
    if not isinstance(options, dict):
        raise UsageError(f"{path}: a JSON object of options is wanted")
    return options
