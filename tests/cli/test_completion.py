"""Completion of words by shells, as docs/install.md sets it up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ENLIGHTEN = Path(sys.executable).with_name("enlighten")


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
