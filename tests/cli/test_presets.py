"""Defaults and presets from the user's file."""

import json

import pytest
from click.testing import CliRunner
from conftest import write_photos

from enlighten_cli.cli import main

FILE = """
[enhance]
strength = 0.8
format = "webp"

[preset.web]
format = "jpg"
quality = 85
strip = "gps"
max-mpixels = 40

[preset.careful]
on-conflict = "rename"
preserve = true
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "in", 1, exposure=0.2)
    monkeypatch.setenv("ENLIGHTEN_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text(FILE)
    return tmp_path


@pytest.fixture
def given(monkeypatch):
    """What the command was told, in the end."""
    from enlighten_cli.cli import enhance

    seen = []
    monkeypatch.setattr(enhance, "enhance_many", lambda inputs, arguments, *more: seen.append(arguments) or 0)

    def given(*words):
        result = CliRunner().invoke(main, ["in", "-o", "out/", *words])
        assert result.exit_code == 0, result.stderr
        return seen[-1]

    return given


def test_the_file_sets_defaults_and_a_preset_more(here, given):
    plain = given()
    assert (plain.strength, plain.format, plain.quality) == (0.8, "webp", None)
    web = given("--preset", "web")
    assert (web.strength, web.format, web.quality, web.strip, web.max_mpixels) == (0.8, "jpg", 85, "gps", 40)
    careful = given("--preset", "careful")
    assert (careful.on_conflict, careful.preserve, careful.format) == ("rename", True, "webp")


def test_the_command_line_wins(here, given):
    words = given("--strength", "0.3", "--preset", "web", "--quality", "70")
    assert (words.strength, words.quality, words.format) == (0.3, 70, "jpg")


def test_without_a_file_nothing_changes(here, given, monkeypatch):
    monkeypatch.delenv("ENLIGHTEN_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(here / "nowhere"))
    assert (given().strength, given().format) == (1.0, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[enhance]\nstrenght = 1", "strenght is not an option that can be set here; did you mean strength?"),
        ("[enhance]\ndry-run = true", "dry-run is not an option that can be set here"),
        ("[enhance]\nstrength = 'much'", "strength: 'much' is not a valid float"),
        ("[enhance]\npreserve = 'yes'", "preserve is 'yes'; it must be true or false"),
        ("[enhance]\nstrength = true", "strength is True; it must be a number or a word in quotes"),
        ("[enhance]\nformat = 'jepg'", "format: 'jepg' is not one of"),
        ("[preset.a]\nquality = 300", "web"),
        ("[train]\nimages = 1", "no table [train]"),
        ("enhance = 1", "must be a table"),
        ("preset = {a = 1}", "each preset must be a table"),
        ("[enhance", "not valid TOML"),
    ],
)
def test_mistakes_are_told_with_the_file(here, content, message):
    (here / "config.toml").write_text(content)
    words = ["in", "-o", "out/", "--dry-run", *(["--preset", "web"] if message == "web" else [])]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert str(here / "config.toml") in result.stderr
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_preset_that_is_not_there(here):
    result = CliRunner().invoke(main, ["in", "--preset", "wbe"])
    assert result.exit_code == 2
    assert f"no such preset in {here / 'config.toml'}; did you mean web?" in result.stderr
    (here / "config.toml").unlink()
    assert "ENLIGHTEN_CONFIG names it" in CliRunner().invoke(main, ["in"]).stderr


def test_doctor_says_where_the_file_is(here):
    record = json.loads(CliRunner().invoke(main, ["doctor", "--json"]).stdout)
    assert record["folders"]["configuration"] == f"{here / 'config.toml'} (exists)"
