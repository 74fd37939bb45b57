import json

import pytest

from enlighten_cli.errors import UsageError
from enlighten_cli.training.config import TrainConfig, read_options


def test_json_round_trip():
    config = TrainConfig(low="a", width=8, lr=1e-3)
    assert TrainConfig.from_mapping(json.loads(config.to_json()), "run") == config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop_px": 100}, "crop_px is 100; it must be a multiple of 16"),
        ({"batch": 0}, "batch is 0"),
        ({"lr": -1.0}, "lr is -1.0"),
        ({"precision": "fp8"}, "fp32, bf16 or fp16"),
        ({"dim_min": 5.0}, "dim_min is 5.0; it must be from 1 to dim_max"),
        ({"kept_detail_weight": 1.0}, "where the run begins with known weights"),
        ({"frame": "round"}, "frame is 'round'; it must be photo or square"),
        ({"frame": "square", "crop_px": 64, "look_pixels": 4000}, "look_pixels of square frames is 4000"),
        ({"colour": 1}, "unknown option 'colour'"),
        ({"width": "32"}, "must be of type int"),
        ({"width": True}, "must be of type int"),
    ],
)
def test_what_cannot_work_is_named(options, message):
    with pytest.raises(UsageError, match=message):
        TrainConfig.from_mapping(options, "file")


def test_learning_rate_is_constant_then_falls_to_zero():
    config = TrainConfig(images=100, constant_fraction=0.5)
    assert [config.learning_rate_factor(seen) for seen in (0, 50, 75, 100, 120)] == [1, 1, 0.5, 0, 0]


def test_square_frames_are_looked_at_by_as_many_pixels_as_a_crop_has():
    config = TrainConfig(frame="square", crop_px=64, patch_px=32)
    assert config.look_pixels == 64**2
    assert TrainConfig.from_mapping(json.loads(config.to_json()), "file") == config


def test_the_defaults_are_the_papers():
    config = TrainConfig()
    assert (config.width, config.crop_px, config.batch, config.lr) == (32, 320, 32, 1e-4)
    assert config.images == 203_200


@pytest.mark.parametrize("content", ["[1]", "{", ""])
def test_an_unreadable_file_of_options_is_refused(tmp_path, content):
    (tmp_path / "options.json").write_text(content)
    with pytest.raises(UsageError, match=r"options\.json"):
        read_options(tmp_path / "options.json")
