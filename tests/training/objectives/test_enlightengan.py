import dataclasses

import pytest
import torch
from conftest import write_photos

from enlighten_cli.errors import ModelError, UsageError
from enlighten_cli.training.checkpoint import Weights, read_tensors
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.networks.generator import EnlightenNet
from enlighten_cli.training.networks.vgg import VggFeatures
from enlighten_cli.training.objectives.enlightengan import EnlightenGan, EnlightenGanOptions, cut_patches

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def features(vgg_file):
    return VggFeatures(read_tensors(vgg_file).tensors)


@pytest.fixture
def config(tmp_path):
    low = write_photos(tmp_path / "low", 3, exposure=0.1)
    normal = write_photos(tmp_path / "normal", 3, exposure=1.0)
    options = EnlightenGanOptions(discriminator_width=2, patches=2, patch_px=16, sfp_px=16)
    return TrainConfig(
        options, low=str(low), normal=str(normal), width=2, images=12, crop_px=32, batch=4, frame="square", lr=1e-3
    )


def stepped(config, features, images_seen=0, **options):
    """An objective after one step, with its losses."""
    config = dataclasses.replace(config, options=dataclasses.replace(config.options, **options))
    objective = EnlightenGan(config, Descent(CPU), features)
    batch = objective.samples(PhotoFolders(config))[range(4)]
    return objective, {name: float(loss.detach()) for name, loss in objective.step(batch, images_seen).items()}


def changed(objective, name):
    before = EnlightenGan(objective.config, Descent(CPU)).networks[name].state_dict()
    return [
        key for key, tensor in objective.networks[name].state_dict().items() if not torch.equal(tensor, before[key])
    ]


def test_only_discriminators_learn_first(config, features):
    objective, losses = stepped(config, features, images_seen=4, discriminators_first_images=8)
    assert set(losses) == {"global_discriminator", "local_discriminator"}
    assert not changed(objective, "generator")
    assert changed(objective, "discriminators")
    objective, losses = stepped(config, features, images_seen=8, discriminators_first_images=8)
    assert "global" in losses
    assert changed(objective, "generator")


@pytest.mark.parametrize(
    ("name", "losses"),
    [
        ("sfp", ["sfp_global", "sfp_local"]), ("global", ["global"]), ("local", ["local"]),
        ("teacher", ["teacher"]), ("well_lit", ["well_lit"]), ("aligned", ["aligned"]), ("light", ["light"]),
        ("feature", ["features"]), ("matching", ["matching"]), ("consistency", ["consistency"]),
        ("penalty", ["penalty"]),
    ],
)  # fmt: skip
def test_weights_scale_what_they_are_named_after(config, features, name, losses):
    one, five, none = (stepped(config, features, **{f"{name}_weight": weight})[1] for weight in (1.0, 5.0, 0.0))
    for loss in losses:
        assert five[loss] == pytest.approx(5 * one[loss], rel=1e-5)
        assert loss not in none


@pytest.mark.parametrize(
    ("options", "images", "vgg"),
    [
        ({}, 12, True),
        ({"sfp_weight": 0.0}, 12, False),
        ({"discriminators_first_images": 12}, 12, False),
        ({"sfp_weight": 0.0, "feature_weight": 1.0}, 12, True),
        ({"warm_start_images": 8, "discriminators_first_images": 4}, 13, True),
    ],
)
def test_features_are_asked_for_where_they_are_compared(config, options, images, vgg):
    config = dataclasses.replace(config, images=images, options=dataclasses.replace(config.options, **options))
    assert EnlightenGan.needs(config).vgg == vgg


def test_a_warm_start_is_distillation_of_the_same_generator(config):
    options = dataclasses.replace(config.options, warm_start_images=40, well_lit_lift=0.5, well_lit_weight=0.0)
    config = dataclasses.replace(config, frame="photo", training_pixels=0, images=30, options=options)
    objective = EnlightenGan(config, Descent(CPU))
    first, last = objective.stages()
    assert last.objective is objective
    assert (first.until, last.until) == (30, 30)
    assert first.objective.config.objective == "distillation"
    assert first.objective.config.frame == "square"
    assert first.objective.options.well_lit_lift == 0.5
    assert first.objective.networks["generator"] is objective.networks["generator"]
    assert first.objective.optimisers["generator"] is not objective.optimisers["generator"]


def test_what_a_start_suggests():
    assert EnlightenGan.suggested(None) == {"warm_start_images": 2000}
    lost = Weights(EnlightenNet(4), {}, {})
    assert EnlightenGan.suggested(lost) == {"width": 4, "discriminators_first_images": 2000}
    kept = Weights(EnlightenNet(4), {"global.layers.0.weight": torch.zeros(3, 3, 4, 4)}, {})
    assert EnlightenGan.suggested(kept) == {"width": 4, "discriminator_width": 3}


def test_the_gradient_penalty_comes_every_sixteenth_step(config, features):
    steps = [
        step
        for step in (0, 1, 15, 16, 17, 32)
        if "penalty" in stepped(config, features, 4 * step, penalty_weight=1.0, sfp_weight=0.0)[1]
    ]
    assert steps == [0, 16, 32]


def test_distributions_are_matched_without_a_judge(config, features):
    only = {"global_weight": 0.0, "local_weight": 0.0, "sfp_weight": 0.0, "matching_weight": 1.0}
    objective, losses = stepped(config, features, **only)
    assert set(losses) == {"matching"}
    assert changed(objective, "generator")
    assert not changed(objective, "discriminators")
    assert int(objective.networks["light"].pushed) == 4


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"global_weight": 0.0, "local_weight": 0.0}, "global_weight"),
        ({"matching_weight": 1.0, "global_weight": 0.0, "local_weight": 0.0, "discriminators_first_images": 4},
         "discriminators_first_images"),
        ({"matching_weight": 1.0, "global_weight": 0.0, "penalty_weight": 1.0}, "penalty_weight"),
        ({"blur_images": 8}, "blur_images"),
    ],
)  # fmt: skip
def test_options_that_would_do_nothing_are_refused(config, options, named):
    with pytest.raises(UsageError, match=named):
        dataclasses.replace(config, options=dataclasses.replace(config.options, **options))


def test_a_feature_discriminator_learns_and_sees_less_blur_with_time(config, features):
    objective, first = stepped(config, features, feature_weight=1.0, blur_images=100)
    assert any(key.startswith("features.conv2_2.0") for key in changed(objective, "discriminators"))
    assert not any("_mix" in key for key in changed(objective, "discriminators"))
    later = [stepped(config, features, seen, feature_weight=1.0, blur_images=100)[1] for seen in (100, 200)]
    assert first["features"] != later[0]["features"] == later[1]["features"]


def test_weights_without_a_feature_discriminator_start_it_at_random(config, features):
    paper = EnlightenGan(config, Descent(CPU), features)
    tensors = paper.networks["discriminators"].state_dict()
    options = dataclasses.replace(config.options, feature_weight=1.0)
    objective = EnlightenGan(dataclasses.replace(config, options=options, seed=1), Descent(CPU), features)
    before = {key: tensor.clone() for key, tensor in objective.networks["discriminators"].state_dict().items()}
    objective.start_from(Weights(paper.generator, tensors, {}))
    after = objective.networks["discriminators"].state_dict()
    assert all(torch.equal(after[key], tensor) for key, tensor in tensors.items())
    assert all(torch.equal(after[key], before[key]) for key in after if key.startswith("features."))
    with pytest.raises(ModelError, match="the local discriminator"):
        objective.start_from(Weights(paper.generator, {"global.layers.0.bias": torch.zeros(2)} | {
            key: tensor for key, tensor in tensors.items() if key.startswith("global.")
        }, {}))  # fmt: skip


def test_without_attention_the_generator_lifts_black_and_white_alike(config):
    options = dataclasses.replace(config.options, attention=False)
    generator = EnlightenGan(dataclasses.replace(config, options=options), Descent(CPU)).generator.eval()
    white = torch.ones(1, 3, 32, 32)
    assert not torch.equal(generator(white), white)
    generator.attention = True
    assert torch.equal(generator(white), white)


@pytest.mark.parametrize("start_attention", [True, False])
def test_attention_is_an_option_of_the_run_and_not_of_the_weights_it_starts_from(config, start_attention):
    options = dataclasses.replace(config.options, attention=False, kept_detail_weight=1.0)
    objective = EnlightenGan(dataclasses.replace(config, start="known", options=options), Descent(CPU))
    objective.start_from(Weights(EnlightenNet(2, attention=start_attention), {}, {}))
    assert not objective.generator.attention
    assert objective.networks["beginning"].attention == start_attention
    assert objective.metadata()["attention"] == "false"


def test_dimming_and_patches_are_functions_of_the_image(config):
    objective = EnlightenGan(config, Descent(CPU))
    dimming, corners = objective._drawn(torch.arange(40))
    assert corners.shape == (40, 2, 2)
    assert 0 <= int(corners.min()) < int(corners.max()) <= 32 - 16
    dimmed = dimming[dimming != 1]
    assert 10 < len(dimmed) < 30
    assert 2 <= float(dimmed.min()) < float(dimmed.max()) <= 4
    alone = objective._drawn(torch.tensor([7]))
    assert torch.equal(alone[0][0], dimming[7])
    assert torch.equal(alone[1][0], corners[7])


def test_patches_are_cut_where_the_corners_say():
    batch = torch.arange(2 * 3 * 6 * 6).float().view(2, 3, 6, 6)
    patches = cut_patches(batch, torch.tensor([[[0, 1], [2, 3]], [[1, 1], [4, 4]]]), 2)
    assert patches.shape == (4, 3, 2, 2)
    assert torch.equal(patches[1], batch[0, :, 2:4, 3:5])
    assert torch.equal(patches[3], batch[1, :, 4:6, 4:6])
