import os
import stat
import subprocess
import sys

import pytest

from enlighten_cli.serve.private_folder import PrivateFolder, remove_stale

HOLD = """
import sys, time
from pathlib import Path
from enlighten_cli.serve.private_folder import PrivateFolder
with PrivateFolder(Path(sys.argv[1])) as folder:
    folder.new(".jpg").write_bytes(b"a photo")
    print(folder.path, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has a folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    yield process, process.stdout.readline().strip()
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.posix
def test_it_is_private_and_gone_afterwards(tmp_path):
    with PrivateFolder(tmp_path) as folder:
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert folder.path.parent == tmp_path
        one, other = folder.new(".jpg"), folder.new(".jpg")
        assert one != other
        one.write_bytes(b"x")
        (folder.path / "below").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_it_is_gone_after_a_failure(tmp_path):
    with pytest.raises(RuntimeError), PrivateFolder(tmp_path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_server_left_goes_with_the_next_start(tmp_path, holder):
    process, left = holder
    assert remove_stale(tmp_path) == 0  # it lives
    assert os.path.isdir(left)
    process.kill()
    process.wait()
    assert os.path.isdir(left)
    with PrivateFolder(tmp_path) as folder:
        assert os.listdir(tmp_path) == [folder.path.name]


def test_nothing_else_is_removed(tmp_path):
    (tmp_path / "enlighten-serve-notes").write_text("a file")
    (tmp_path / "enlighten-serve-mine").mkdir()  # no lock in it: not one of ours, or not whole yet
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "lock").touch()
    (tmp_path / "enlighten-serve-link").symlink_to(tmp_path / "target")
    assert remove_stale(tmp_path) == 0
    assert len(os.listdir(tmp_path)) == 4
    assert (tmp_path / "target" / "lock").exists()
