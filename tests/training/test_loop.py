import dataclasses
import json

import pytest
import torch
from conftest import scene, write_photos

from enlighten_cli.errors import TrainingError
from enlighten_cli.training.baselines.cyclegan import CycleGanOptions
from enlighten_cli.training.baselines.llnet import LlNetOptions
from enlighten_cli.training.baselines.retinexnet import RetinexNetOptions
from enlighten_cli.training.baselines.zero_dce import ZeroDceOptions
from enlighten_cli.training.checkpoint import read_tensors, read_weights
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.loop import CHECKPOINT, Watch, train
from enlighten_cli.training.losses import changed_detail
from enlighten_cli.training.networks.vgg import VggFeatures
from enlighten_cli.training.objectives.distillation import DistillationOptions
from enlighten_cli.training.objectives.enlightengan import EnlightenGanOptions
from enlighten_cli.training.state import TrainState

CPU = torch.device("cpu")
OPTIONS = EnlightenGanOptions(discriminator_width=2, patches=2, patch_px=16, warm_start_images=4, sfp_px=16)


@pytest.fixture(scope="module")
def features(vgg_file):
    return VggFeatures(read_tensors(vgg_file).tensors)


@pytest.fixture
def config(tmp_path):
    low = write_photos(tmp_path / "low", 3, exposure=0.1)
    normal = write_photos(tmp_path / "normal", 3, exposure=1.0)
    return TrainConfig(
        OPTIONS, low=str(low), normal=str(normal), pairs_low=str(low), pairs_high=str(normal), width=2, images=12,
        crop_px=32, batch=2, ema_images=4, lr=1e-3,
    )  # fmt: skip


def begun(config, features):
    return TrainState(config, Descent(CPU, config.precision), features)


def run(config, folder, features, *, workers=0, stop_at=None, state=None):
    folder.mkdir(exist_ok=True)
    state = state or begun(config, features)
    watch = Watch(stopping=lambda: stop_at is not None and state.images_seen >= stop_at)
    folders = state.objective.needs(config).used(config)
    return state, train(state, PhotoFolders(config, folders), folder, workers, watch)


def with_options(config, **options):
    return dataclasses.replace(config, options=dataclasses.replace(config.options, **options))


def losses_of(folder, line):
    return json.loads((folder / "stats.jsonl").read_text().splitlines()[line])["losses"]


def assert_same(first, second):
    for (name, one), (_, other) in zip(first._networks(), second._networks(), strict=True):
        for key, tensor in one.state_dict().items():
            assert torch.equal(tensor, other.state_dict()[key]), f"{name}.{key}"


def test_all_networks_learn_and_losses_are_kept(config, tmp_path, features):
    before = begun(config, features)
    state, complete = run(config, tmp_path / "run", features)
    assert complete
    for (_, one), (_, other) in zip(before._networks(), state._networks(), strict=True):
        assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    lines = [json.loads(line) for line in (tmp_path / "run" / "stats.jsonl").read_text().splitlines()]
    assert lines[-1]["images"] == config.images
    assert set(lines[0]["losses"]) == {"teacher", "well_lit"}
    assert set(lines[-1]["losses"]) == {
        "sfp_global", "sfp_local", "global", "local", "global_discriminator", "local_discriminator",
    }  # fmt: skip


@pytest.mark.parametrize(("start", "kept"), [("random", False), ("known.safetensors", True)])
def test_known_weights_keep_the_statistics_of_their_norms(config, tmp_path, features, start, kept):
    """In distillation and against the discriminators: small batches' own would undo what was known."""
    config = dataclasses.replace(config, start=start)
    before = begun(config, features).exported.state_dict()
    state, _ = run(config, tmp_path / "run", features)
    after = state.exported.state_dict()
    means = [name for name in before if name.endswith("running_mean")]
    assert means
    assert all(torch.equal(before[name], after[name]) == kept for name in means)
    assert not torch.equal(before["conv1_1.weight"], after["conv1_1.weight"])


def test_stopping_and_resuming_is_going_straight_on(config, tmp_path, features):
    straight, _ = run(config, tmp_path / "straight", features)
    _, complete = run(config, tmp_path / "halves", features, stop_at=6)
    assert not complete
    resumed = begun(config, features).load(tmp_path / "halves" / CHECKPOINT)
    assert resumed.images_seen == 6
    resumed, complete = run(config, tmp_path / "halves", features, state=resumed)
    assert complete
    assert_same(straight, resumed)


def test_stopping_within_the_warm_start_changes_nothing_either(config, tmp_path, features):
    straight, _ = run(config, tmp_path / "straight", features)
    run(config, tmp_path / "halves", features, stop_at=2)
    resumed = begun(config, features).load(tmp_path / "halves" / CHECKPOINT)
    assert_same(straight, run(config, tmp_path / "halves", features, state=resumed)[0])


def test_the_number_of_workers_changes_nothing(config, tmp_path, features):
    alone, _ = run(config, tmp_path / "alone", features)
    helped, _ = run(config, tmp_path / "helped", features, workers=2)
    assert_same(alone, helped)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_means_the_same(config, tmp_path, features, precision):
    """Losses are those of fp32 but for rounding, weights stay fp32, and a stop changes nothing."""
    mixed = dataclasses.replace(config, precision=precision)
    run(config, tmp_path / "fp32", features)
    state, complete = run(mixed, tmp_path / "run", features)
    assert complete
    assert losses_of(tmp_path / "run", 0) == pytest.approx(losses_of(tmp_path / "fp32", 0), rel=0.02)
    assert all(parameter.dtype == torch.float32 for parameter in state.exported.parameters())
    run(mixed, tmp_path / "halves", features, stop_at=6)
    resumed = begun(mixed, features).load(tmp_path / "halves" / CHECKPOINT)
    assert_same(state, run(mixed, tmp_path / "halves", features, state=resumed)[0])


OBJECTIVES = {
    "distillation": (DistillationOptions(well_lit_lift=0.5), {"teacher", "well_lit"}),
    "enlightengan": (
        dataclasses.replace(OPTIONS, warm_start_images=0),
        {"sfp_global", "sfp_local", "global", "local", "global_discriminator", "local_discriminator"},
    ),
    "beyond the paper": (
        dataclasses.replace(
            OPTIONS, warm_start_images=0, attention=False, local_weight=0.0, feature_weight=1.0, blur_images=100,
            matching_weight=1.0, consistency_weight=1.0,
        ),
        {"sfp_global", "sfp_local", "global", "features", "global_discriminator", "feature_discriminator", "matching",
         "consistency"},
    ),
    "zero-dce": (ZeroDceOptions(), {"spatial", "exposure", "colour", "smoothness"}),
    "cyclegan": (
        CycleGanOptions(discriminator_width=2, pool=3),  # stopped when it is full
        {"brightened", "darkened", "cycle", "identity", "normal_discriminator", "low_discriminator"},
    ),
    "retinexnet, in its first stage": (
        RetinexNetOptions(decomposition_fraction=0.95), {"low", "high", "crossed", "reflectance", "smoothness"},
    ),
    "retinexnet, in its second stage": (
        RetinexNetOptions(decomposition_fraction=0.3), {"enhanced", "enhanced_smoothness"},
    ),
    "llnet, in its second layer": (LlNetOptions(patches=2, pretraining_fraction=0.866), {"patches", "decay"}),
    "llnet, without pretraining": (LlNetOptions(patches=2, pretraining_fraction=0.0), {"patches", "decay"}),
}  # fmt: skip


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_learns_stops_and_goes_on(config, tmp_path, features, objective):
    options, losses = OBJECTIVES[objective]
    config = dataclasses.replace(config, options=options, frame="square")
    straight, _ = run(config, tmp_path / "straight", features)
    assert set(losses_of(tmp_path / "straight", -1)) == losses
    run(config, tmp_path / "halves", features, stop_at=6)
    resumed = begun(config, features).load(tmp_path / "halves" / CHECKPOINT)
    assert_same(straight, run(config, tmp_path / "halves", features, state=resumed)[0])


@pytest.mark.parametrize("warm_start_images", [0, 12])
def test_fine_detail_is_kept_as_it_was_when_the_run_began(config, tmp_path, features, warm_start_images):
    """Through stops, too; it has changed less than without."""
    config = with_options(
        dataclasses.replace(config, start="known", frame="square"),
        warm_start_images=warm_start_images, teacher_weight=1.0, sfp_weight=0.0,
    )  # fmt: skip
    keeping = with_options(config, kept_detail_weight=100.0)
    state, _ = run(keeping, tmp_path / "run", features)
    assert losses_of(tmp_path / "run", -1)["kept_detail"] > 0
    run(keeping, tmp_path / "halves", features, stop_at=6)
    resumed = begun(keeping, features).load(tmp_path / "halves" / CHECKPOINT)
    assert_same(state, run(keeping, tmp_path / "halves", features, state=resumed)[0])

    without, _ = run(config, tmp_path / "without", features)
    photos = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    beginning = state.objective.networks["beginning"]
    with torch.no_grad():
        change = [float(changed_detail(one.exported(photos), beginning(photos))) for one in (state, without)]
    assert change[0] < 0.9 * change[1]


def test_the_moments_of_distillation_end_with_it(config, tmp_path, features):
    """What follows a warm start begins with fresh ones, of all optimisers."""
    state, _ = run(config, tmp_path / "run", features, stop_at=4)
    names = read_tensors(tmp_path / "run" / CHECKPOINT).tensors
    assert not [name for name in names if "_optimiser." in name]
    run(config, tmp_path / "run", features, stop_at=6, state=state)
    names = read_tensors(tmp_path / "run" / CHECKPOINT).tensors
    assert {name.split(".")[0] for name in names if "_optimiser." in name} == {
        "generator_optimiser", "discriminators_optimiser",
    }  # fmt: skip


def test_a_loss_that_is_not_finite_stops_the_run_and_is_named(config, tmp_path, features):
    state = begun(config, features)
    with torch.no_grad():
        state.objective.networks["discriminators"]["local"].layers[0].weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match="the local loss is nan at image 6"):
        run(config, tmp_path / "run", features, state=state)


def test_snapshots_leave_sheets_scores_and_weights(config, tmp_path, features):
    (tmp_path / "run").mkdir()
    told = []
    watch = Watch(sheet=[scene(30, 50)], score=lambda enhanced: {"height": len(enhanced[0])}, tell=told.append)
    train(begun(config, features), PhotoFolders(config), tmp_path / "run", 0, watch)
    assert told[-1].scores == {"height": 30}
    assert (tmp_path / "run" / "sheet-00000012.jpg").exists()
    assert read_weights(tmp_path / "run" / "generator-00000012.safetensors").generator.width == 2


def test_sheets_show_photos_as_they_will_be_in_use(config, tmp_path, features):
    """Light judged from a thumbnail, as the exported model will judge it."""
    from enlighten_cli.enhancement.enhance import Options, enhance
    from enlighten_cli.models.session import open_model
    from enlighten_cli.photo import Photo
    from enlighten_cli.training.export import export_onnx

    (tmp_path / "run").mkdir()
    seen = []
    watch = Watch(sheet=[scene(90, 120, exposure=0.2)], score=lambda enhanced: seen.append(enhanced[0]) or {})
    config = with_options(dataclasses.replace(config, frame="square"), warm_start_images=12)
    train(begun(config, features), PhotoFolders(config), tmp_path / "run", 0, watch)
    export_onnx(tmp_path / "run" / CHECKPOINT, tmp_path / "model.onnx", name="x", licence="x")
    model = open_model(str(tmp_path / "model.onnx"))
    assert model.training_pixels == 32**2
    expected = enhance(Photo(watch.sheet[0], "PNG"), model, Options()).pixels
    assert abs(seen[-1].astype(int) - expected).max() <= 1
