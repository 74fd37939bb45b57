import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli import file_names
from enlighten_cli.atomic_write import exists, write_whole
from enlighten_cli.batch.jobs import Destination, Photos, find_jobs
from enlighten_cli.batch.naming import NameTemplate
from enlighten_cli.errors import PhotoError, UsageError
from enlighten_cli.file_names import Identities, fault_of_name, ignores_case, is_too_long


@pytest.fixture
def windows(monkeypatch):
    monkeypatch.setattr(file_names, "IS_WINDOWS", True)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("CON.jpg", "device"),
        ("nul", "device"),
        ("Com1.tar.gz", "device"),
        ("aux .png", "device"),
        ("lpt³.png", "device"),
        ("photo.", "ends in a dot"),
        ("photo ", "ends in a dot or a space"),
        ("a:b.jpg", "':'"),
        ("what?.jpg", "'?'"),
        ("tab\t.jpg", "no '\\\\t'"),
        ("console.jpg", ""),
        ("com10.jpg", ""),
        ("photo .jpg", ""),
        ("été.jpg", ""),
    ],
)
def test_names_that_windows_does_not_have(windows, name, fault):
    said = fault_of_name(name)
    assert bool(said) == bool(fault)
    assert fault.replace("\\\\", "\\") in said


@given(st.text(min_size=1, max_size=20))
def test_elsewhere_every_name_will_do(name):
    assert file_names.IS_WINDOWS or not fault_of_name(name)


def test_such_a_result_fails_alone_and_is_never_taken_for_one_that_is_there(windows, tmp_path):
    with pytest.raises(PhotoError, match=r"cannot be written as nul\.png: Windows reserves"):
        write_whole(tmp_path / "nul.png", b"x")
    with pytest.raises(PhotoError, match="reserves"):
        exists(tmp_path / "nul.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["{stem}:bright.{ext}", "{stem}.{ext}.", "{stem}|{ext}"])
def test_templates_make_names_of_the_system(windows, text):
    with pytest.raises(UsageError, match="indows"):
        NameTemplate(text)


@pytest.mark.parametrize("text", [r"sub\{stem}.{ext}", "sub/{stem}.{ext}", r"C:\{stem}.{ext}", r"..\{stem}"])
def test_no_template_leaves_the_folder_on_any_system(text):
    with pytest.raises(UsageError, match="a name, not a path"):
        NameTemplate(text)


def test_a_path_that_is_too_long_for_windows_is_told_so(windows, tmp_path, monkeypatch):
    assert not is_too_long(tmp_path)
    deep = tmp_path.joinpath(*["x" * 50] * 6, "photo.png")
    assert is_too_long(deep)

    def no_such_path(self, **options):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "mkdir", no_such_path)
    with pytest.raises(PhotoError, match="more than 259 letters"):
        write_whole(deep, b"x")


@pytest.fixture
def ignoring(monkeypatch):
    """A folder whose file system takes names in two cases for one, as by a look at what is there."""
    folders = set()
    samefile = Path.samefile

    def same(self, other):
        if any(self.parent.is_relative_to(folder) for folder in folders):
            return str(self).casefold() == str(other).casefold()
        return samefile(self, other)

    monkeypatch.setattr(Path, "samefile", same)
    return folders.add


def test_a_look_at_what_is_there_tells_whether_case_counts(tmp_path, ignoring, monkeypatch):
    (tmp_path / "card" / "DCIM").mkdir(parents=True)
    assert not ignores_case(tmp_path / "card")
    ignoring(tmp_path / "card")
    assert ignores_case(tmp_path / "card")
    assert ignores_case(tmp_path / "card" / "still" / "to be made")
    assert not ignores_case(tmp_path)
    # Where nothing is there that has a case, the system's habit counts.
    monkeypatch.setattr(file_names.os.path, "isdir", lambda path: False)
    for system, expected in (("linux", False), ("darwin", True), ("win32", True)):
        monkeypatch.setattr(file_names.sys, "platform", system)
        assert ignores_case(Path("/1")) is expected


def test_two_files_that_differ_in_case_are_no_proof(tmp_path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "A.jpg").touch()
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system ignores case")
    assert not ignores_case(tmp_path)


def test_accents_are_composed_one_way_or_the_other(tmp_path, ignoring):
    (tmp_path / "x").touch()
    ignoring(tmp_path)
    one, other = (tmp_path / unicodedata.normalize(form, "Été.jpg") for form in ("NFC", "NFD"))
    assert one != other
    assert Identities().of(one) == Identities().of(other) == Identities().of(tmp_path / "été.JPG")


def plan(*inputs, output, template="{stem}.{ext}"):
    photos = Photos([Path(each) for each in inputs], Path(output))
    return list(find_jobs(photos, Destination(Path(output), is_folder=True, template=NameTemplate(template))))


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one/IMG.jpg", "two/img.jpg", "in/A/x.jpg", "in/a/X.jpg", "card/DCIM/x"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    if len(list(Path("in").iterdir())) == 1:
        pytest.skip("this file system ignores case")
    return tmp_path


def test_results_that_differ_in_case_alone_meet_where_case_does_not_count(tree, ignoring):
    assert len(plan("one", "two", output="card")) == 2
    assert len(plan("in", output="card")) == 2
    ignoring(tree / "card")
    with pytest.raises(UsageError, match=r"one/IMG\.jpg and two/img\.jpg would both .* IMG\.jpg and img\.jpg for one"):
        plan("one", "two", output="card")
    with pytest.raises(UsageError, match="would both be written"):
        plan("in", output="card")


def test_a_result_that_differs_from_its_photo_in_case_alone_would_overwrite_it(tree, ignoring):
    ignoring(tree)
    Path("one/PHOTO.JPG").touch()
    with pytest.raises(UsageError, match="would overwrite the input"):
        list(find_jobs(Photos([Path("one/PHOTO.JPG")]), Destination(Path("one/photo.jpg"))))


def test_links_in_paths_are_resolved_as_the_system_does(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.jpg").write_bytes(b"")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "real" / "link.jpg").symlink_to("a.jpg")
    (tmp_path / "real" / "loop.jpg").symlink_to("loop.jpg")
    identities = Identities()
    for path in ("real/a.jpg", "folder/a.jpg", "folder/link.jpg", "real/absent.jpg", "folder/../real/a.jpg",
                 "folder/..", "real/loop.jpg", "no/such/folder.jpg", "real/"):  # fmt: skip
        assert identities.real(tmp_path / path) == os.path.realpath(tmp_path / path)
