from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.objectives.enlightengan import EnlightenGanOptions


def test_learning_rate_is_constant_then_falls_to_zero():
    config = TrainConfig(EnlightenGanOptions(), images=100, constant_fraction=0.5)
    assert [config.learning_rate_factor(seen) for seen in (0, 50, 75, 100, 120)] == [1, 1, 0.5, 0, 0]


def test_square_frames_have_as_many_training_pixels_as_a_crop():
    assert TrainConfig(EnlightenGanOptions(), frame="square", crop_px=64).training_pixels == 64**2


def test_the_defaults_are_the_papers():
    config = TrainConfig(EnlightenGanOptions())
    assert (config.width, config.crop_px, config.batch, config.lr) == (32, 320, 32, 1e-4)
    assert config.images == 203_200


def test_options_are_written_flat():
    options = TrainConfig(EnlightenGanOptions(sfp_px=64), width=8).to_mapping()
    assert (options["objective"], options["sfp_px"], options["width"]) == ("enlightengan", 64, 8)
    assert "options" not in options
