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
        (["empty"], "no photos"),
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
    words = ("night", "--method", "gamma", "--method", "equalize", "--blind", "blind.html")
    assert "2 pairs" in enlighten("evaluate", *words).stderr
    key = re.search(r'id="key">([^<]+)<', (tmp_path / "blind.html").read_text())[1]
    pairs = json.loads(base64.b64decode(key))
    assert {(pair["left"], pair["right"]) for pair in pairs} <= {("gamma", "equalize"), ("equalize", "gamma")}
    votes = [{**pair, "vote": "left" if pair["left"] == "gamma" else "right"} for pair in pairs]
    (tmp_path / "votes.json").write_text(json.dumps({"format": "enlighten votes 1", "votes": votes}))
    counted = json.loads(enlighten("evaluate", "--votes", "votes.json", "--format", "json").stdout)
    assert [(each["first"], each["wins"], each["losses"], each["rate"]) for each in counted] == [
        ("equalize", 0, 2, 0.0)
    ]
    for layout in ("table", "markdown", "csv"):
        assert "equalize" in enlighten("evaluate", "--votes", "votes.json", "--format", layout).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("night", "--blind", "b.html", "--method", "gamma"), "at least two"),
        (("night", "--blind", "b.html", "--method", "gamma", "--report", "r.html"), "scores nothing"),
        (("night", "--blind", "b.txt", "--method", "gamma"), "must end in .html"),
        (("night", "--votes", "votes.json"), "leave out the folders"),
        ((), "no folder given"),
    ],
)
def test_what_makes_no_sense_of_blind_pages_is_refused(folders, tmp_path, words, message):
    (tmp_path / "votes.json").write_text("{}")
    assert message in enlighten("evaluate", *words, code=2).stderr
    assert not list(tmp_path.glob("b.*"))
