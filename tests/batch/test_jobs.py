import io
import os
from pathlib import Path

import pytest

from enlighten_cli.batch.conflict import renamed
from enlighten_cli.batch.jobs import Destination, Job, Photos, find_jobs, find_photos
from enlighten_cli.batch.lists import read_list
from enlighten_cli.batch.naming import BESIDE, DEFAULT, NameTemplate
from enlighten_cli.errors import NothingToDoError, UsageError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in/b.jpg", "in/a.PNG", "in/deep/c.bmp", "in/notes.txt", "in/.hidden.jpg", "in/.git/d.jpg", "one.jpg"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    Path("in/link").symlink_to(Path("in/deep").resolve())
    return tmp_path


def jobs(*inputs, output=None, as_folder=None, **options):
    """Plan as the command does: a folder or several inputs make the output a folder."""
    paths = [Path(name) for name in inputs]
    path = Path(output) if output else None
    if as_folder is None:
        as_folder = path is not None and (len(paths) > 1 or paths[0].is_dir() or path.is_dir())
    options.setdefault("template", NameTemplate(DEFAULT if path else BESIDE))
    return list(find_jobs(Photos(paths, path if as_folder else None), Destination(path, as_folder, **options)))


def test_photos_are_found_by_ending_in_a_fixed_order(tree):
    assert [str(path) for path in find_photos(Path("in"))] == ["in/a.PNG", "in/b.jpg", "in/deep/c.bmp"]


def test_a_folder_is_mirrored(tree):
    assert [str(job.output) for job in jobs("in", output="out")] == ["out/a.PNG", "out/b.jpg", "out/deep/c.bmp"]


@pytest.mark.parametrize(
    ("output", "as_folder", "result"), [("new.png", False, "new.png"), ("new", True, "new/one.jpg")]
)
def test_one_photo_goes_to_a_file_or_into_a_folder(tree, output, as_folder, result):
    assert jobs("one.jpg", output=output, as_folder=as_folder) == [
        Job(Path("one.jpg"), Path(result), "PNG" if result == "new.png" else None)
    ]


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
    results = jobs("in", output="out", format="WEBP")
    assert [str(job.output) for job in results] == ["out/a.webp", "out/b.webp", "out/deep/c.webp"]
    results = jobs("in", output="out", format="PNG")
    assert str(results[0].output) == "out/a.PNG"  # what is a PNG already keeps its name


def test_raw_and_jpeg_pairs_do_not_meet_and_sidecars_are_no_photos(tree):
    for name in ("in/shot.NEF", "in/shot.JPG", "in/shot.xmp"):
        Path(name).touch()
    plain = [job.output.name for job in jobs("in", output="out") if "shot" in job.source.name]
    assert plain == ["shot.JPG", "shot.tif"]
    results = jobs("in", output="out", format="JPEG")
    assert [job.output.name for job in results if "shot" in job.source.name] == ["shot.JPG", "shot.NEF.jpg"]


def test_content_makes_a_photo_of_any_name_and_others_are_counted(tree):
    from conftest import scene

    from enlighten_cli.photo import Photo, encode

    Path("in/no-ending").write_bytes(encode(Photo(scene(4, 4), "PNG")))
    photos = Photos([Path("in")])
    assert "in/no-ending" in [str(found.source) for found in photos]
    assert photos.ignored == 1  # notes.txt


def test_nothing_to_do(tree):
    Path("empty").mkdir()
    Path("empty/notes.txt").touch()
    with pytest.raises(NothingToDoError, match="no photos found; 1 other"):
        jobs("empty", output="out")


def test_one_folder_into_another_is_walked_as_it_is_used(tree):
    """No full scan before the first photo: the second folder is read after the first job is out."""
    Path("in/last").mkdir()
    plan = find_jobs(Photos([Path("in")], Path("out")), Destination(Path("out"), is_folder=True))
    assert next(plan).source == Path("in/a.PNG")
    Path("in/last/later.bmp").touch()
    assert Path("in/last/later.bmp") in [job.source for job in plan]


def test_a_link_in_the_output_that_leads_back_is_refused(tree):
    Path("out").mkdir()
    Path("out/deep").symlink_to(Path("in/deep").resolve())
    with pytest.raises(UsageError, match="leads it back among the inputs"):
        jobs("in", output="out")


def test_raw_files_of_one_stem_do_not_meet(tree):
    for name in ("in/s.nef", "in/s.dng", "in/s.tif"):
        Path(name).touch()
    assert [job.output.name for job in jobs("in", output="out") if job.source.stem == "s"] == [
        "s.dng.tif", "s.nef.tif", "s.tif",
    ]  # fmt: skip


def test_results_that_a_pattern_or_a_list_names_are_not_taken_again(tree):
    Path("b.jpg").touch()
    Path("b-enlightened.jpg").touch()
    assert [str(job.source) for job in jobs("b-enlightened.jpg", "b.jpg", "one.jpg")] == ["b.jpg", "one.jpg"]
    Path("out").mkdir()
    Path("out/b.jpg").touch()
    assert [str(job.source) for job in jobs("b.jpg", "out/b.jpg", output="out")] == ["b.jpg"]


def test_hyphens_do_not_make_a_photo_a_result(tree):
    for name in ("in/IMG.jpg", "in/IMG-2023.jpg"):
        Path(name).touch()
    template = NameTemplate("{stem}-{model}.{ext}", model="lite")
    assert "in/IMG-2023.jpg" in [str(job.source) for job in jobs("in", template=template)]


@pytest.mark.parametrize("inputs", [["in/a.PNG", "in/a.PNG"], ["in", "in/a.PNG"]])
def test_a_photo_named_twice_is_enhanced_once(tree, inputs):
    sources = [str(job.source) for job in jobs(*inputs, output="out")]
    assert sources.count("in/a.PNG") == 1


def test_lists_are_separated_by_newlines_or_nuls():
    assert list(read_list(io.BytesIO(b"a.jpg\nb c.jpg\r\n\n"))) == [Path("a.jpg"), Path("b c.jpg")]
    assert list(read_list(io.BytesIO(b"a\nb.jpg\0c.jpg\0"))) == [Path("a\nb.jpg"), Path("c.jpg")]
    assert os.fsencode(next(read_list(io.BytesIO(b"\xff.jpg")))) == b"\xff.jpg"
    with pytest.raises(UsageError, match="not a list"):
        list(read_list(io.BytesIO(b"x" * 100_000)))


def test_free_names():
    taken = {Path("a.jpg"), Path("a-1.jpg")}
    assert renamed(Path("a.jpg"), taken.__contains__) == Path("a-2.jpg")
