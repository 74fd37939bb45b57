"""A sheet of strengths, by which a photographer chooses one."""

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import write_photos

from enlighten_cli.cli import main
from enlighten_cli.cli.commands.preview import STRENGTHS
from enlighten_cli.cli.preview import _looks
from enlighten_cli.enhancement.encoded import Treatment
from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.errors import OutOfMemoryError
from enlighten_cli.evaluation.sheet import GAP_PX, LABEL_PX, labelled
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import decode


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_photos(tmp_path / "in", 2, exposure=0.2, size=(120, 160))


def run(*words, code=0):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == code, result.stderr
    return result.stderr


def test_a_sheet_shows_the_photo_and_what_each_strength_would_give(photos, tmp_path):
    said = run("preview", photos / "0.png", "-o", "sheet.png")
    assert said == "Wrote sheet.png: before, and strengths 0.4, 0.7, 1\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "sheet.png"]
    assert len(list(photos.iterdir())) == 2
    sheet = decode(tmp_path / "sheet.png").pixels
    assert sheet.shape == (120 + LABEL_PX, 4 * 160 + 3 * GAP_PX, 3)
    cells = [sheet[LABEL_PX:, left : left + 160] for left in range(0, 4 * (160 + GAP_PX), 160 + GAP_PX)]
    np.testing.assert_array_equal(cells[0], decode(photos / "0.png").pixels)
    for strength, cell in zip((0.4, 0.7, 1.0), cells[1:], strict=True):
        run(photos / "0.png", "-o", "result.png", "--strength", strength, "--overwrite")
        np.testing.assert_array_equal(cell, decode(tmp_path / "result.png").pixels)


@pytest.mark.parametrize("mode", [Mode.FAST, Mode.FULL])
def test_the_network_sees_a_photo_once_for_all_strengths(photos, mode):
    calls = []
    network = FunctionNetwork(lambda rgb: calls.append(rgb.shape) or rgb**0.5)
    options = Options(mode=mode)
    enhance(decode(photos / "0.png"), network, options)
    alone = list(calls)
    calls.clear()
    assert len(_looks(photos / "0.png", Treatment(options), network, STRENGTHS, [])) == 4
    assert calls == alone
    assert len(_looks(photos / "0.png", Treatment(options), network, STRENGTHS, [2])) == 1  # stopped by a signal


def test_each_cell_has_its_label():
    blank = np.full((10, 200, 3), 100, np.uint8)
    labels = [labelled(blank, text) for text in ("before", "strength 0.4", "")]
    assert (labels[0][LABEL_PX:] == 100).all()
    assert labels[0][:LABEL_PX].max() > 200  # white letters
    assert labels[2][:LABEL_PX].max() < 100
    assert not np.array_equal(labels[0], labels[1])


def test_a_sheet_replaces_only_a_sheet(photos, tmp_path):
    for _ in range(2):
        run("preview", photos, "-o", "sheet.jpg", "-q")
    assert decode(tmp_path / "sheet.jpg").pixels.shape[0] == 2 * (120 + LABEL_PX) + GAP_PX
    before = (photos / "1.png").read_bytes()
    assert "choose another name" in run("preview", photos / "0.png", "-o", "in/1.png", code=2)
    assert (photos / "1.png").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["in", "-o", "sheet.gif"], 2, "sheet.gif: the name must end in .png or .jpg"),
        (["in"], 2, "Missing option '-o'"),
        (["in", "-o", f"{'s' * 300}.png"], 6, "cannot be written: File name too long"),
        (["-", "-o", "sheet.jpg"], 2, "name photos or folders"),
        (["in", "-o", "s3://bucket/sheet.jpg"], 2, "-o writes a file on this machine"),
        (["-o", "sheet.jpg"], 2, "no photo or folder given; see: enlighten preview --help"),
        (["empty", "-o", "sheet.jpg"], 5, "no photos"),
        (["bad.jpg", "-o", "sheet.jpg"], 1, "bad.jpg: not a photo"),
        (["many", "-o", "sheet.jpg"], 2, "at most 20 photos"),
        (["in", "-o", "sheet.jpg", "--strength", "9"], 2, "from 0 to 1.5"),
        (["in", "-o", "sheet.jpg", *["--strength", "1"] * 13], 2, "at most 12 strengths"),
    ],
)
def test_what_no_sheet_is_made_of(photos, tmp_path, words, code, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.jpg").write_bytes(b"text")
    (tmp_path / "many").mkdir()
    for number in range(21):
        (tmp_path / "many" / f"{number}.jpg").touch()
    assert message in run("preview", *words, code=code)
    assert not (tmp_path / "sheet.jpg").exists()


def test_the_strengths_are_those_that_are_given(photos, tmp_path):
    said = run("preview", photos / "0.png", "-o", "sheet.png", "--strength", 0.25, "--strength", 1.5)
    assert said == "Wrote sheet.png: before, and strengths 0.25, 1.5\n"
    sheet = decode(tmp_path / "sheet.png").pixels
    assert sheet.shape == (120 + LABEL_PX, 3 * 160 + 2 * GAP_PX, 3)
    run(photos / "0.png", "-o", "result.png", "--strength", 0.25)
    left = 160 + GAP_PX
    np.testing.assert_array_equal(sheet[LABEL_PX:, left : left + 160], decode(tmp_path / "result.png").pixels)


@pytest.mark.parametrize(
    "words",
    [
        ("--format", "webp"),
        ("--quality", "50"),
        ("--name", "{stem}"),
        ("--overwrite",),
        ("--strip", "all"),
        ("--preserve",),
        ("--report", "page.html"),
        ("--skip-brighter-than", "0.5"),
        ("--on", "ray"),
        ("--json",),
        ("--dry-run",),
    ],
)
def test_no_option_of_results_is_ignored_without_a_word(photos, tmp_path, words):
    said = run("preview", photos, "-o", "sheet.png", *words, code=2)
    assert (
        said == f"enlighten: {words[0]}: an option of `enlighten enhance`, not of `enlighten preview`; leave it out\n"
    )
    assert not (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize("bad", [b"text", None])
def test_one_bad_photo_does_not_take_the_sheet(photos, tmp_path, bad):
    whole = (photos / "1.png").read_bytes()
    (photos / "1.png").write_bytes(bad or whole[: len(whole) // 2])
    said = run("preview", photos, "-o", "sheet.png", code=1)
    assert said.startswith(f"{photos}/1.png: ")
    assert said.endswith("; 1 failed\n")
    assert ("(try --allow-truncated)" in said) == (bad is None)
    assert decode(tmp_path / "sheet.png").pixels.shape[0] == 120 + LABEL_PX


def test_a_list_names_photos_of_a_sheet_too(photos, tmp_path):
    (tmp_path / "list").write_text("in/1.png\n")
    run("preview", "--files-from", "list", "-o", "sheet.png")
    assert decode(tmp_path / "sheet.png").pixels.shape[0] == 120 + LABEL_PX


@pytest.mark.parametrize("error", [MemoryError(), OutOfMemoryError("the network ran out of memory")])
def test_a_photo_for_which_memory_is_too_small_is_left_out(photos, monkeypatch, error):
    def greedy(source, *rest):
        if source.name == "0.png":
            raise error
        return _looks(source, *rest)

    monkeypatch.setattr("enlighten_cli.cli.preview._looks", greedy)
    said = run("preview", photos, "-o", "sheet.png", code=1)
    assert "memory" in said.splitlines()[0]
    assert "0.png: " in said
    assert "1 failed" in said
