"""One step of a run: the losses of its phase, and what descends them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.training import losses
from enlighten_cli.training.checkpoint import TrainState
from enlighten_cli.training.config import RANDOM, TrainConfig
from enlighten_cli.training.data.dataset import Sample
from enlighten_cli.training.distributed import ALONE, Group
from enlighten_cli.training.networks.vgg import self_feature_preserving

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def step(state: TrainState, features: nn.Module, sample: Sample, group: Group = ALONE) -> dict[str, float]:
    """Take one step of whichever phase the run is in, and return the losses (of this process's part)."""
    config, seen = state.config, state.images_seen
    low, lifted, normal, kept, fine = (_on_device(batch, state.device) for batch in sample[:5])
    fed = low / sample.dimming.to(state.device).view(-1, 1, 1, 1)
    crops = Crops(low, fed, lifted, normal, kept, fine, sample.corners)
    state.set_learning_rates()
    # Known weights keep the statistics of their norms: those of small batches would undo what they know.
    state.generator.train(config.start == RANDOM)
    if config.warms_up(seen):
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

    `fed` is what the generator sees of `low`; `kept` what it is to make of `normal`; of `fine` it is to make the detail
    that it made.
    """

    low: Tensor
    fed: Tensor
    lifted: Tensor
    normal: Tensor
    kept: Tensor
    fine: Tensor
    corners: Tensor

    @property
    def well_lit(self) -> Tensor:
        """The normal crops that the generator is taught by."""
        return self.normal[: len(self.kept)]


def _on_device(batch: Tensor, device: torch.device) -> Tensor:
    return batch.to(device, memory_format=torch.channels_last)


def _mixed_precision(config: TrainConfig, device: torch.device) -> torch.autocast:
    """Return what lets networks compute in halves; their outputs are made fp32 again before any loss."""
    return torch.autocast(device.type, HALVES.get(config.precision), enabled=config.precision in HALVES)


def _warm_start_step(state: TrainState, crops: Crops, group: Group) -> dict[str, Tensor]:
    """Teach the generator plain lifting, and to leave well-lit photos alone; the adversaries take over from there."""
    with _mixed_precision(state.config, state.device):
        made = state.generator(torch.cat([crops.fed, crops.well_lit, crops.fine])).float()
    terms = _lessons(state, crops, made, 1.0, 1.0)
    _descend(state, state.generator_optimiser, terms.values(), state.generator, group)
    return terms


def _lessons(
    state: TrainState, crops: Crops, made: Tensor, lift_weight: float, well_lit_weight: float
) -> dict[str, Tensor]:
    """Return the losses of what the generator made of low, of well-lit and of fine crops, in this order."""
    enhanced, kept, fine = torch.split(made, [len(crops.low), len(crops.well_lit), len(crops.fine)])
    terms = {}
    if lift_weight:
        terms["lift"] = lift_weight * F.l1_loss(enhanced, crops.lifted)
    if well_lit_weight:
        terms["well_lit"] = well_lit_weight * F.l1_loss(kept, crops.kept)
    if state.beginning:
        with torch.no_grad(), _mixed_precision(state.config, state.device):
            before = state.beginning(crops.fine).float()
        terms["kept_detail"] = state.config.kept_detail_weight * losses.changed_detail(fine, before)
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
        made = state.generator(torch.cat([crops.fed, crops.well_lit, crops.fine])).float()
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
        terms |= _lessons(state, crops, made, config.lift_weight, config.well_lit_weight)
        if config.detail_weight:
            terms["new_detail"] = config.detail_weight * losses.new_detail(low, enhanced)
        _descend(state, state.generator_optimiser, terms.values(), state.generator, group)
        state.discriminators.requires_grad_(True)

    # Both discriminators.
    with _mixed_precision(config, state.device):
        normal_scores, enhanced_scores = judge(normal).float(), judge(enhanced.detach()).float()
        local_normal, local_enhanced = (
            local_judge(patches).float() for patches in (normal_patches, enhanced_patches.detach())
        )
    judging = {
        "global_discriminator": losses.relativistic_least_squares(normal_scores, enhanced_scores),
        "local_discriminator": losses.local_discriminator_loss(local_normal, local_enhanced),
    }
    _descend(state, state.discriminator_optimiser, judging.values(), state.discriminators, group)
    return terms | judging


def _descend(
    state: TrainState, optimiser: torch.optim.Optimizer, terms: Iterable[Tensor], network: nn.Module, group: Group
) -> None:
    """Step down the sum of some losses; in fp16 they are scaled, lest small gradients become zero."""
    optimiser.zero_grad()
    state.scaler.scale(torch.stack(list(terms)).sum()).backward()  # type: ignore[no-untyped-call]
    group.average_gradients(network.parameters())
    state.scaler.step(optimiser)
    state.scaler.update()


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
