"""What a command writes besides photos never replaces anything by surprise."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner
from conftest import scene, write_photos

from enlighten_cli.cli import main
from enlighten_cli.photo import Photo, encode


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "in", 2, exposure=0.2, size=(120, 130))
    (tmp_path / "in" / "9.bmp").write_bytes(encode(Photo(scene(120, 130), "BMP")))
    (tmp_path / "precious.html").write_text("<p>not ours</p>")
    (tmp_path / "link.html").symlink_to(tmp_path / "in" / "0.png")
    return tmp_path


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.parametrize(
    "words",
    [
        ("in", "-o", "out/", "--report", "in/9.bmp"),
        ("in", "-o", "out/", "--report", "out/9.bmp"),
        ("in", "-o", "out/", "--report", "precious.html"),
        ("in", "-o", "out/", "--report", "link.html"),
        ("evaluate", "in", "--method", "input", "--report", "in/9.bmp"),
        ("evaluate", "in", "--method", "input", "--compare", "in/0.png"),
        ("evaluate", "in", "--method", "input", "--report", "precious.html"),
    ],
)
def test_nothing_is_replaced_by_surprise(here, words, tiny_model):
    pytest.importorskip("matplotlib")
    before = contents(here)
    model = [] if words[0] == "evaluate" else ["--model", tiny_model]
    result = run(*words, *model)
    assert result.exit_code == 2, result.stderr
    assert contents(here) == before


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("in/0.png", "-o", "outt"), 2, "write outt/ for a folder, or outt.jpg for a file"),
        (("in/0.png", "-o", "outt", "--format", "jpg"), 2, "write outt/ for a folder, or outt.jpg for a file"),
        (("in/0.png", "-o", "x.gif"), 2, ".gif files cannot be written; choose one of .jpg .png"),
        (("in/0.png", "-o", "x.nef"), 2, ".nef files cannot be written"),
        (
            ("in/0.png", "in/1.png", "-o", "one.jpg"),
            2,
            "names one photo, but 2 inputs were given; name a folder: -o one/",
        ),
        (("in", "-o", "one.jpg"), 2, "names one photo, but a folder was given"),
        (("in", "-o", "precious.html"), 6, "precious.html: is a file, not a folder"),
        (("in", "-o", "precious.html/deep/"), 6, "precious.html: is a file, not a folder"),
        (("in/0.png", "-o", "precious.html/x.png"), 6, "precious.html: is a file, not a folder"),
        (("in", "-o", "out/", "--model", "nonsense"), 4, "nonsense"),
    ],
)
def test_what_would_fail_is_refused_before_any_work(here, monkeypatch, words, code, message, more):
    from enlighten_cli.models import session

    def refuse(*arguments, **options):
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(session.Model, "__init__", refuse)
    before = contents(here)
    result = run(*words, *more)
    assert result.exit_code == code, result.stderr
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert contents(here) == before
    assert not (here / "out").exists()


def test_a_format_whose_package_is_absent_is_refused_before_any_work(here, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    result = run("in/0.png", "-o", "x.heic", "--dry-run")
    assert result.exit_code == 3
    assert "x.heic" in result.stderr
    assert "pip install" in result.stderr


def test_folders_with_an_ending_may_be_meant(here):
    (here / "trip.jpg").mkdir()
    for folder in ("trip.jpg", "new.jpg/", "2026.11"):
        assert run("in", "-o", folder, "--dry-run").exit_code == 0


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_a_folder_that_cannot_be_made_is_its_own_code(here, tiny_model):
    result = run("in", "-o", "/proc/x/", "--model", tiny_model)
    assert result.exit_code == 6
    assert "/proc/x: cannot be made" in result.stderr


def test_our_own_page_and_sheet_are_replaced(here, tiny_model):
    pytest.importorskip("matplotlib")
    for words in (
        ("in", "-o", "out/", "--on-conflict", "overwrite", "--model", tiny_model, "--report", "page.html"),
        ("evaluate", "in", "--method", "gamma", "--report", "page.html", "--compare", "sheet.png"),
        ("evaluate", "in", "--method", "gamma", "--compare", "sheet.jpg"),
    ):
        for _ in range(2):
            assert run(*words).exit_code == 0


def test_an_export_never_replaces_its_source_or_a_run_s_checkpoint(tmp_path, tiny_weights):
    from enlighten_cli.training.checkpoint import write_tensors

    torch = pytest.importorskip("torch")
    source = tmp_path / "weights.safetensors"
    source.write_bytes(tiny_weights.read_bytes())
    checkpoint = tmp_path / "checkpoint.safetensors"
    write_tensors(checkpoint, {"generator.x": torch.zeros(1)}, {"images_seen": "8", "config": "{}"})
    before = contents(tmp_path)
    for target in (source, checkpoint):
        result = run("export", source, "-o", target)
        assert result.exit_code == 2
        assert "choose another -o" in result.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize("lost", ["truncated", "deleted"])
def test_a_report_needs_no_second_look_at_the_photos(here, tiny_model, lost, monkeypatch):
    """Its pictures are made while photos pass, under the options of the run."""
    pytest.importorskip("matplotlib")
    options = []
    if lost == "truncated":
        whole = encode(Photo(scene(120, 130), "JPEG"))
        (here / "in" / "cut.jpg").write_bytes(whole[: len(whole) * 3 // 4])
        options = ["--allow-truncated"]
    else:
        from enlighten_cli.batch import conflict

        write = conflict.write_whole

        def write_and_lose(path, content, **how):
            write(path, content, **how)
            (here / "in" / path.name).unlink()

        monkeypatch.setattr(conflict, "write_whole", write_and_lose)
    result = run("in", "-o", "out/", "--model", tiny_model, "--report", "page.html", *options)
    assert result.exit_code == 0, result.stderr
    page = (here / "page.html").read_text()
    assert all(path.name in page for path in (here / "out").iterdir())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("option", ["--json", "--dry-run"])
def test_a_full_stdout_is_said_as_such(here, tiny_model, option):
    words = [sys.executable, "-m", "enlighten_cli", "in", "-o", "out/", "--model", str(tiny_model), option]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 6
    assert "stdout: cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_names_play_no_tricks_in_errors_and_plans(here, tiny_model):
    name = "evil\x1b]0;owned\x07\nfake line.png"
    (here / "in" / name).write_bytes(encode(Photo(scene(20, 20), "PNG")))
    plan = run("in", "-o", "out/", "--dry-run")
    error = run(f"in/{name}", "-o", f"in/{name}", "--model", tiny_model)
    for text in (plan.stdout, plan.stderr, error.stderr):
        assert "\x1b" not in text
        assert "\nfake" not in text
    assert r"evil\x1b]0;owned\x07\nfake line.png" in plan.stdout
    assert error.exit_code == 2
    lines = [json.loads(line) for line in run("in", "-o", "out/", "--dry-run", "--json").stdout.splitlines()]
    assert f"in/{name}" in [line["source"] for line in lines]


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "in", "--method", "input", "--per-photo"),
        ("evaluate", "in", "--method", "input", "--per-photo", "--format", "markdown"),
        ("in/0.png", "-o", "in/\x1b[31m.zzz"),
        ("in", "-o", "out/", "--bad\x1b[31m"),
        ("in", "--files-from", "absent\x1b[31m"),
        ("export", "absent\x1b[31m", "-o", "x.onnx"),
        ("evaluate", "in", "--method", "absent\x1b[31m"),
        ("in", "-o", "out/", "--model", "absent\x1b[31m"),
        ("models", "fetch", "absent\x1b[31m"),
        ("in/\x1b[31m.png", "-o", "-"),
    ],
)
def test_no_command_lets_a_name_play_with_the_terminal(here, tiny_model, words):
    """On a terminal, where click takes no escapes out by itself."""
    (here / "in" / "evil\x1b[31m.png").write_bytes(encode(Photo(scene(120, 130), "PNG")))
    model = ("--model", str(tiny_model)) if words[0].startswith("in") and "--model" not in words else ()
    result = CliRunner().invoke(main, [*words, *model], color=True)
    assert "\x1b" not in result.stdout + result.stderr
    assert r"\x1b[31m" in result.stdout + result.stderr
