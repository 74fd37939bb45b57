import json

import pytest
import torch
from conftest import scene, write_photos

from enlighten_cli.errors import TrainingError
from enlighten_cli.training.checkpoint import TrainState, read_tensors, read_weights
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.dataset import UnpairedPhotos, batches
from enlighten_cli.training.loop import CHECKPOINT, Watch, train
from enlighten_cli.training.losses import changed_detail
from enlighten_cli.training.networks.vgg import VggFeatures
from enlighten_cli.training.objectives.steps import cut_patches, step

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def features(vgg_file):
    return VggFeatures(read_tensors(vgg_file).tensors)


@pytest.fixture
def config(tmp_path):
    low = write_photos(tmp_path / "low", 3, exposure=0.1)
    normal = write_photos(tmp_path / "normal", 3, exposure=1.0)
    return TrainConfig(
        low=str(low), normal=str(normal), width=2, discriminator_width=2, images=12, crop_px=32, batch=2,
        patches=2, patch_px=16, warm_start_images=4, ema_images=4, lr=1e-3, sfp_px=16,
    )  # fmt: skip


def run(config, folder, features, *, workers=0, stop_at=None, state=None):
    folder.mkdir(exist_ok=True)
    state = state or TrainState(config, CPU)
    watch = Watch(stopping=lambda: stop_at is not None and state.images_seen >= stop_at)
    complete = train(state, UnpairedPhotos(config), features, folder, workers, watch)
    return state, complete


def assert_same(first, second):
    for (name, one), (_, other) in zip(first._networks(), second._networks(), strict=True):
        for key, tensor in one.state_dict().items():
            assert torch.equal(tensor, other.state_dict()[key]), f"{name}.{key}"


def test_all_networks_learn_and_losses_are_kept(config, tmp_path, features):
    before = TrainState(config, CPU)
    state, complete = run(config, tmp_path / "run", features)
    assert complete
    for (_, one), (_, other) in zip(before._networks(), state._networks(), strict=True):
        assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    lines = [json.loads(line) for line in (tmp_path / "run" / "stats.jsonl").read_text().splitlines()]
    assert lines[-1]["images"] == config.images
    assert set(lines[0]["losses"]) == {"lift", "well_lit"}
    assert set(lines[-1]["losses"]) == {
        "sfp_global", "sfp_local", "global", "local", "global_discriminator", "local_discriminator",
    }  # fmt: skip


@pytest.mark.parametrize(("start", "kept"), [("random", False), ("known.safetensors", True)])
def test_known_weights_keep_the_statistics_of_their_norms(config, tmp_path, features, start, kept):
    """In the lessons and against the adversaries: small batches' own would undo what was known."""
    import dataclasses

    config = dataclasses.replace(config, start=start)
    before = TrainState(config, CPU).generator.state_dict()
    state, _ = run(config, tmp_path / "run", features)
    after = state.generator.state_dict()
    means = [name for name in before if name.endswith("running_mean")]
    assert means
    assert all(torch.equal(before[name], after[name]) == kept for name in means)
    assert not torch.equal(before["conv1_1.weight"], after["conv1_1.weight"])


def test_stopping_and_resuming_is_going_straight_on(config, tmp_path, features):
    straight, _ = run(config, tmp_path / "straight", features)
    _, complete = run(config, tmp_path / "halves", features, stop_at=6)
    assert not complete
    resumed = TrainState.load(tmp_path / "halves" / CHECKPOINT, config, CPU)
    assert resumed.images_seen == 6
    resumed, complete = run(config, tmp_path / "halves", features, state=resumed)
    assert complete
    assert_same(straight, resumed)


def test_stopping_within_the_warm_start_changes_nothing_either(config, tmp_path, features):
    straight, _ = run(config, tmp_path / "straight", features)
    run(config, tmp_path / "halves", features, stop_at=2)
    resumed = TrainState.load(tmp_path / "halves" / CHECKPOINT, config, CPU)
    assert_same(straight, run(config, tmp_path / "halves", features, state=resumed)[0])


def test_the_number_of_workers_changes_nothing(config, tmp_path, features):
    alone, _ = run(config, tmp_path / "alone", features)
    helped, _ = run(config, tmp_path / "helped", features, workers=2)
    assert_same(alone, helped)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_means_the_same(config, tmp_path, features, precision):
    """Losses are those of fp32 but for rounding, weights stay fp32, and a stop changes nothing."""
    import dataclasses

    def first_losses(folder):
        return json.loads((tmp_path / folder / "stats.jsonl").read_text().splitlines()[0])["losses"]

    mixed = dataclasses.replace(config, precision=precision)
    run(config, tmp_path / "fp32", features)
    state, complete = run(mixed, tmp_path / "run", features)
    assert complete
    assert first_losses("run") == pytest.approx(first_losses("fp32"), rel=0.02)
    assert all(parameter.dtype == torch.float32 for parameter in state.generator.parameters())
    run(mixed, tmp_path / "halves", features, stop_at=6)
    resumed = TrainState.load(tmp_path / "halves" / CHECKPOINT, mixed, CPU)
    assert_same(state, run(mixed, tmp_path / "halves", features, state=resumed)[0])


def test_a_step_too_large_for_fp16_is_left_out(config, features):
    import dataclasses

    config = dataclasses.replace(config, precision="fp16")
    state = TrainState(config, CPU)
    before = state.generator.conv10.weight.clone()
    state.scaler = torch.amp.GradScaler("cpu", init_scale=1e38)
    sample = next(batches(UnpairedPhotos(config), 0, 0))
    step(state, features, sample)
    assert torch.equal(state.generator.conv10.weight, before)
    assert state.scaler.get_scale() < 1e38
    state.scaler = torch.amp.GradScaler("cpu", init_scale=1024)
    step(state, features, sample)
    assert not torch.equal(state.generator.conv10.weight, before)


@pytest.mark.parametrize("lesson", ["lift", "well_lit"])
def test_lessons_go_on_beside_the_adversaries(config, tmp_path, features, lesson):
    import dataclasses

    config = dataclasses.replace(config, warm_start_images=0)
    with_it, _ = run(dataclasses.replace(config, **{f"{lesson}_weight": 5.0}), tmp_path / "with", features)
    lines = (tmp_path / "with" / "stats.jsonl").read_text().splitlines()
    assert 0 < json.loads(lines[-1])["losses"][lesson] < 5
    without, _ = run(config, tmp_path / "without", features)
    assert not torch.equal(with_it.generator.conv10.weight, without.generator.conv10.weight)


@pytest.mark.parametrize("warm_start_images", [0, 12])
def test_fine_detail_is_kept_as_it_was_when_the_run_began(config, tmp_path, features, warm_start_images):
    """Through stops, too; it has changed less than without."""
    import dataclasses

    config = dataclasses.replace(config, warm_start_images=warm_start_images, lift_weight=1.0, start="known")
    keeping = dataclasses.replace(config, kept_detail_weight=100.0)
    state, _ = run(keeping, tmp_path / "run", features)
    lines = (tmp_path / "run" / "stats.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["losses"]["kept_detail"] > 0
    run(keeping, tmp_path / "halves", features, stop_at=6)
    resumed = TrainState.load(tmp_path / "halves" / CHECKPOINT, keeping, CPU)
    assert_same(state, run(keeping, tmp_path / "halves", features, state=resumed)[0])

    without, _ = run(config, tmp_path / "without", features)
    photos = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        change = [float(changed_detail(one.generator(photos), state.beginning(photos))) for one in (state, without)]
    assert change[0] < 0.9 * change[1]


def test_frozen_images_teach_only_the_discriminators(config, tmp_path, features):
    import dataclasses

    config = dataclasses.replace(config, warm_start_images=0, frozen_images=12, images=4)
    before = TrainState(config, CPU)
    state, _ = run(config, tmp_path / "run", features)
    for name, tensor in before.generator.state_dict().items():
        assert torch.equal(tensor, state.generator.state_dict()[name]), name
    assert any(
        not torch.equal(a, b)
        for a, b in zip(before.discriminators.parameters(), state.discriminators.parameters(), strict=True)
    )


def test_a_loss_that_is_not_finite_stops_the_run_and_is_named(config, tmp_path, features):
    state = TrainState(config, CPU)
    with torch.no_grad():
        state.discriminators["local"].layers[0].weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match="the local loss is nan at image 6"):
        run(config, tmp_path / "run", features, state=state)


def test_snapshots_leave_sheets_scores_and_weights(config, tmp_path, features):
    (tmp_path / "run").mkdir()
    told = []
    watch = Watch(sheet=[scene(30, 50)], score=lambda enhanced: {"height": len(enhanced[0])}, tell=told.append)
    train(TrainState(config, CPU), UnpairedPhotos(config), features, tmp_path / "run", 0, watch)
    assert told[-1].scores == {"height": 30}
    assert (tmp_path / "run" / "sheet-00000012.jpg").exists()
    assert read_weights(tmp_path / "run" / "generator-00000012.safetensors").generator.width == 2


def test_sheets_show_photos_as_they_will_be_in_use(config, tmp_path, features):
    """Light judged from a look, as the exported model will judge it."""
    import dataclasses

    from enlighten_cli.enhancement.enhance import Options, enhance
    from enlighten_cli.models.session import open_model
    from enlighten_cli.photo import Photo
    from enlighten_cli.training.export import export_onnx

    (tmp_path / "run").mkdir()
    seen = []
    watch = Watch(sheet=[scene(90, 120, exposure=0.2)], score=lambda enhanced: seen.append(enhanced[0]) or {})
    config = dataclasses.replace(config, frame="square", warm_start_images=12)
    train(TrainState(config, CPU), UnpairedPhotos(config), features, tmp_path / "run", 0, watch)
    export_onnx(tmp_path / "run" / CHECKPOINT, tmp_path / "model.onnx", name="x", licence="x")
    model = open_model(str(tmp_path / "model.onnx"))
    assert model.training_pixels == 32**2
    expected = enhance(Photo(watch.sheet[0], "PNG"), model, Options()).pixels
    assert abs(seen[-1].astype(int) - expected).max() <= 1


def test_patches_are_cut_where_the_corners_say():
    batch = torch.arange(2 * 3 * 6 * 6).float().view(2, 3, 6, 6)
    patches = cut_patches(batch, torch.tensor([[[0, 1], [2, 3]], [[1, 1], [4, 4]]]), 2)
    assert patches.shape == (4, 3, 2, 2)
    assert torch.equal(patches[1], batch[0, :, 2:4, 3:5])
    assert torch.equal(patches[3], batch[1, :, 4:6, 4:6])
