import os
import stat

import pytest

from enlighten_cli.errors import OutputError
from enlighten_cli.files import write_whole


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
