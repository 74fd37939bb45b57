"""The training loop, read from top to bottom."""

from __future__ import annotations

import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.errors import TrainingError
from enlighten_cli.gallery.sheet import contact_sheet
from enlighten_cli.photo import Photo, Pixels, Rgb, as_pixels, as_rgb, encode
from enlighten_cli.tiling import padded_index
from enlighten_cli.training import losses
from enlighten_cli.training.checkpoint import TrainState, write_weights
from enlighten_cli.training.config import RANDOM, TrainConfig
from enlighten_cli.training.dataset import Sample, UnpairedPhotos, batches
from enlighten_cli.training.generator import EnlightenNet
from enlighten_cli.training.group import ALONE, Group
from enlighten_cli.training.perceptual import self_feature_preserving

CHECKPOINT = "checkpoint.safetensors"
STATS = "stats.jsonl"
SNAPSHOTS = 20  # a run
STATUS_STEPS = 25
WELL_LIT_PART = 4  # of a batch of low crops, so many normal ones go along


@dataclass(frozen=True)
class Status:
    """Where a run stands; one line of ``stats.jsonl``."""

    images: int
    images_per_second: float
    learning_rate_factor: float
    losses: dict[str, float] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Watch:
    """How somebody looks at a run while it goes, without changing it.

    Parameters
    ----------
    sheet : sequence of ndarray, shape (H, W, 3), uint8
        Photos of which a sheet, input beside enhanced, is made at every snapshot.
    score : callable
        Given enhanced photos, returns named scores for the log.
    tell : callable
        Receives every `Status`.
    stopping : callable
        Asked after every step; true ends the run early, with a checkpoint.
    """

    sheet: Sequence[Pixels] = ()
    score: Callable[[Sequence[Pixels]], dict[str, float]] = lambda photos: {}
    tell: Callable[[Status], None] = lambda status: None
    stopping: Callable[[], bool] = lambda: False


def train(
    state: TrainState,
    photos: UnpairedPhotos,
    features: nn.Module,
    run: Path,
    workers: int,
    watch: Watch,
    group: Group = ALONE,
) -> bool:
    """Train until the configured number of images was seen.

    Parameters
    ----------
    state : TrainState
        Changed in place.
    photos : UnpairedPhotos
    features : Module
        `VggFeatures`, on the state's device.
    run : Path
        An existing folder for ``stats.jsonl``, sheets, snapshots and the checkpoint.
    workers : int
        Processes that prepare crops; they change nothing but the speed.
    watch : Watch
    group : Group
        The processes that share the run; each takes its part of every batch.

    Returns
    -------
    bool
        Whether the run is complete; false if it was stopped early.

    Raises
    ------
    TrainingError
        If a loss is not finite; the message names the image and the term.
    """
    config = state.config
    every = max(config.batch, config.images // SNAPSHOTS)
    sums: dict[str, float] = defaultdict(float)
    steps, began = 0, time.monotonic()

    with (run / STATS if group.leads else Path(os.devnull)).open("a", encoding="utf-8") as stats:
        for sample in batches(photos, state.images_seen, workers, group):
            terms = step(state, features, sample, group)
            before, state.images_seen = state.images_seen, state.images_seen + len(sample.low) * group.size
            state.update_average()

            # Look at what came out of it.
            for name, value in terms.items():
                if not math.isfinite(value):
                    raise TrainingError(f"the {name} loss is {value} at image {state.images_seen}")
                sums[name] += value
            steps += 1

            # Tell, draw, save.
            done = state.images_seen >= config.images
            stopping = group.any(watch.stopping(), state.device)
            snapshot = done or state.images_seen // every > before // every
            if not group.leads:
                if stopping and not done:
                    return False
                continue
            if steps == STATUS_STEPS or snapshot or stopping:
                speed = steps * config.batch / (time.monotonic() - began)
                scores = _snapshot(state, run, watch) if snapshot else {}
                means = {name: total / steps for name, total in sums.items()}
                status = Status(state.images_seen, speed, config.learning_rate_factor(state.images_seen), means, scores)
                _append(stats, status)
                watch.tell(status)
                sums.clear()
                steps, began = 0, time.monotonic()
            if snapshot or stopping:
                state.save(run / CHECKPOINT)
            if stopping and not done:
                return False
    return True


def step(state: TrainState, features: nn.Module, sample: Sample, group: Group = ALONE) -> dict[str, float]:
    """Take one step of whichever phase the run is in, and return the losses (of this process's part)."""
    config, seen = state.config, state.images_seen
    low, lifted, normal, kept = (_to_rgb(batch, state.device) for batch in sample[:4])
    fed = low / sample.dimming.to(state.device).view(-1, 1, 1, 1)
    crops = Crops(low, fed, lifted, normal, kept, sample.corners)
    state.set_learning_rates()
    # Known weights keep the statistics of their norms: those of small batches would undo what they know.
    state.generator.train(config.start == RANDOM)
    if seen < config.warm_start_images:
        terms = _warm_start_step(state, crops, group)
        if seen + len(low) * group.size >= config.warm_start_images:
            state.restart_generator_optimiser()
    else:
        frozen = seen < config.warm_start_images + config.frozen_images
        terms = _adversarial_step(state, features, crops, group, frozen=frozen)
    names = list(terms)
    values = torch.stack([terms[name].detach() for name in names]).tolist()
    return dict(zip(names, values, strict=True))


@dataclass(frozen=True)
class Crops:
    """A batch on the device: (N, 3, H, W) in [0, 1], and the corners of the patches, (N, P, 2).

    `fed` is what the generator sees of `low`; `kept` what it is to make of `normal`.
    """

    low: Tensor
    fed: Tensor
    lifted: Tensor
    normal: Tensor
    kept: Tensor
    corners: Tensor

    @property
    def well_lit(self) -> Tensor:
        """The normal crops that the generator is to leave alone; a few will do."""
        return self.normal[: max(1, len(self.normal) // WELL_LIT_PART)]


def _to_rgb(batch: Tensor, device: torch.device) -> Tensor:
    return batch.to(device, memory_format=torch.channels_last).float() / 255


def _mixed_precision(config: TrainConfig, device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16")


def _warm_start_step(state: TrainState, crops: Crops, group: Group) -> dict[str, Tensor]:
    """Teach the generator plain lifting, and to leave well-lit photos alone; the adversaries take over from there."""
    with _mixed_precision(state.config, state.device):
        made = state.generator(torch.cat([crops.fed, crops.well_lit])).float()
    terms = _lessons(crops, made, 1.0, 1.0)
    state.generator_optimiser.zero_grad()
    torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    group.average_gradients(state.generator.parameters())
    state.generator_optimiser.step()
    return terms


def _lessons(crops: Crops, made: Tensor, lift_weight: float, well_lit_weight: float) -> dict[str, Tensor]:
    enhanced, kept = made[: len(crops.low)], made[len(crops.low) :]
    terms = {}
    if lift_weight:
        terms["lift"] = lift_weight * F.l1_loss(enhanced, crops.lifted)
    if well_lit_weight:
        terms["well_lit"] = well_lit_weight * F.l1_loss(kept, crops.kept[: len(kept)])
    return terms


def _adversarial_step(
    state: TrainState, features: nn.Module, crops: Crops, group: Group, *, frozen: bool
) -> dict[str, Tensor]:
    """Let the generator step against both discriminators, then both against the same fakes."""
    config, low, normal = state.config, crops.low, crops.normal
    judge, local_judge = state.discriminators["global"], state.discriminators["local"]
    if frozen:
        state.generator.eval()
    with _mixed_precision(config, state.device), torch.set_grad_enabled(not frozen):
        # One batch, so that its norms see both kinds of crop, as they will in use.
        fed = torch.cat([crops.fed, crops.well_lit]) if config.well_lit_weight else crops.fed
        made = state.generator(fed).float()
    enhanced = made[: len(low)]
    low_patches, normal_patches, enhanced_patches = (
        cut_patches(batch, crops.corners, config.patch_px) for batch in (low, normal, enhanced)
    )
    terms: dict[str, Tensor] = {}

    # The generator; the discriminators only pass gradients through.
    if not frozen:
        state.discriminators.requires_grad_(False)
        with _mixed_precision(config, state.device):
            with torch.no_grad():
                normal_scores = judge(normal).float()
            enhanced_scores = judge(enhanced).float()
            local_scores = local_judge(enhanced_patches).float()
            terms["sfp_global"] = self_feature_preserving(features, *_for_sfp(config, low, enhanced))
            terms["sfp_local"] = self_feature_preserving(features, low_patches, enhanced_patches)
        terms["global"] = losses.relativistic_least_squares(enhanced_scores, normal_scores)
        terms["local"] = losses.local_generator_loss(local_scores)
        terms |= _lessons(crops, made, config.lift_weight, config.well_lit_weight)
        if config.detail_weight:
            terms["new_detail"] = config.detail_weight * losses.new_detail(low, enhanced)
        state.generator_optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        group.average_gradients(state.generator.parameters())
        state.generator_optimiser.step()
        state.discriminators.requires_grad_(True)

    # Both discriminators.
    with _mixed_precision(config, state.device):
        normal_scores, enhanced_scores = judge(normal).float(), judge(enhanced.detach()).float()
        local_normal, local_enhanced = (
            local_judge(patches).float() for patches in (normal_patches, enhanced_patches.detach())
        )
    terms["global_discriminator"] = losses.relativistic_least_squares(normal_scores, enhanced_scores)
    terms["local_discriminator"] = losses.local_discriminator_loss(local_normal, local_enhanced)
    state.discriminator_optimiser.zero_grad()
    (terms["global_discriminator"] + terms["local_discriminator"]).backward()  # type: ignore[no-untyped-call]
    group.average_gradients(state.discriminators.parameters())
    state.discriminator_optimiser.step()
    return terms


def cut_patches(batch: Tensor, corners: Tensor, patch_px: int) -> Tensor:
    """Cut patches: (N, 3, H, W) and corners (N, P, 2) of row, column to (N * P, 3, px, px)."""
    return torch.stack(
        [
            photo[:, top : top + patch_px, left : left + patch_px]
            for photo, places in zip(batch, corners.tolist(), strict=True)
            for top, left in places
        ]
    ).contiguous(memory_format=torch.channels_last)


def _for_sfp(config: TrainConfig, low: Tensor, enhanced: Tensor) -> tuple[Tensor, Tensor]:
    if config.sfp_px == 0 or config.sfp_px >= config.crop_px:
        return low, enhanced
    size = (config.sfp_px, config.sfp_px)
    return F.interpolate(low, size, mode="area"), F.interpolate(enhanced, size, mode="area")


@torch.no_grad()
def enhance(generator: EnlightenNet, rgb: Rgb) -> Rgb:
    """Enhance a whole photo, (H, W, 3) of any size, with PyTorch; for samples while training."""
    height, width = rgb.shape[:2]
    padded: Rgb = rgb[np.ix_(padded_index(height), padded_index(width))]
    device = next(generator.parameters()).device
    batch = torch.from_numpy(padded).permute(2, 0, 1)[None].to(device)
    enhanced = generator(batch)[0, :, :height, :width]
    return np.asarray(enhanced.permute(1, 2, 0).cpu().numpy())


def _snapshot(state: TrainState, run: Path, watch: Watch) -> dict[str, float]:
    """Keep the averaged generator as it is now, with pictures and scores."""
    name = f"{state.images_seen:08d}"
    write_weights(
        run / f"generator-{name}.safetensors",
        state.average,
        {},
        {"images": str(state.images_seen), "look_pixels": str(state.config.look_pixels)},
    )
    if not watch.sheet:
        return {}
    enhanced = [as_pixels(enhance(state.average, as_rgb(pixels))) for pixels in watch.sheet]
    sheet = contact_sheet(list(zip(watch.sheet, enhanced, strict=True)))
    (run / f"sheet-{name}.jpg").write_bytes(encode(Photo(sheet, "JPEG")))
    return watch.score(enhanced)


def _append(stats: IO[str], status: Status) -> None:
    stats.write(json.dumps(vars(status)) + "\n")
    stats.flush()
