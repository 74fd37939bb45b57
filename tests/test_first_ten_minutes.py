"""The recording in docs/first-ten-minutes.md shows commands that exist, and nothing of the machine that made it."""

import re
import runpy
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from enlighten_cli.cli import main

ROOT = Path(__file__).parent.parent
RECORD = runpy.run_path(str(ROOT / ".ci" / "record.py"))
PAGE = (ROOT / "docs" / "first-ten-minutes.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)


def test_the_page_has_the_commands_of_the_script_in_its_order():
    assert [command for step in RECORD["STEPS"] for command in step.commands] == COMMANDS


@pytest.mark.parametrize("command", [command for command in dict.fromkeys(COMMANDS) if "enlighten" in command])
def test_a_command_of_the_page_parses(command, tmp_path, monkeypatch):
    for each in commands_of(main):
        monkeypatch.setattr(each, "callback", lambda **given: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    words = shlex.split(command)
    words = words[words.index("enlighten") + 1 :]
    if ">" in words:
        words = words[: words.index(">")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output


def commands_of(group):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands_of(command)
        else:
            yield command


def test_nothing_of_the_machine_is_on_the_page():
    assert not re.search(r"/tmp|/home|/root|/work|\d\.\d s\b|\d GB", PAGE)


def test_times_versions_and_paths_are_replaced():
    said = (
        "versions\n    python                 3.11.7\nBrightened 1 photo in 3.7 s (12 photos a second) -> /tmp/x/out/\n"
    )
    assert RECORD["stable"](said, Path("/tmp/x")) == (
        "versions\n    python                 …\nBrightened 1 photo in … s (… photos a second) -> ~/out/\n"
    )
    table = "set  method  luma   seconds\na    lite    0.463    2.917\na    input   0.148\n"
    assert RECORD["stable"](table, Path("/tmp/x")) == (
        "set  method  luma   seconds\na    lite    0.463        …\na    input   0.148\n"
    )
