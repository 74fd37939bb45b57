import json

import pytest
from conftest import REPOSITORY

from enlighten_cli.errors import UsageError
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.objectives.distillation import DistillationOptions
from enlighten_cli.training.recipe import config_from, read_options
from enlighten_cli.training.registry import OBJECTIVES

SQUARE = {"frame": "square", "crop_px": 64}


@pytest.mark.parametrize(
    "config",
    [
        config_from({"low": "a", "width": 8, "lr": 1e-3, "sfp_weight": 0.5}, "file"),
        TrainConfig(DistillationOptions(well_lit_lift=0.5), frame="square", crop_px=64),
    ],
)
def test_json_round_trip(config):
    assert config_from(json.loads(config.to_json()), "run") == config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop_px": 100}, "crop_px is 100; it must be a multiple of 16"),
        ({"batch": 0}, "batch is 0"),
        ({"lr": -1.0}, "lr is -1.0"),
        ({"precision": "fp8"}, "fp32, bf16 or fp16"),
        ({"dim_min": 5.0}, "dim_min is 5.0; it must be from 1 to dim_max"),
        ({"sfp_px": 400}, "sfp_px is 400; it must be 0, or from 16 to the crop"),
        ({"global_weight": 0.0, "local_weight": 0.0}, "global_weight is 0.0"),
        ({"kept_detail_weight": 1.0}, "0 or more for a start from weights"),
        ({"frame": "round"}, "frame is 'round'; it must be photo or square"),
        ({"frame": "square", "crop_px": 64, "training_pixels": 4000}, "training_pixels of square frames is 4000"),
        ({"colour": 1}, "file: unknown option 'colour'"),
        ({"options": {}}, "file: unknown option 'options'"),
        ({"width": "32"}, "must be of type int"),
        ({"width": True}, "must be of type int"),
        (
            {"objective": "pix2pix"},
            "file: objective is 'pix2pix'; it must be one of enlightengan, distillation, denoise, "
            "zero-dce, cyclegan, retinexnet, llnet",
        ),
        ({"objective": ["distillation"]}, r"objective is \['distillation'\]"),
        ({"objective": "distillation"}, "frame is 'photo'; it must be square, because the teacher needs whole frames"),
        (
            {"objective": "distillation", **SQUARE, "teacher_weight": 0.0},
            "teacher_weight is 0.0; it must be 0 or more, and above 0 without",
        ),
        ({"teacher_weight": 1.0}, "frame is 'photo'; it must be square, because the teacher needs whole frames"),
        (
            {"objective": "distillation", **SQUARE, "sfp_weight": 1.0},
            "file: sfp_weight is an option of the objective enlightengan, not of distillation",
        ),
    ],
)
def test_what_cannot_work_is_named(options, message):
    with pytest.raises(UsageError, match=message):
        config_from(options, "file")


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_objectives_go_by_their_names(objective):
    assert OBJECTIVES[objective].Options.objective == objective
    options = SQUARE if objective in ("enlightengan", "distillation") else {}
    assert config_from({"objective": objective, "width": 16, **options}, "file").objective == objective


RECIPES = sorted(
    set((REPOSITORY / "weights").glob("*.json")) - {REPOSITORY / "weights" / "noise_meter.json"}
)  # no run's


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_recipes_of_the_repository_can_be_run(path):
    config = config_from({**read_options(path), "start": "lite"}, str(path))
    assert config.frame == ("photo" if config.objective == "denoise" else "square")


@pytest.mark.parametrize("content", ["[1]", "{", ""])
def test_an_unreadable_file_of_options_is_refused(tmp_path, content):
    (tmp_path / "options.json").write_text(content)
    with pytest.raises(UsageError, match=r"options\.json"):
        read_options(tmp_path / "options.json")
