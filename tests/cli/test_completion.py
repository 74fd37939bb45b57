"""Completion of words by shells, as docs/install.md sets it up."""

import os
import shutil
import subprocess

import pytest
from shells import COMMANDS, ENLIGHTEN, Shell


def completed(words, shell="bash"):
    """Ask what could stand for the last of the words."""
    environment = {
        **os.environ,
        "_ENLIGHTEN_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(["enlighten", *words]),
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words)),
    }
    return subprocess.run([ENLIGHTEN], env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_it_can_read(shell, tmp_path):
    environment = {**os.environ, "_ENLIGHTEN_COMPLETE": f"{shell}_source"}
    script = subprocess.run([ENLIGHTEN], env=environment, capture_output=True, text=True, check=True).stdout
    assert "_ENLIGHTEN_COMPLETE" in script
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed, so that its script was not parsed")
    (tmp_path / "script").write_text(script)
    subprocess.run([shell, "-n", tmp_path / "script"], check=True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_and_options_are_completed(shell):
    assert "models" in completed(["mod"], shell)
    assert "--strength" in completed(["enhance", "--stre"], shell)
    assert "fetch" in completed(["models", "fe"], shell)
    assert "overwrite" in completed(["enhance", "--on-conflict", "over"], shell)


def test_options_of_the_command_that_goes_without_saying():
    assert "--strength" in completed(["photo.jpg", "--stre"])


def values(words, shell="bash"):
    return [line.split(",", 1) for line in completed(words, shell).splitlines()]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENLIGHTEN_DATA", str(tmp_path / ".data"))
    for name in ("night.jpg", "my own.jpg", "evening.jpg", "mine.onnx", "train"):
        (tmp_path / name).touch()
    (tmp_path / "evolution").mkdir()
    return tmp_path


def test_the_first_word_is_a_command_or_a_path(here):
    assert values(["nigh"]) == [["file", "nigh"]]
    assert values(["ev"]) == [["plain", "evaluate"], ["plain", "evening.jpg"], ["plain", "evolution/"]]
    assert values(["trai"]) == [["plain", "train"]]  # the command, not the file


def test_options_may_stand_first():
    assert values(["--stre"]) == [["plain", "--strength"]]
    assert {"--help", "--version"} <= {value for _, value in values(["--"])}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-o", "evo"], [["file", "evo"]]),
        (["night.jpg", "nigh"], [["file", "nigh"]]),
        (["night.jpg", "--model", "lit"], [["plain", "lite"]]),
        (["night.jpg", "--model", "mi"], [["file", "mi"]]),
        (["night.jpg", "--model", "./l"], [["file", "./l"]]),
        (["evaluate", "evolution", "--model", "lit"], [["plain", "lite"]]),
        (["serve", "--model", "lit"], [["plain", "lite"]]),
        (["night.jpg", "--device", "cu"], [["plain", "cuda"]]),
        (["models", "path", "lit"], [["plain", "lite"]]),
        (["models", "verify", "lite", "enl"], [["plain", "enlightengan-original"]]),
        (["models", "fetch", ""], [["plain", "enlightengan-original"]]),
        (["train", "--from", "ran"], [["plain", "random"]]),
        (["train", "--low", "e"], [["dir", "e"]]),
    ],
)
def test_values_are_completed(here, words, expected):
    assert values(words) == expected


def test_models_and_their_files_are_offered_together(here):
    offered = [value for _, value in values(["night.jpg", "--model", ""])]
    assert {"lite", "mine.onnx", "evolution/"} <= set(offered)
    assert "night.jpg" not in offered


@pytest.mark.parametrize("name", COMMANDS)
def test_in_a_real_shell(here, name):
    if not (shutil.which(name) and shutil.which("setsid")):
        pytest.skip(f"{name} or setsid is not installed, so that nothing was completed in it")
    shell = Shell(name, here)
    try:
        assert shell.completed("enlighten nigh") == ["enlighten", "night.jpg"]
        assert shell.completed("enlighten my") == ["enlighten", "my own.jpg"]
        assert shell.completed("enlighten night.jpg -o evo") == ["enlighten", "night.jpg", "-o", "evolution"]
        assert shell.completed("enlighten -o evo") == ["enlighten", "-o", "evolution"]
        assert shell.completed("enlighten night.jpg --model lit") == ["enlighten", "night.jpg", "--model", "lite"]
        assert shell.completed("enlighten models path li") == ["enlighten", "models", "path", "lite"]
        assert shell.completed("enlighten mode") == ["enlighten", "models"]
        assert shell.completed("enlighten --stren") == ["enlighten", "--strength"]
    finally:
        shell.close()
