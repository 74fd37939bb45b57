from pathlib import Path

import pytest

from enlighten_cli.discover import Job, find_jobs, find_photos
from enlighten_cli.errors import NothingToDoError, UsageError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in/b.jpg", "in/a.PNG", "in/deep/c.bmp", "in/notes.txt", "in/.hidden.jpg", "in/.git/d.jpg", "one.jpg"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    Path("in/link").symlink_to(Path("in/deep").resolve())
    return tmp_path


def jobs(*inputs, output=None, as_folder=False):
    return find_jobs([Path(name) for name in inputs], Path(output) if output else None, output_is_folder=as_folder)


def test_photos_are_found_by_ending_in_a_fixed_order(tree):
    assert [str(path) for path in find_photos(Path("in"))] == ["in/a.PNG", "in/b.jpg", "in/deep/c.bmp"]


def test_a_folder_is_mirrored(tree):
    assert [str(job.output) for job in jobs("in", output="out")] == ["out/a.PNG", "out/b.jpg", "out/deep/c.bmp"]


@pytest.mark.parametrize(
    ("output", "as_folder", "result"), [("new.png", False, "new.png"), ("new", True, "new/one.jpg")]
)
def test_one_photo_goes_to_a_file_or_into_a_folder(tree, output, as_folder, result):
    assert jobs("one.jpg", output=output, as_folder=as_folder) == [Job(Path("one.jpg"), Path(result))]


def test_an_existing_folder_is_a_folder(tree):
    Path("out").mkdir()
    assert str(jobs("one.jpg", output="out")[0].output) == "out/one.jpg"


def test_without_an_output_results_lie_beside_and_are_not_taken_again(tree):
    Path("in/b-enlightened.jpg").touch()
    assert "in/b-enlightened.jpg" in [str(job.output) for job in jobs("in")]
    assert "in/b-enlightened.jpg" not in [str(job.source) for job in jobs("in")]


def test_results_inside_the_input_folder_are_not_taken_again(tree):
    Path("in/out").mkdir()
    Path("in/out/b.jpg").touch()
    assert [str(job.source) for job in jobs("in", output="in/out")] == ["in/a.PNG", "in/b.jpg", "in/deep/c.bmp"]


@pytest.mark.parametrize(
    ("inputs", "output"),
    [
        (["one.jpg"], "one.jpg"),
        (["one.jpg"], "in/../one.jpg"),
        (["one.jpg"], "."),
        (["in/b.jpg", "b.jpg"], "out"),
    ],
)
def test_collisions_are_refused(tree, inputs, output):
    Path("b.jpg").touch()
    with pytest.raises(UsageError, match=r"overwrite|both"):
        jobs(*inputs, output=output)


def test_a_linked_output_that_is_the_input_is_refused(tree):
    Path("alias.jpg").symlink_to("one.jpg")
    with pytest.raises(UsageError, match="overwrite"):
        jobs("one.jpg", output="alias.jpg")


def test_a_format_sets_the_endings(tree):
    results = find_jobs([Path("in")], Path("out"), output_is_folder=True, format="WEBP")
    assert [str(job.output) for job in results] == ["out/a.webp", "out/b.webp", "out/deep/c.webp"]
    results = find_jobs([Path("in")], Path("out"), output_is_folder=True, format="PNG")
    assert str(results[0].output) == "out/a.PNG"  # what is a PNG already keeps its name


def test_raw_and_jpeg_pairs_do_not_meet_and_sidecars_are_no_photos(tree):
    for name in ("in/shot.NEF", "in/shot.JPG", "in/shot.xmp"):
        Path(name).touch()
    plain = [job.output.name for job in jobs("in", output="out") if "shot" in job.source.name]
    assert plain == ["shot.JPG", "shot.tif"]
    results = find_jobs([Path("in")], Path("out"), output_is_folder=True, format="JPEG")
    assert [job.output.name for job in results if "shot" in job.source.name] == ["shot.JPG", "shot.NEF.jpg"]


def test_nothing_to_do_and_nothing_there(tree):
    Path("empty").mkdir()
    with pytest.raises(NothingToDoError, match="empty"):
        jobs("empty", output="out")
    with pytest.raises(UsageError, match="absent: no such file"):
        jobs("absent", output="out")
