import re

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import scene, write_photos

from enlighten_cli.cli import main
from enlighten_cli.photo import Photo, decode, encode


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_photos(tmp_path / "in", 3, exposure=0.2)


def enlighten(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, f"{result.stdout}\n{result.stderr}"
    assert result.stdout == ""
    return result.stderr


def test_a_folder_into_a_folder(photos, tmp_path, tiny_model):
    said = enlighten(photos, "-o", "out/", "--model", tiny_model)
    assert re.fullmatch(r"Brightened 3 photos in \d+\.\d s (\(.+ photos a second\) )?-> out/\n", said)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "1.png", "2.png"]
    assert not np.array_equal(decode(photos / "0.png").pixels, decode(tmp_path / "out" / "0.png").pixels)


def test_the_word_enhance_and_options_first_change_nothing(photos, tmp_path, tiny_model):
    enlighten("--model", tiny_model, "-o", "a.png", photos / "0.png")
    enlighten("enhance", photos / "0.png", "-o", "b.png", "--model", tiny_model)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_strength_zero_keeps_the_photo(photos, tmp_path, tiny_model):
    enlighten(photos / "0.png", "-o", "same.png", "--strength", 0, "--model", tiny_model)
    np.testing.assert_array_equal(decode(photos / "0.png").pixels, decode(tmp_path / "same.png").pixels)


def test_tiled_is_whole(tmp_path, monkeypatch, tiny_model):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wide.png").write_bytes(encode(Photo(scene(40, 700), "PNG")))
    enlighten("wide.png", "-o", "whole.png", "--tile", 0, "--model", tiny_model)
    enlighten("wide.png", "-o", "tiled.png", "--tile", 64, "--model", tiny_model)
    whole, tiled = (decode(tmp_path / name).pixels.astype(int) for name in ("whole.png", "tiled.png"))
    assert np.abs(whole - tiled).max() <= 1


def test_one_bad_file_is_one_line_and_the_others_are_done(photos, tmp_path, tiny_model):
    (photos / "bad.jpg").write_bytes(b"text")
    said = enlighten(photos, "-o", "out", "--model", tiny_model, code=1)
    assert f"{photos / 'bad.jpg'}: not a photo" in said
    assert "1 failed" in said
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_a_second_run_skips_and_says_so(photos, tmp_path, tiny_model):
    enlighten(photos, "-o", "out", "--model", tiny_model)
    said = enlighten(photos, "-o", "out", "--model", tiny_model)
    assert said == "Nothing to do: all 3 results already exist (replace them with --overwrite)\n"
    for again in (["--on-conflict", "overwrite"], ["--overwrite"]):
        assert "Brightened 3 photos" in enlighten(photos, "-o", "out", "--model", tiny_model, *again)


def test_another_strength_says_why_nothing_was_done_and_overwrites_when_asked(photos, tiny_model):
    result = photos / "0-enlightened.png"
    words = (photos / "0.png", "--model", tiny_model, "--strength", 0.5)
    assert enlighten(*words[:3]).endswith(f" -> {result}\n")
    before = result.read_bytes()
    assert enlighten(*words) == f"Nothing to do: {result} already exists (replace it with --overwrite)\n"
    assert result.read_bytes() == before
    enlighten(*words, "--overwrite")
    assert result.read_bytes() != before


def test_quiet_says_only_errors(photos, tiny_model):
    assert enlighten(photos, "-o", "out", "-q", "--model", tiny_model) == ""


def test_verbose_names_every_photo(photos, tiny_model):
    said = enlighten(photos, "-o", "out", "-v", "--model", tiny_model)
    assert f"{photos / '1.png'} -> out/1.png: done in" in said


def test_names_with_control_characters_cannot_play_with_the_terminal(tmp_path, monkeypatch, tiny_model):
    monkeypatch.chdir(tmp_path)
    name = "bad\x1b[2Jname\n.jpg"
    (tmp_path / name).write_bytes(b"text")
    said = enlighten(name, "-o", "out/", "--model", tiny_model, code=1)
    assert "\x1b" not in said
    assert r"bad\x1b[2Jname\n.jpg" in said


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["absent.jpg", "-o", "out"], 2, "absent.jpg: no such file"),
        (["in/0.pgn"], 2, "in/0.pgn: no such file or folder; did you mean in/0.png?"),
        (["zzz.jpg"], 2, "zzz.jpg: no such file or folder\n"),
        (["in/0.png", "--model", "lit"], 4, "did you mean lite?"),
        (["in/0.png", "--format", "jepg"], 2, "did you mean"),
        (["ftp://example.org/a.jpg"], 2, "ftp://: URLs of this kind are not supported; use one of s3"),
        (["help", "modls"], 2, "did you mean models?"),
        (["trian", "--low", "x"], 2, "trian: no such photo, folder or command; did you mean `enlighten train`?"),
        (["evalute", "in", "--reference", "x"], 2, "did you mean `enlighten evaluate`?"),
        (["in/0.png", "--low", "x"], 2, "No such option"),
        (["exprt"], 2, "did you mean `enlighten export`?"),
        (["in/0.png", "--strength", "9"], 2, "from 0 to 1.5"),
        (["in/0.png", "--tile", "8"], 2, "at least 16"),
        (["in/0.png", "-o", "in/0.png"], 2, "overwrite the input"),
        (["in/0.png", "--model", "nonsense"], 4, "neither a file, a model nor a method; models are: lite"),
        (["in/0.png", "--model", "in/0.png"], 4, "not a model"),
        (["empty", "-o", "out"], 5, "no photos"),
    ],
)
def test_errors_have_their_codes(photos, tmp_path, arguments, code, message):
    (tmp_path / "empty").mkdir()
    assert message in enlighten(*arguments, code=code)
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_its_own_code(photos, tmp_path, tiny_model):
    (tmp_path / "file").touch()
    assert "is a file, not a folder" in enlighten(photos, "-o", "file/", "--model", tiny_model, code=6)


def test_a_missing_runtime_is_its_own_code(photos, monkeypatch, tiny_model):
    import sys

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "pip install onnxruntime" in enlighten(photos, "-o", "out", "--model", tiny_model, code=3)


def test_an_internal_error_is_one_line_unless_asked(photos, monkeypatch, tiny_model):
    from enlighten_cli.batch import runner as batch

    def fail(*arguments, **options):
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(batch, "run_jobs", fail)
    said = enlighten(photos, "-o", "out", "--model", tiny_model, code=70)
    assert said == "enlighten: internal error: RuntimeError: unforeseen\n"
    assert "Traceback" in enlighten(photos, "-o", "out", "-vv", "--model", tiny_model, code=70)


def test_interrupting_is_its_own_code(photos, monkeypatch, tiny_model):
    from enlighten_cli.batch import runner as batch

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "run_jobs", interrupt)
    assert "interrupted" in enlighten(photos, "-o", "out", "--model", tiny_model, code=130)


def test_format_quality_and_strip(photos, tmp_path, tiny_model):
    enlighten(photos, "-o", "out", "--format", "jpg", "--quality", 50, "--strip", "all", "--model", tiny_model)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.jpg", "1.jpg", "2.jpg"]
    assert decode(tmp_path / "out" / "0.jpg").format == "JPEG"


def test_what_cannot_be_kept_is_said(photos, tiny_model):
    (photos / "0.png").rename(photos / "0.webp")
    said = enlighten(photos / "0.webp", "-o", "out/", "--model", tiny_model)
    assert f"{photos / '0.webp'}: is really a PNG despite its .webp ending\n" in said
    assert f"{photos / '0.webp'}: so is its result, 0.webp (--format webp converts it)\n" in said


def test_a_format_that_is_asked_for_mends_a_wrong_ending(photos, tmp_path, tiny_model):
    (photos / "0.png").rename(photos / "0.webp")
    said = enlighten(photos / "0.webp", "-o", "out/", "--format", "webp", "--model", tiny_model)
    assert "so is its result" not in said
    assert decode(tmp_path / "out" / "0.webp").format == "WEBP"


@pytest.mark.parametrize(("word", "format"), [("jpeg", "JPEG"), ("tif", "TIFF")])
def test_formats_have_the_names_that_people_give_them(photos, tmp_path, tiny_model, word, format):
    enlighten(photos / "0.png", "-o", "out/", "--format", word, "--model", tiny_model)
    (result,) = (tmp_path / "out").iterdir()
    assert decode(result).format == format


@pytest.mark.parametrize(
    ("words", "same"),
    [(["help"], ["--help"]), (["help", "models", "path"], ["models", "path", "--help"]), (["version"], ["-V"])],
)
def test_words_that_other_commands_know(words, same):
    results = [CliRunner().invoke(main, arguments, prog_name="enlighten") for arguments in (words, same)]
    assert results[0].exit_code == 0
    assert results[0].stdout.rstrip() == results[1].stdout.rstrip()


def test_the_help_says_what_it_is_for():
    result = CliRunner().invoke(main, ["--help"])
    assert "Brighten dark photos." in result.stdout


def test_bright_photos_are_skipped_when_asked(photos, tiny_model):
    assert "3 photos skipped as bright enough" in enlighten(
        photos, "-o", "out", "--skip-brighter-than", 0.01, "--model", tiny_model
    )


def test_large_and_truncated_photos_are_refused_with_the_option_that_helps(photos, tmp_path, tiny_model):
    said = enlighten(photos / "0.png", "-o", "out/", "--max-mpixels", 0.001, "--model", tiny_model, code=1)
    assert "--max-mpixels" in said
    content = (photos / "0.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    enlighten("cut.png", "-o", "out/", "--model", tiny_model, code=1)
    assert "ends too early" in enlighten("cut.png", "-o", "out/", "--allow-truncated", "--model", tiny_model)


@pytest.mark.parametrize("option", ["--max-mpixels", "--strength", "--denoise", "--skip-brighter-than"])
@pytest.mark.parametrize("word", ["nan", "inf", "-inf", "1e999"])
def test_no_limit_is_switched_off_by_what_is_no_number(photos, option, word):
    said = enlighten(photos, "-o", "out/", f"{option}={word}", code=2)
    assert "Invalid value" in said
    assert option in said


@pytest.mark.parametrize("option", ["--threads", "--memory", "--tile", "--quality"])
@pytest.mark.parametrize("word", ["1" + "0" * 20, "9" * 5000])
def test_numbers_have_bounds(photos, option, word):
    enlighten(photos, "-o", "out/", f"{option}={word}", code=2)


def test_a_list_that_names_nothing_is_nothing_to_do(photos, tmp_path):
    (tmp_path / "list").write_bytes(b"\n\n")
    assert "--files-from list: names no photo" in enlighten("--files-from", "list", "-o", "out/", code=5)
