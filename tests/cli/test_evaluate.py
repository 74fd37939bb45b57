import base64
import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import write_photos
from PIL import Image

from enlighten_cli.cli import main


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "night", 2, exposure=0.2, size=(200, 220))
    write_photos(tmp_path / "day", 2, exposure=1.0, size=(200, 220))


def enlighten(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def test_json_says_all_of_it(folders, tiny_model):
    words = ["evaluate", "night", "--reference", "day", "--model", tiny_model, "--method", "input"]
    record = json.loads(enlighten(*words, "--format", "json", "--per-photo").stdout)
    as_is, tiny = record["sets"]
    assert (as_is["set"], as_is["method"], as_is["count"]) == ("night", "input", 2)
    assert (tiny["method"], tiny["count"]) == ("tiny", 2)
    for metric in ("niqe", "psnr", "ssim", "luma"):
        assert isinstance(as_is[metric]["mean"], float)
    assert "loe" in tiny
    assert len(record["photos"]) == 4
    assert len(record["provenance"]["models"]["tiny"]["sha256"]) == 64
    assert record["provenance"]["models"]["tiny"]["provider"] == "CPUExecutionProvider"
    assert record["provenance"]["options"]["mode"] == "auto"


def test_identical_photos_have_no_figure_in_json(folders):
    words = ["evaluate", "day", "--reference", "day", "--method", "input", "--format", "json"]
    (row,) = json.loads(enlighten(*words).stdout)["sets"]
    assert row["psnr"]["mean"] is None
    assert row["ssim"]["mean"] == 1.0


def test_the_best_is_marked(folders):
    words = ["evaluate", "night", "--reference", "day", "--method", "gamma", "--method", "equalize"]
    lines = enlighten(*words).stdout.splitlines()
    assert lines[0].split() == [
        "set",
        "method",
        "photos",
        "niqe",
        "loe",
        "colour_shift",
        "luma",
        "psnr",
        "ssim",
        "seconds",
    ]
    assert sum(line.count("*") for line in lines[1:3]) == 10
    markdown = enlighten(*words, "--format", "markdown").stdout.splitlines()
    assert markdown[1].startswith("| --- |")
    assert "**" in markdown[2] + markdown[3]


def test_csv_has_a_row_a_set_and_a_row_a_photo(folders):
    output = enlighten("evaluate", "night", "day", "--method", "input", "--format", "csv", "--per-photo").stdout
    rows = list(csv.DictReader(io.StringIO(output)))
    assert [row["set"] for row in rows] == ["night", "day", "night", "night", "day", "day"]
    assert [row["photo"] for row in rows] == ["", "", "0.png", "1.png", "0.png", "1.png"]


def test_a_contact_sheet_and_a_report(folders, tiny_model):
    words = ["evaluate", "night", "--method", "gamma", "--model", tiny_model]
    enlighten(*words, "--compare", "sheet.png", "--report", "report.html")
    with Image.open("sheet.png") as sheet:
        assert sheet.size == (3 * 220 + 2 * 4, 2 * 200 + 4)
        left, middle = (np.asarray(sheet)[:200, start : start + 220].mean() for start in (0, 224))
    assert middle > left
    assert "night" in Path("report.html").read_text()


def test_enhancing_writes_a_report_too(folders, tiny_model):
    enlighten("night", "-o", "out/", "--model", tiny_model, "--report", "report.html")
    text = Path("report.html").read_text()
    assert text.count('class="photo"') == 2
    assert text.count('class="open"') == 4
    assert len(re.findall('data-metric="niqe"', text)) == 4  # the input is scored too
    assert "Scored: the saved files" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["night", "--reference", "empty"], "no reference for"),
        (["night", "--compare", "sheet.tif"], "must end in .png or .jpg"),
        (["night", "--report", "nowhere/report.html"], "its folder does not exist"),
        (["night", "--method", "nonsense"], "nonsense"),
    ],
)
def test_errors_are_found_first(folders, tmp_path, arguments, message):
    (tmp_path / "empty").mkdir()
    assert message in enlighten("evaluate", *arguments, code=2).stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["day", "empty", "night"]


def test_a_report_needs_its_packages(folders, monkeypatch):
    from importlib import util

    real = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *more: None if name == "jinja2" else real(name, *more))
    for words in (["evaluate", "night", "--method", "input"], ["night", "-o", "out/"]):
        message = enlighten(*words, "--report", "report.html", code=3).stderr
        assert "pip install jinja2" in message


def test_a_blind_page_and_its_votes(folders, tmp_path):
    words = ("night", "--method", "gamma", "--method", "equalize", "-o", "blind.html")
    assert "2 pairs" in enlighten("blind", *words).stderr
    key = re.search(r'id="key">([^<]+)<', (tmp_path / "blind.html").read_text())[1]
    pairs = json.loads(base64.b64decode(key))
    assert {(pair["left"], pair["right"]) for pair in pairs} <= {("gamma", "equalize"), ("equalize", "gamma")}
    votes = [{**pair, "vote": "left" if pair["left"] == "gamma" else "right"} for pair in pairs]
    (tmp_path / "votes.json").write_text(json.dumps({"format": "enlighten votes 1", "votes": votes}))
    counted = json.loads(enlighten("votes", "votes.json", "--format", "json").stdout)
    assert [(each["first"], each["wins"], each["losses"], each["rate"]) for each in counted] == [
        ("equalize", 0, 2, 0.0)
    ]
    for layout in ("table", "markdown", "csv"):
        assert "equalize" in enlighten("votes", "votes.json", "--format", layout).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("blind", "night", "-o", "b.html", "--method", "gamma"), "at least two"),
        (("blind", "night", "-o", "b.txt", "--method", "gamma"), "must end in .html"),
        (("blind", "night", "--method", "gamma"), "Missing option '-o'"),
        (("blind", "night", "-o", "b.html", "--report", "r.html"), "--report: an option of `enlighten enhance`"),
        (("blind", "night", "-o", "b.html", "--reference", "day"), "No such option '--reference'"),
        (("blind", "night", "-o", "b.html", "--compare", "c.png"), "No such option '--compare'"),
        (("votes", "votes.json", "--mode", "full"), "--mode: an option of `enlighten enhance`"),
        (("votes",), "Missing argument"),
        (("evaluate",), "Missing argument"),
    ],
)
def test_what_makes_no_sense_of_blind_pages_is_refused(folders, tmp_path, words, message):
    (tmp_path / "votes.json").write_text("{}")
    assert message in enlighten(*words, code=2).stderr
    assert not list(tmp_path.glob("b.*"))


@pytest.mark.parametrize("command", [("evaluate",), ("blind", "-o", "b.html")])
def test_an_empty_folder_is_nothing_to_do(folders, tmp_path, command):
    (tmp_path / "empty").mkdir()
    assert "empty: no photos found" in enlighten(*command, "empty", code=5).stderr


def test_a_bad_photo_is_left_out_for_all_and_the_others_are_scored(folders, tmp_path):
    """Means stay comparable: what one method could not do counts for none."""
    words = ("evaluate", "night", "--method", "input", "--method", "gamma", "--format", "json", "--per-photo")
    (tmp_path / "night" / "0.png").write_bytes(b"text")
    result = enlighten(*words, "--compare", "sheet.png", code=1)
    record = json.loads(result.stdout)
    assert [(row["method"], row["count"]) for row in record["sets"]] == [("input", 1), ("gamma", 1)]
    assert {each["photo"] for each in record["photos"]} == {"1.png"}
    assert result.stderr.splitlines()[0] == "night/0.png: not a photo in a supported format; left out"
    assert result.stderr.count("left out") == 1
    with Image.open("sheet.png") as sheet:
        assert sheet.height == 200
    (tmp_path / "night" / "1.png").write_bytes(b"text")
    assert "no photo could be read" in enlighten(*words, code=1).stderr


def test_what_one_candidate_cannot_do_counts_for_none(folders, tmp_path):
    write_photos(tmp_path / "others", 2, exposure=0.5, size=(200, 220))
    (tmp_path / "others" / "1.png").write_bytes(b"text")
    words = ("evaluate", "night", "--method", "input", "--outputs", "others=others", "--format", "json")
    record = json.loads(enlighten(*words, code=1).stdout)
    assert [(row["method"], row["count"]) for row in record["sets"]] == [("input", 1), ("others", 1)]


def test_a_blind_page_leaves_out_what_cannot_be_read(folders, tmp_path):
    (tmp_path / "night" / "0.png").write_bytes(b"text")
    words = ("blind", "night", "--method", "gamma", "--method", "equalize", "-o", "blind.html")
    said = enlighten(*words, code=1).stderr
    assert "night/0.png: not a photo in a supported format; left out" in said
    assert "1 pairs" in said


def test_no_option_is_suggested_that_is_not_there(folders, tmp_path):
    whole = (tmp_path / "night" / "0.png").read_bytes()
    (tmp_path / "night" / "0.png").write_bytes(whole[: len(whole) // 2])
    said = enlighten("evaluate", "night", "--method", "input", code=1).stderr
    assert "night/0.png: the file is incomplete; left out" in said
    assert "--allow-truncated" not in said


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("evaluate", ["evaluate", "night", "--method", "input", "--report", "page.html"]),
        ("evaluate", ["evaluate", "night", "--method", "input", "--compare", "page.png"]),
        ("blind", ["blind", "night", "--method", "input", "--method", "gamma", "-o", "page.html"]),
        ("batch_report", ["night", "-o", "out/", "--mode", "fast", "--report", "page.html"]),
    ],
)
def test_what_has_become_an_original_meanwhile_is_not_replaced(folders, monkeypatch, module, words):
    pytest.importorskip("jinja2")
    monkeypatch.setattr(f"enlighten_cli.cli.{module}.check_output", lambda *_, **__: None)  # it saw nothing there
    page = next(Path(word) for word in words if word.startswith("page"))
    page.hardlink_to("night/0.png")
    before = page.read_bytes()
    said = enlighten(*words, code=1).stderr
    assert "page" in said
    assert "is the same file" in said
    assert page.read_bytes() == before
    assert page.samefile("night/0.png")


def test_results_of_another_program_are_not_replaced_either(folders, monkeypatch):
    monkeypatch.setattr("enlighten_cli.cli.evaluate.check_output", lambda *_, **__: None)
    Path("sheet.png").hardlink_to("day/1.png")
    words = ["evaluate", "night", "--outputs", "theirs=day", "--compare", "sheet.png"]
    assert "is the same file" in enlighten(*words, code=1).stderr
    assert Path("sheet.png").samefile("day/1.png")


def test_a_photo_for_which_memory_is_too_small_is_left_out(folders, monkeypatch):
    from enlighten_cli.cli import candidates

    def greedy(task, *rest, real=candidates.by_method):
        candidate = real(task, *rest)
        return type(candidate)(lambda photo, path: _without_memory(path) or candidate.enhance(photo, path), False)

    monkeypatch.setattr(candidates, "by_method", lambda method, is_timed: greedy(method))
    words = ["evaluate", "night", "--method", "gamma", "--format", "json"]
    result = enlighten(*words, code=1)
    assert json.loads(result.stdout)["sets"][0]["count"] == 1
    assert "night/0.png: too little memory for this photo" in result.stderr


def _without_memory(path):
    if path.name == "0.png":
        raise MemoryError
