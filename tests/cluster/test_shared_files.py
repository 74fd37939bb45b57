import os

import pytest
from conftest import write_photos

from enlighten_cli.cluster import shared_files
from enlighten_cli.cluster.shared_files import marked
from enlighten_cli.cluster.versions import difference, versions
from enlighten_cli.errors import OutputError, UsageError
from enlighten_cli.stores.address import parsed
from enlighten_cli.temporaries import remove_stale_temporaries


@pytest.fixture
def photo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shared_files, "SEEN_SECONDS", 0.0)
    return write_photos(tmp_path / "in", 1, exposure=0.2) / "0.png"


def test_a_machine_that_sees_the_files_and_what_is_left(photo, tmp_path, monkeypatch):
    (tmp_path / ".enlighten-killed.part").write_bytes(b"the mark of a run that was killed")
    with marked(photo, tmp_path / "new" / "deep" / "0.png") as files:
        monkeypatch.chdir("/")
        files.check("here")
        assert os.getcwd() == str(tmp_path), "relative paths mean the same"
        (_token,) = tmp_path.glob(".*")
        assert remove_stale_temporaries(tmp_path) == 0, "another run lets it be"
    assert list(tmp_path.iterdir()) == [photo.parent]


def test_a_machine_with_a_disk_of_its_own(photo, tmp_path):
    with marked(photo, tmp_path / "out" / "0.png") as files:
        (token,) = tmp_path.glob(".*")
        token.write_bytes(b"of another file system")
        with pytest.raises(UsageError, match=r"node-7 does not see .*, where results go; all machines need one file"):
            files.check("node-7")
    with marked(photo) as files:
        photo.write_bytes(b"another photo of this name")
        with pytest.raises(UsageError, match=r"node-7 does not see .*0\.png; all machines need"):
            files.check("node-7")


def test_photos_and_results_in_stores_need_no_shared_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with marked(parsed("s3://bucket/0.png"), parsed("s3://bucket/out/0.png")) as files:
        assert (files.token, files.source) == (None, None)
        files.check("here")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(photo, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written"), marked(photo, tmp_path / "out" / "0.png"):
        pass


def test_versions():
    ours = versions()
    assert difference(ours, ours) == ""
    assert difference({"numpy": "1", "rawpy": ""}, {"numpy": "1", "rawpy": "2"}) == "", "more than here does no harm"
    assert difference({"numpy": "1", "rawpy": "2"}, {"numpy": "3"}) == "numpy 3 instead of 1, rawpy absent instead of 2"
