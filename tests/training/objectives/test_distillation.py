import dataclasses

import pytest
import torch
from conftest import scene, write_photos

from enlighten_cli.errors import UsageError
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.photo_cache import PhotoFolders
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.objectives.distillation import Distillation, DistillationOptions, taught
from enlighten_cli.training.objectives.teacher import teacher

CPU = torch.device("cpu")


@pytest.fixture
def config(tmp_path):
    low = write_photos(tmp_path / "low", 3, exposure=0.1)
    normal = write_photos(tmp_path / "normal", 3, exposure=1.0)
    return TrainConfig(
        DistillationOptions(), low=str(low), normal=str(normal), width=2, images=12, crop_px=32, batch=4,
        frame="square", lr=1e-2,
    )  # fmt: skip


def rgb(exposure, seed=0):
    return torch.from_numpy(scene(32, 32, seed=seed, exposure=exposure)).permute(2, 0, 1)[None] / 255


def test_the_teacher_costs_nothing_where_it_is_followed():
    low, normal = rgb(0.1), rgb(1.0)
    options = DistillationOptions(well_lit_lift=0.5)
    halfway = (normal + teacher(normal)) / 2
    followed = taught(options, low, teacher(low), normal, halfway)
    assert {name: float(loss) for name, loss in followed.items()} == {
        "teacher": pytest.approx(0, abs=1e-6), "well_lit": pytest.approx(0, abs=1e-6),
    }  # fmt: skip
    assert all(loss > 0.01 for loss in taught(options, low, low, normal, normal * 0.9).values())


def test_well_lit_photos_are_left_alone_unless_told_otherwise():
    normal = rgb(1.0)
    alone = taught(DistillationOptions(), normal, normal, normal, normal)
    assert float(alone["well_lit"]) == 0


@pytest.mark.parametrize("name", ["teacher", "well_lit"])
def test_weights_scale_what_they_are_named_after(name):
    low, normal = rgb(0.1), rgb(1.0)

    def losses(weight):
        options = dataclasses.replace(DistillationOptions(well_lit_lift=0.5), **{f"{name}_weight": weight})
        return taught(options, low, low, normal, normal)

    assert float(losses(5.0)[name]) == pytest.approx(5 * float(losses(1.0)[name]))
    assert name not in losses(0.0)


def test_a_frame_that_is_too_dark_all_over_costs_more_light_than_one_with_errors_that_cancel():
    low, normal = rgb(0.1), rgb(1.0)
    options = DistillationOptions(light_weight=0.5)
    wanted = teacher(low)
    darker = taught(options, low, wanted - 0.02, normal, normal)
    uneven = taught(options, low, wanted + 0.02 * (-1) ** torch.arange(32), normal, normal)
    assert float(darker["teacher"]) == pytest.approx(float(uneven["teacher"]), rel=1e-4)
    assert float(darker["light"]) == pytest.approx(0.5 * 0.04, rel=1e-3)
    assert float(uneven["light"]) == pytest.approx(0, abs=1e-6)


def test_an_anchor_of_aligned_frames_leaves_the_brightness_open():
    low, normal = rgb(0.1), rgb(1.0)
    options = DistillationOptions(teacher_weight=0.0, aligned_weight=2.0)
    wanted = teacher(low)
    assert set(taught(options, low, wanted, normal, normal)) == {"aligned", "well_lit"}
    assert float(taught(options, low, 0.9 * wanted, normal, normal)["aligned"]) == pytest.approx(0, abs=1e-6)
    assert float(taught(options, low, 0.5 * wanted, normal, normal)["aligned"]) > 0.1


@pytest.mark.parametrize("options", [{"teacher_weight": 0.0}, {"teacher_weight": -1.0, "light_weight": 1.0}])
def test_a_run_without_a_teacher_is_refused(config, options):
    with pytest.raises(UsageError, match="teacher_weight"):
        dataclasses.replace(config, options=DistillationOptions(**options))


def test_a_batch_has_few_normal_frames_and_fine_crops_only_where_detail_is_kept(config):
    photos = PhotoFolders(config)
    batch = Distillation(config, Descent(CPU)).samples(photos)[range(4)]
    assert [len(crops) for crops in batch] == [4, 4, 1, 0]
    keeping = dataclasses.replace(config, start="known", options=DistillationOptions(kept_detail_weight=1.0))
    batch = Distillation(keeping, Descent(CPU)).samples(photos)[range(4)]
    assert [len(crops) for crops in batch] == [4, 4, 1, 1]


def test_steps_lead_to_the_teacher(config):
    objective = Distillation(config, Descent(CPU))
    batch = objective.samples(PhotoFolders(config))[range(4)]
    losses = [float(objective.step(batch, 0)["teacher"].detach()) for _ in range(20)]
    assert losses[-1] < 0.8 * losses[0]


def test_no_features_are_asked_for(config):
    assert not Distillation.needs(config).vgg


RESTORING = DistillationOptions(well_lit_weight=0.0, restored_weight=2.0)


def test_well_lit_frames_are_restored_from_poor_light(config):
    objective = Distillation(dataclasses.replace(config, options=RESTORING), Descent(CPU))
    batch = objective.samples(PhotoFolders(objective.config))[range(4)]
    assert [len(crops) for crops in batch] == [4, 4, 2, 0]
    losses = [{name: float(loss.detach()) for name, loss in objective.step(batch, 0).items()} for _ in range(20)]
    assert set(losses[0]) == {"teacher", "restored"}
    assert losses[-1]["restored"] < 0.8 * losses[0]["restored"]


def test_poor_light_is_a_function_of_the_seed_and_the_number(config):
    objective = Distillation(dataclasses.replace(config, options=RESTORING), Descent(CPU))
    normal = torch.cat([rgb(1.0)] * 3)
    first = objective._poorly_lit(normal, torch.tensor([5, 6, 7]))
    assert torch.equal(first[1:], objective._poorly_lit(normal[1:], torch.tensor([6, 7])))
    assert not torch.equal(first[0], first[1])
