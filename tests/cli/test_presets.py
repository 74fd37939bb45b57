"""Defaults and presets from the user's file."""

import json
import os

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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[enhance]\nthreads = 100000000000000000000", "threads: 100000000000000000000 is not in the range"),
        (f"[enhance]\nthreads = {'9' * 4000}", "threads: 9"),
        (f"[enhance]\nstrength = {'9' * 4000}", "is not a finite number"),
        ("[enhance]\nmemory = 100000000000000000000", "memory: 100000000000000000000 is not in the range"),
        ("[enhance]\nmax-mpixels = nan", "max-mpixels: nan is not a finite number"),
        ("[enhance]\nskip-brighter-than = nan", "skip-brighter-than: nan is not a finite number"),
        ("[enhance]\ndenoise = inf", "denoise: inf is not auto, off or a number"),
        (f"[enhance]\nx = {'[' * 100_000}", "nested too deeply"),
        ("# " + "x" * (1 << 20), "more than 1,048,576 bytes"),
    ],
)
def test_a_file_that_is_meant_ill(here, content, message):
    (here / "config.toml").write_text(content)
    result = CliRunner().invoke(main, ["in", "-o", "out/", "--dry-run"])
    assert result.exit_code == 2, result.stderr
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.posix
@pytest.mark.parametrize(("path", "message"), [("/dev/zero", "more than"), ("fifo", "not a regular file")])
def test_a_file_without_an_end_or_a_beginning(here, monkeypatch, path, message):
    os.mkfifo("fifo")
    monkeypatch.setenv("ENLIGHTEN_CONFIG", path)
    result = CliRunner().invoke(main, ["in", "-o", "out/", "--dry-run"])
    assert result.exit_code == 2
    assert f"{path}: {message}" in result.stderr


@pytest.mark.posix
def test_a_file_that_nobody_named_and_that_cannot_be_read_is_a_remark(here, monkeypatch):
    """A system account may not look into the folder of settings."""
    monkeypatch.delenv("ENLIGHTEN_CONFIG")
    (here / "settings").write_text("a file, where a folder should be")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(here / "settings"))
    result = CliRunner().invoke(main, ["in", "-o", "out/", "--dry-run"])
    assert result.exit_code == 0, result.stderr
    assert "cannot be read: Not a directory; its defaults and presets are not used" in result.stderr
    named = CliRunner().invoke(main, ["in", "-o", "out/", "--dry-run", "--preset", "web"])
    assert named.exit_code == 2
    assert "--preset web" in named.stderr


def test_a_mark_before_utf_8_is_no_mistake(here, given):
    (here / "config.toml").write_bytes(b"\xef\xbb\xbf" + FILE.encode())
    assert given().strength == 0.8


def test_other_commands_take_the_options_that_they_have(here, monkeypatch):
    from enlighten_cli.cli import preview, watching

    seen = []
    monkeypatch.setattr(preview, "write_preview", lambda arguments: seen.append(arguments) or 0)
    monkeypatch.setattr(watching, "watch_folder", lambda arguments: seen.append(arguments) or 0)
    for words in (["preview", "in", "-o", "sheet.png"], ["watch", "in", "-o", "out/"]):
        result = CliRunner().invoke(main, [*words, "--preset", "web"])
        assert result.exit_code == 0, result.stderr
    sheet, watched = seen
    assert (sheet.max_mpixels, sheet.strengths) == (40, (0.4, 0.7, 1.0))
    assert (watched.format, watched.quality, watched.strength) == ("jpg", 85, 0.8)
