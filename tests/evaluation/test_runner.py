from pathlib import Path

import numpy as np
import pytest
from conftest import scene, write_photos

from enlighten_cli.errors import NothingToDoError, PhotoError, UsageError
from enlighten_cli.evaluation.runner import Candidate, by_method, by_outputs, evaluate, photo_sets
from enlighten_cli.evaluation.tables import Row, Scores, best_of, rows_of
from enlighten_cli.methods import METHODS
from enlighten_cli.metrics import measured
from enlighten_cli.photo import Photo, encode


@pytest.fixture
def folder(tmp_path):
    return write_photos(tmp_path / "night", 3, exposure=0.2, size=(200, 220))


def test_rows_are_means_over_the_photos(folder):
    methods = {name: by_method(METHODS[name].enhance, is_timed=name != "input") for name in ("input", "gamma")}
    scores = list(evaluate(photo_sets([folder], None), methods))
    assert [(each.method, each.photo) for each in scores] == [
        (method, f"{number}.png") for method in methods for number in range(3)
    ]
    as_is, lifted = rows_of(scores)
    assert (as_is.set, as_is.method, as_is.count) == ("night", "input", 3)
    assert as_is.means["luma"] == pytest.approx(np.mean([each.values["luma"] for each in scores[:3]]))
    assert lifted.means["luma"] > as_is.means["luma"]
    assert set(as_is.means) == {"niqe", "luma"}
    assert set(lifted.means) == {"niqe", "loe", "colour_shift", "luma", "seconds"}


def test_references_are_matched_by_stem(folder, tmp_path):
    bright = write_photos(tmp_path / "day", 3, exposure=0.4, size=(200, 220))
    for path in bright.iterdir():
        path.rename(path.with_suffix(".PNG"))
    (photos,) = photo_sets([folder], bright)
    scores = list(evaluate([photos], {"double": Candidate(lambda photo, path: Photo(photo.pixels * 2, "PNG"))}))
    assert all(each.values["psnr"] > 30 and each.values["ssim"] > 0.8 for each in scores)


@pytest.mark.parametrize(
    ("change", "message"), [("missing", "no reference for: 1.png"), ("twice", "more than one reference for")]
)
def test_what_does_not_match_is_found_first(folder, tmp_path, change, message):
    bright = write_photos(tmp_path / "day", 3, exposure=1.0, size=(200, 220))
    if change == "missing":
        (bright / "1.png").unlink()
    else:
        (bright / "1.webp").write_bytes(encode(Photo(scene(200, 220), "WEBP")))
    with pytest.raises(UsageError, match=message):
        photo_sets([folder], bright)


def test_references_of_another_size_are_named(folder, tmp_path):
    (photos,) = photo_sets([folder], write_photos(tmp_path / "day", 3, exposure=1.0, size=(100, 120)))
    with pytest.raises(PhotoError, match=r"night/0\.png: sizes differ"):
        list(evaluate([photos], {"input": by_method(METHODS["input"].enhance)}))


def test_a_photo_that_cannot_be_read_ends_it(folder):
    (folder / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    with pytest.raises(PhotoError, match=r"1\.png: "):
        list(evaluate(photo_sets([folder], None), {"input": by_method(METHODS["input"].enhance)}))


def test_folders_without_photos_and_names_that_clash(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToDoError, match="empty: no photos"):
        photo_sets([tmp_path / "empty"], None)
    other = write_photos(tmp_path / "other" / "night", 1, exposure=0.2)
    assert [photos.name for photos in photo_sets([folder, other], None)] == [str(folder), str(other)]
    with pytest.raises(UsageError, match="one folder"):
        photo_sets([folder, other], folder)


@pytest.mark.parametrize("name", ["gamma", "clahe", "equalize"])
def test_plain_methods_brighten(name):
    dark = Photo(scene(200, 220), "PNG")
    bright = by_method(METHODS[name].enhance).enhance(dark, Path("x"))
    assert bright.pixels.shape == dark.pixels.shape
    assert bright.pixels.mean() > 1.2 * dark.pixels.mean()


def test_small_photos_have_no_niqe():
    small = scene(40, 40)
    assert set(measured(small, before=small)) == {"loe", "colour_shift", "luma"}


def test_the_best_is_by_the_metric():
    rows = [Row("s", "a", 1, {"niqe": 3, "psnr": 3, "luma": 3}), Row("s", "b", 1, {"niqe": 4, "psnr": 4, "luma": 4})]
    assert best_of(rows, "s", "niqe") == 3
    assert best_of(rows, "s", "psnr") == 4
    assert best_of(rows, "s", "luma") is None
    assert best_of(rows[:1], "s", "niqe") is None


def test_it_sees_every_photo_in_order(folder):
    seen = []
    list(
        evaluate(
            photo_sets([folder], None),
            {"input": by_method(METHODS["input"].enhance)},
            lambda scores, before, after: seen.append((scores.photo, before.shape, after is before)),
        )
    )
    assert [name for name, _, _ in seen] == ["0.png", "1.png", "2.png"]
    assert all(shape == (200, 220, 3) for _, shape, _ in seen)


def test_a_set_is_averaged_by_metric_where_it_was_measured():
    scores = [Scores("s", "m", "a", {"niqe": 2.0, "luma": 0.2}), Scores("s", "m", "b", {"luma": 0.4})]
    (row,) = rows_of(scores)
    assert row.means == {"niqe": 2.0, "luma": pytest.approx(0.3)}
    assert rows_of([]) == []


def test_results_made_elsewhere_are_matched_and_not_timed(folder, tmp_path):
    outputs = write_photos(tmp_path / "theirs", 3, exposure=0.4, size=(200, 220))
    sets = photo_sets([folder], None)
    scores = list(evaluate(sets, {"theirs": by_outputs(outputs, sets)}))
    assert [each.method for each in scores] == ["theirs"] * 3
    assert all(each.values["luma"] > 0.1 and "seconds" not in each.values for each in scores)
    (outputs / "2.png").unlink()
    with pytest.raises(UsageError, match=r"no result for: 2\.png"):
        by_outputs(outputs, sets)


def test_means_come_with_intervals(folder):
    (row,) = rows_of(evaluate(photo_sets([folder], None), {"gamma": by_method(METHODS["gamma"].enhance)}))
    assert row.intervals["luma"].low <= row.means["luma"] <= row.intervals["luma"].high
    record = row.record()["luma"]
    assert record["low"] < record["mean"] < record["high"]
