import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from conftest import write_photos

from enlighten_cli.cli import main
from enlighten_cli.training.checkpoint import read_weights, write_weights
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.objectives.enlightengan import EnlightenGan, EnlightenGanOptions

SMALL = {"discriminator_width": 2, "crop_px": 32, "patches": 2, "patch_px": 16, "batch": 2, "sfp_px": 16}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "low", 3, exposure=0.1, size=(200, 220))
    write_photos(tmp_path / "normal", 3, exposure=1.0)
    (tmp_path / "small.json").write_text(json.dumps(SMALL))
    return ["--low", "low", "--normal", "normal", "-o", "run", "--config", "small.json"]


def train(*arguments, code=0):
    result = CliRunner().invoke(main, ["train", *(str(argument) for argument in arguments)])
    assert result.exit_code == code, f"{result.stdout}\n{result.stderr}"
    return result


def planned(*arguments):
    return json.loads(train(*arguments, "--dry-run").stdout)


def test_a_run_ends_with_a_model_that_enhances(folders, tmp_path, vgg_file):
    said = train(
        *folders, "--from", "random", "--width", 2, "--images", 8, "--set", "warm_start_images=4", "--vgg", vgg_file,
        "--val", "low", "--workers", 0, "--device", "cpu",
    ).stderr  # fmt: skip
    assert "a batch size of 2 makes artefacts likely" in said
    assert "8 of 8 images" in said
    assert "niqe" in said
    run = tmp_path / "run"
    assert json.loads((run / "config.json").read_text())["images"] == 8
    assert "trained on 8 images" in (run / "log.txt").read_text()
    assert {
        "stats.jsonl",
        "curves.png",
        "sheet-00000008.jpg",
        "checkpoint.safetensors",
        "model-discriminators.safetensors",
    } <= {path.name for path in run.iterdir()}
    done = CliRunner().invoke(main, ["low", "-o", "out", "--model", "run/model.onnx"])
    assert done.exit_code == 0, done.stderr
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_processes_started_by_torchrun_share_a_run(folders, tmp_path, vgg_file):
    said = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone",
            "-m", "enlighten_cli", "train", *folders, "--from", "random", "--width", "2", "--images", "10",
            "--batch", "4", "--set", "warm_start_images=4", "--vgg", str(vgg_file), "--workers", "0", "--device", "cpu",
            "--tensorboard",
        ],
        capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert said.stderr.count("2 processes, each on its own cpu") == 1
    assert said.stderr.count("trained on 12 images") == 1  # the last batch is whole
    run = tmp_path / "run"
    assert (run / "model.onnx").is_file()
    lines = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [4, 8, 12]

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(run)).Reload()
    assert [event.step for event in board.Scalars("losses/sfp_global")] == [8, 12]
    assert [event.value for event in board.Scalars("losses/sfp_global")] == pytest.approx(
        [line["losses"]["sfp_global"] for line in lines[1:]]
    )
    assert [picture.step for picture in board.Images("sheet")] == [4, 8, 12]


def test_a_batch_that_processes_cannot_share_is_refused(folders, vgg_file, monkeypatch):
    with socket.create_server(("localhost", 0)) as server:  # a port that is free
        port = server.getsockname()[1]
    for name, value in {"LOCAL_RANK": 0, "RANK": 0, "WORLD_SIZE": 1, "MASTER_ADDR": "localhost"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("MASTER_PORT", str(port))
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 3)
    refused = train(*folders, "--from", "random", "--vgg", vgg_file, "--device", "cpu", code=2)
    assert "batch is 2; it must be a multiple of the number of processes, 3" in refused.stderr
    refused = train(*folders, "--from", "random", "--vgg", vgg_file, "--device", "cuda:1", code=2)
    assert "torchrun gives each process its own device" in refused.stderr


def test_tensorboard_has_to_be_installed(folders, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        "enlighten_cli.cli.requirements.find_spec", lambda name: None if name == "tensorboard" else find(name)
    )
    assert "pip install tensorboard" in train(*folders, "--tensorboard", code=3).stderr


@pytest.mark.posix
def test_interrupting_writes_a_checkpoint_from_which_resume_goes_on(folders, tmp_path, vgg_file):
    command = [
        sys.executable, "-m", "enlighten_cli", "train", *folders, "--from", "random", "--width", "2",
        "--images", "1000000", "--vgg", str(vgg_file), "--workers", "1", "--device", "cpu",
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    stats = tmp_path / "run" / "stats.jsonl"
    while not (stats.exists() and stats.read_text()):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    assert "continue with: enlighten train --resume -o run" in said
    assert "or use the model so far: enlighten export run/checkpoint" in said
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()

    assert "width is 2 in run, not 3" in train("-o", "run", "--resume", "--width", 3, code=2).stderr
    assert json.loads(train("-o", "run", "--resume", "--dry-run").stdout)["width"] == 2
    assert "already contains a run" in train(*folders, "--from", "random", code=2).stderr


def test_the_defaults_are_the_papers_and_the_command_line_wins(folders):
    config = planned("--low", "low", "--normal", "normal", "-o", "run", "--from", "random")
    assert config == {
        **json.loads(TrainConfig(EnlightenGanOptions()).to_json()),
        "low": "low",
        "normal": "normal",
        "warm_start_images": 2000,
    }
    assert planned(*folders, "--from", "random", "--crop", 64)["crop_px"] == 64
    assert planned(*folders, "--from", "random", "--epochs", 2)["images"] == 2032


def test_known_weights_bring_their_width_and_discriminators(folders, tmp_path):
    import torch

    config = TrainConfig(EnlightenGanOptions(discriminator_width=3), width=2)
    known = EnlightenGan(config, Descent(torch.device("cpu")))
    write_weights(tmp_path / "known.safetensors", known.generator, known.networks["discriminators"].state_dict(), {})
    (tmp_path / "small.json").write_text("{}")
    config = planned(*folders, "--from", "known.safetensors")
    assert (config["width"], config["discriminator_width"]) == (2, 3)
    assert (config["warm_start_images"], config["discriminators_first_images"]) == (0, 0)
    assert planned(*folders, "--from", "known.safetensors", "--width", 4)["width"] == 4
    assert "multiple of" in train(*folders, "--from", "known.safetensors", "--width", 3, code=2).stderr

    (tmp_path / "known-discriminators.safetensors").unlink()
    assert planned(*folders, "--from", "known.safetensors")["discriminators_first_images"] == 2000


def test_the_packages_weights_are_the_default(folders):
    config = planned(*folders)
    assert config["start"] == "pretrained"
    assert config["width"] == read_weights(shipped()).generator.width
    assert config["discriminators_first_images"] == 0


def test_weights_of_the_package_are_known_by_name(folders):
    config = planned(*folders, "--from", "lite")
    assert (config["start"], config["width"]) == ("lite", 16)
    assert config["teacher_weight"] > 0  # by the recipe for fine-tuning
    assert "enlightengan-original: no such file" in train(*folders, "--from", "enlightengan-original", code=4).stderr


def test_distillation_needs_neither_vgg_nor_more_than_two_words(folders, tmp_path, monkeypatch):
    """It begins with the package's weights, and takes of the recipe for fine-tuning what every objective knows."""
    monkeypatch.setattr("enlighten_cli.models.download.fetch", lambda file: pytest.fail("VGG-16 was asked for"))
    (tmp_path / "small.json").write_text(json.dumps({"crop_px": 32, "batch": 2}))
    config = planned(*folders, "--objective", "distillation", "--set", "kept_detail_weight=2")
    assert (config["objective"], config["start"], config["frame"]) == ("distillation", "pretrained", "square")
    assert config["kept_detail_weight"] == 2
    assert "sfp_px" not in config
    said = train(
        *folders, "--objective", "distillation", "--from", "random", "--set", "frame=square", "--width", 2,
        "--images", 4, "--workers", 0, "--device", "cpu",
    ).stderr  # fmt: skip
    assert "teacher" in said
    assert sorted(path.name for path in (tmp_path / "run").glob("model*")) == ["model.onnx", "model.safetensors"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["sfp_weight"], "--set sfp_weight: must be NAME=VALUE"),
        (["sfp_weight=1", "sfp_weight=2"], "sfp_weight is given twice"),
        (["sfp_weight=much"], "sfp_weight is 'much'; it must be of type float"),
        (["sfp=1"], "unknown option 'sfp'"),
        (
            ["objective=distillation", "frame=square"],
            "is an option of the objective enlightengan and of cyclegan, not of distillation",
        ),
        (["objective=cubism"], "objective is 'cubism'; it must be one of"),
    ],
)
def test_settings_are_checked(folders, settings, message):
    words = [word for setting in settings for word in ("--set", setting)]
    assert message in train(*folders, "--from", "random", *words, "--dry-run", code=2).stderr


def test_a_run_remembers_what_it_needs_of_this_machine(folders, tmp_path, vgg_file, monkeypatch):
    """VGG-16, whose photos to show, and which to leave out."""
    from enlighten_cli.cli import train_run

    (tmp_path / "low" / "bad.png").write_bytes(b"not a photo")
    begin = [
        *folders, "--from", "random", "--width", 2, "--images", 6, "--set", "warm_start_images=0", "--vgg", vgg_file,
        "--workers", 0, "--device", "cpu",
    ]  # fmt: skip
    refused = train(*begin, code=7).stderr
    assert "bad.png" in refused
    assert "--skip-bad" in refused

    def stopped(state, photos, run, workers, watch):
        state.save(run / "checkpoint.safetensors")
        return False

    monkeypatch.setattr("enlighten_cli.training.loop.train", stopped)
    assert "skipped: low/bad.png" in train(*begin, "--skip-bad", "--val", "normal", code=130).stderr
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("enlighten_cli.models.download.fetch", lambda file: pytest.fail("VGG-16 was asked for"))
    said = train("-o", "run", "--resume", "--workers", 0, "--device", "cpu").stderr
    assert "trained on 6 images" in said
    assert "mean" in said  # of --val
    assert train_run.SETTING in {path.name for path in (tmp_path / "run").iterdir()}


def test_a_run_says_what_it_remembers_and_no_longer_finds(folders, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "setting.json").write_text(json.dumps({"vgg": "/gone/vgg.pth"}))
    from enlighten_cli.cli.train_run import Setting
    from enlighten_cli.errors import UsageError

    setting = Setting(tmp_path / "run", None, None, None, None, False, False)
    with pytest.raises(UsageError, match=r"/gone/vgg\.pth: no longer exists; give --vgg"):
        setting.remembered()


def shipped():
    from enlighten_cli.models.registry import DEFAULT_MODEL
    from enlighten_cli.models.store import weights_file

    return weights_file(f"{DEFAULT_MODEL}.safetensors")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--low", "low", "--normal", "low"], 2, "folders of low and normal light must differ"),
        (["--low", "low", "--normal", "absent"], 2, "absent: not a folder"),
        (["--low", "low", "--normal", "empty"], 2, "empty: 0 photos"),
        (["--low", "low"], 2, "--normal FOLDER is required by"),
        (["--low", "low", "--normal", "normal", "--epochs", "1", "--images", "1"], 2, "give one"),
        (["--low", "low", "--normal", "normal", "--crop", "33"], 2, "multiple of 16"),
        (["--low", "low", "--normal", "normal", "--device", "tpu"], 2, "device is 'tpu'"),
        (["--low", "low", "--normal", "normal", "--device", "cuda:99"], 3, "cuda:99"),
        (["--resume"], 2, "no checkpoint to resume from"),
        (["--objective", "cubism", "--low", "low"], 2, "zero-dce, cyclegan, retinexnet, llnet"),
        (["--objective", "zero-dce", "--low", "single"], 2, "single: 1 photos; at least 2 are needed"),
        (["--objective", "cyclegan", "--low", "low"], 2, "--normal FOLDER is required by cyclegan"),
        (["--objective", "llnet", "--low", "low"], 2, "--low low: llnet does not use it; leave it out"),
        (["--objective", "llnet"], 2, "--normal FOLDER is required by llnet"),
        (["--objective", "retinexnet"], 2, "--pairs LOW HIGH is required by retinexnet"),
        (["--objective", "retinexnet", "--pairs", "low", "single"], 2, "no partner of the same name for 1, 2"),
        (["--objective", "retinexnet", "--pairs", "low", "normal"], 2, "differ in size"),
        (
            ["--objective", "zero-dce", "--low", "low", "--pairs", "low", "normal"],
            2,
            "--pairs low: zero-dce does not use it; leave it out",
        ),
        (["--low", "low", "--normal", "normal", "--pairs", "low", "normal"], 2, "enlightengan does not use it"),
    ],
)
def test_errors_are_one_line_before_the_first_step(folders, tmp_path, vgg_file, arguments, code, message):
    (tmp_path / "empty").mkdir()
    write_photos(tmp_path / "single", 1, exposure=0.1)
    start = [] if "--resume" in arguments else ["--from", "random"]
    said = train(*arguments, *start, "-o", "run", "--vgg", vgg_file, code=code).stderr
    assert message in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "run" / "config.json").exists()


def test_random_weights_are_all_that_some_can_start_from(folders):
    said = train("--objective", "zero-dce", "--low", "low", "-o", "run", "--from", "lite", code=2).stderr
    assert "zero-dce always starts with random weights; leave --from out" in said


def test_a_network_has_the_width_of_its_paper_unless_told_otherwise(folders):
    for name, inputs, width in (
        ("zero-dce", ["--low", "low"], 32),
        ("retinexnet", ["--pairs", "low", "normal"], 64),
        ("llnet", ["--normal", "normal"], 867),
    ):
        assert planned("--objective", name, *inputs, "-o", "run")["width"] == width
        assert planned("--objective", name, *inputs, "-o", "run", "--width", 9)["width"] == 9


def test_a_supervised_run_ends_with_a_model_that_enhances(folders, tmp_path):
    write_photos(tmp_path / "dark", 3, exposure=0.1)
    said = train(
        "--objective", "retinexnet", "--pairs", "dark", "normal", "-o", "run", "--width", 2, "--images", 16,
        "--crop", 32, "--batch", 4, "--workers", 0, "--device", "cpu",
    ).stderr  # fmt: skip
    assert "16 of 16 images" in said
    assert "artefacts" not in said  # it has no batch norms that a small batch would mislead
    done = CliRunner().invoke(main, ["dark/0.png", "-o", "out.png", "--model", "run/model.onnx"])
    assert done.exit_code == 0, done.stderr
    refused = CliRunner().invoke(main, ["export", "run/checkpoint.safetensors", "-o", "x.safetensors"])
    assert refused.exit_code == 2
    assert "a network of retinexnet is written as .onnx only" in refused.stderr


def test_a_run_that_diverges_names_the_loss(folders, tmp_path):
    said = train(
        "--objective", "cyclegan", "--low", "low", "--normal", "normal", "-o", "run", "--width", 2, "--images", 8,
        "--crop", 32, "--batch", 2, "--set", "discriminator_width=2", "--set", "cycle_weight=1e308",
        "--workers", 0, "--device", "cpu", code=7,
    ).stderr  # fmt: skip
    assert "the cycle loss is inf at image" in said
    assert not (tmp_path / "run" / "model.onnx").exists()


def test_missing_packages_are_named_with_the_command(folders, monkeypatch):
    from enlighten_cli.cli import requirements

    monkeypatch.setattr(requirements, "find_spec", lambda name: None if name == "torch" else object())
    assert "training needs torch; run: pip install torch" in train(*folders, code=3).stderr


def test_export_by_command(tmp_path, tiny_weights, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    done = runner.invoke(main, ["export", str(tiny_weights), "-o", "copy.safetensors", "--name", "copy"])
    assert done.exit_code == 0, done.stderr
    assert read_weights(tmp_path / "copy.safetensors").metadata["name"] == "copy"
    done = runner.invoke(main, ["export", str(tiny_weights), "-o", "new.onnx"])
    assert done.exit_code == 0, done.stderr
    assert "differs from PyTorch by at most" in done.stderr
    assert runner.invoke(main, ["export", str(tiny_weights), "-o", "model.txt"]).exit_code == 2
    (tmp_path / "junk.pth").write_bytes(b"junk")
    assert runner.invoke(main, ["export", "junk.pth", "-o", "x.onnx"]).exit_code == 4


def test_a_gpu_holds_the_photos_or_gets_as_many_workers_as_there_are_cores(monkeypatch):
    import torch

    from enlighten_cli.cli import train_options

    class Photos:
        def __init__(self, fit):
            self.fit, self.asked = fit, []

        def move_to(self, device):
            self.asked.append(device)
            return self.fit

    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    few, many = Photos(fit=True), Photos(fit=False)
    monkeypatch.setattr(train_options, "available_cores", lambda: 16)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert train_options.workers_for(few, cpu, None) == 1
    assert train_options.workers_for(few, cuda, 3) == 3
    assert not few.asked
    assert train_options.workers_for(few, cuda, None) == 0
    assert few.asked == [cuda]
    assert train_options.workers_for(many, cuda, None) == 16
    assert train_options.workers_for(many, cuda, 0) == 0
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert train_options.workers_for(many, cuda, None) == 4


def test_the_bar_shows_the_time_that_is_left(tmp_path):
    """From the first report on, which comes rarely: rich's own estimate wants them often."""
    from enlighten_cli.cli.training_log import TrainingLog
    from enlighten_cli.training.loop import Status

    with TrainingLog(tmp_path, 1000) as log:
        log.status(Status(images=400, images_per_second=2.0, learning_rate_factor=1.0))
        (task,) = log._bar.tasks
    assert task.description == "0:05:00 left  2.0 images/s"
