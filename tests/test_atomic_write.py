import os
import stat

import pytest

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import AlreadyThereError, OutputError, PhotoError
from enlighten_cli.temporaries import remove_stale_temporaries


@pytest.mark.posix
def test_writes_with_the_usual_mode_and_leaves_nothing_else(tmp_path):
    old = os.umask(0o027)
    try:
        write_whole(tmp_path / "new" / "file", b"content")
    finally:
        os.umask(old)
    assert (tmp_path / "new" / "file").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "new" / "file").stat().st_mode) == 0o640
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"old")

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="file: cannot be written: No space left on device"):
        write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_where_a_folder_should_be_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError):
        write_whole(tmp_path / "file" / "photo.png", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="it is a folder"):
        write_whole(tmp_path / "folder", b"")


@pytest.mark.posix
def test_a_file_can_be_made_like_another(tmp_path):
    (tmp_path / "old").write_bytes(b"")
    (tmp_path / "old").chmod(0o600)
    os.utime(tmp_path / "old", (1000, 2000))
    write_whole(tmp_path / "new", b"x", like=tmp_path / "old")
    status = (tmp_path / "new").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime) == (0o600, 2000)


@pytest.mark.posix
def test_a_name_that_is_too_long_is_this_photos_failure_alone(tmp_path):
    with pytest.raises(PhotoError, match="File name too long"):
        write_whole(tmp_path / ("x" * 300), b"")


def test_stale_temporaries_go_and_those_being_written_stay(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / ".enlighten-stale.part").write_bytes(b"")
    (tmp_path / ".enlighten-busy.part").write_bytes(b"")
    (tmp_path / "photo.part").write_bytes(b"")
    with (tmp_path / ".enlighten-busy.part").open("rb") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        assert remove_stale_temporaries(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".enlighten-busy.part", "photo.part"]
    assert remove_stale_temporaries(tmp_path / "absent") == 0


@pytest.mark.posix
def test_writing_from_many_threads_leaves_the_umask_alone(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    old = os.umask(0o022)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: write_whole(tmp_path / str(number), b""), range(200)))
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(old)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o644}


def test_what_is_there_already_is_kept_where_it_is_not_to_be_replaced(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(AlreadyThereError, match="file: already exists"):
        write_whole(tmp_path / "file", b"new", replace=False)
    assert (tmp_path / "file").read_bytes() == b"old"
    write_whole(tmp_path / "other", b"new", replace=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "other"]
    assert (tmp_path / "other").stat().st_nlink == 1


@pytest.mark.parametrize("links", [True, False])
def test_of_many_writers_of_one_name_one_wins(tmp_path, monkeypatch, links):
    from concurrent.futures import ThreadPoolExecutor

    def no_links(source, target):
        raise OSError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", no_links)

    def write(number):
        try:
            write_whole(tmp_path / "file", b"%d" % number, replace=False)
        except AlreadyThereError:
            return None
        return number

    with ThreadPoolExecutor(8 if links else 1) as pool:
        (winner,) = (number for number in pool.map(write, range(40)) if number is not None)
    assert (tmp_path / "file").read_bytes() == b"%d" % winner
    assert len(list(tmp_path.iterdir())) == 1


def test_a_temporary_that_another_process_took_for_stale_is_made_anew(tmp_path, monkeypatch):
    """Between its making and its locking."""
    import tempfile

    pytest.importorskip("fcntl")
    make, made = tempfile.mkstemp, []

    def make_and_lose(*arguments):
        handle, name = make(*arguments)
        made.append(name)
        if len(made) == 1:
            assert remove_stale_temporaries(tmp_path) == 1
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", make_and_lose)
    write_whole(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"
    assert len(made) == 2


def test_what_a_killed_run_left_goes_with_the_next_file_of_any_kind(tmp_path):
    """Reports, sheets and models are no results of a batch, and nobody else clears their folders."""
    (tmp_path / ".enlighten-killed.part").touch()
    write_whole(tmp_path / "report.html", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("replace", [True, False])
def test_a_cleaning_up_that_fails_is_no_failure_of_what_is_written(tmp_path, monkeypatch, replace):
    from pathlib import Path

    def fails(self, missing_ok=False):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "unlink", fails)
    write_whole(tmp_path / "file", b"content", replace=replace)
    assert (tmp_path / "file").read_bytes() == b"content"
