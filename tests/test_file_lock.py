"""Locks, with fcntl and with a msvcrt that is simulated: it was run on no Windows."""

import errno
import os
import subprocess
import sys
import time
import types

import numpy as np
import pytest

from enlighten_cli import atomic_write, file_lock, temporaries
from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import AlreadyThereError, PhotoError
from enlighten_cli.file_lock import LOCKED_BYTE, lock
from enlighten_cli.temporaries import remove_stale_temporaries


class Msvcrt(types.ModuleType):
    """Locks bytes for a descriptor, as Microsoft's C library does; closing is told to it by hand."""

    LK_NBLCK = 2

    def __init__(self):
        super().__init__("msvcrt")
        self.holders = {}

    def locking(self, descriptor, mode, size):
        assert (mode, size) == (self.LK_NBLCK, 1)
        byte = (os.fstat(descriptor).st_ino, os.lseek(descriptor, 0, os.SEEK_CUR))
        if self.holders.setdefault(byte, descriptor) != descriptor:
            raise PermissionError(errno.EACCES, "Permission denied")


@pytest.fixture
def msvcrt(monkeypatch):
    module = Msvcrt()
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", module)
    return module


@pytest.fixture(params=["fcntl", "msvcrt"])
def locks(request):
    """Either way; what it returns releases the locks that closed files had."""
    if request.param == "fcntl":
        pytest.importorskip("fcntl")
        return lambda: None
    return request.getfixturevalue("msvcrt").holders.clear


def test_one_at_a_time_has_a_lock(tmp_path, locks):
    with (tmp_path / "lock").open("a") as one:
        assert lock(one, wait=True)
        with (tmp_path / "lock").open("a") as other:
            assert not lock(other, wait=False)
    locks()
    with (tmp_path / "lock").open("a") as other:
        assert lock(other, wait=False)


def test_a_lock_moves_no_place_and_covers_no_content(tmp_path, msvcrt):
    with (tmp_path / "file").open("wb") as file:
        file.write(b"one ")
        file.flush()
        assert lock(file, wait=True)
        file.write(b"two")
    assert (tmp_path / "file").read_bytes() == b"one two"
    ((_, byte),) = msvcrt.holders
    assert byte == LOCKED_BYTE


def test_waiting_ends_when_the_other_lets_go(tmp_path, msvcrt, monkeypatch):
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        msvcrt.holders.clear()

    monkeypatch.setattr(time, "sleep", sleep)
    with (tmp_path / "lock").open("a") as one, (tmp_path / "lock").open("a") as other:
        assert lock(one, wait=True)
        assert lock(other, wait=True)
    assert waited == [file_lock.POLL_SECONDS]


def test_without_any_locks_nothing_is_locked_and_work_goes_on(tmp_path, monkeypatch):
    for name in ("fcntl", "msvcrt"):
        monkeypatch.setitem(sys.modules, name, None)
    with (tmp_path / "lock").open("a") as file:
        assert not lock(file, wait=True)
    write_whole(tmp_path / "file", b"content")
    assert sorted(os.listdir(tmp_path)) == ["file", "lock"]


def is_open(path):
    """Tell whether this process has a file open."""
    return any(os.path.samestat(os.stat(path), os.fstat(number)) for number in _descriptors())


def _descriptors():
    for name in os.listdir("/proc/self/fd"):
        try:
            os.fstat(int(name))
        except OSError:
            continue
        yield int(name)


@pytest.fixture
def windows(monkeypatch, msvcrt):
    """Renaming and removing as Windows does it: not while the file is open, and to no name that is taken."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")

    def refusing(call, *, replaces):
        def refuse(source, target=None, **more):
            for path in (source, *([target] if target else [])):
                if os.path.exists(path) and is_open(path):
                    raise PermissionError(errno.EACCES, "Permission denied", str(path))
            if target and not replaces and os.path.exists(target):
                raise FileExistsError(errno.EEXIST, "File exists", str(target))
            return call(source, target) if target else call(source, **more)

        return refuse

    def no_links(source, target):
        raise AssertionError("no hard links on FAT")

    monkeypatch.setattr(os, "replace", refusing(os.replace, replaces=True))
    monkeypatch.setattr(os, "rename", refusing(os.rename, replaces=False))
    monkeypatch.setattr(os, "unlink", refusing(os.unlink, replaces=True))
    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(atomic_write, "OPEN_FILES_CAN_BE_RENAMED", False)
    monkeypatch.setattr(temporaries, "OPEN_FILES_CAN_BE_RENAMED", False)


def test_files_are_closed_before_they_are_renamed(tmp_path, windows):
    write_whole(tmp_path / "file", b"one")
    write_whole(tmp_path / "file", b"two")
    assert (tmp_path / "file").read_bytes() == b"two"
    with pytest.raises(AlreadyThereError):
        write_whole(tmp_path / "file", b"three", replace=False)
    write_whole(tmp_path / "other", b"four", replace=False)
    assert sorted(os.listdir(tmp_path)) == ["file", "other"]
    assert (tmp_path / "file").read_bytes() == b"two"


def test_a_result_that_a_viewer_has_open_is_this_photos_failure_alone(tmp_path, windows):
    write_whole(tmp_path / "file", b"one")
    with (tmp_path / "file").open("rb"), pytest.raises(PhotoError, match="open in another program"):
        write_whole(tmp_path / "file", b"two")
    assert (tmp_path / "file").read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["file"]


def test_stale_temporaries_are_those_that_nobody_has_open(tmp_path, windows):
    for name in ("stale", "busy", "fresh"):
        path = tmp_path / f".enlighten-{name}.part"
        path.write_bytes(b"")
        if name != "fresh":
            os.utime(path, (0, 0))
    with (tmp_path / ".enlighten-busy.part").open("rb"):
        assert remove_stale_temporaries(tmp_path) == 1
    assert sorted(os.listdir(tmp_path)) == [".enlighten-busy.part", ".enlighten-fresh.part"]


def test_a_server_leaves_no_folder_behind(tmp_path, windows):
    from enlighten_cli.serve.private_folder import PrivateFolder

    with PrivateFolder(tmp_path) as folder:
        folder.new(".jpg").write_bytes(b"x")
    assert os.listdir(tmp_path) == []


# What only POSIX has is taken away before anything is imported.
WITHOUT_POSIX = """
import os, signal, sys
import platformdirs, psutil  # which are others on Windows
for name in ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog"):
    sys.modules[name] = None
for name in ("sched_getaffinity", "getuid", "geteuid", "link", "mkfifo", "fork", "getloadavg", "O_NOFOLLOW",
             "O_NONBLOCK", "O_CLOEXEC", "fchmod", "chown", "killpg", "sysconf"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGPIPE", "SIGALRM", "SIGCHLD", "pthread_sigmask", "pthread_kill", "sigwait"):
    if hasattr(signal, name):
        delattr(signal, name)
from enlighten_cli import atomic_write, file_lock, file_names, temporaries
for module in (file_lock, temporaries, atomic_write):
    module.OPEN_FILES_CAN_BE_RENAMED = False
file_names.IS_WINDOWS = True
"""
COMMAND = "from enlighten_cli.cli import main; main(sys.argv[1:], prog_name='enlighten')"
EVERY_MODULE = """
import importlib, pkgutil, enlighten_cli
for module in pkgutil.walk_packages(enlighten_cli.__path__, "enlighten_cli."):
    if not module.name.startswith(("enlighten_cli.training", "enlighten_cli.__main__")):
        print(importlib.import_module(module.name).__name__)
"""


def without_posix(program, *arguments):
    words = [sys.executable, "-c", WITHOUT_POSIX + program, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_photos_brighten_without_what_only_posix_has(tmp_path):
    from conftest import scene

    from enlighten_cli.photo import Photo, decode, encode

    (tmp_path / "photo.png").write_bytes(encode(Photo(scene(48, 64, exposure=0.1), "PNG")))
    out = tmp_path / "out"
    without_posix(COMMAND, tmp_path / "photo.png", "-o", f"{out}/")
    bright = decode(out / "photo.png").pixels
    assert bright.shape == (48, 64, 3)
    assert bright.mean() > 2 * np.mean(scene(48, 64, exposure=0.1))
    assert os.listdir(out) == ["photo.png"]


def test_the_version_is_told_without_what_only_posix_has():
    assert without_posix(COMMAND, "--version").startswith("enlighten, version")


def test_every_module_can_be_imported_without_what_only_posix_has():
    """Of training torch decides, which is another one on Windows."""
    imported = without_posix(EVERY_MODULE).split()
    assert {"enlighten_cli.serve.server", "enlighten_cli.models.download", "enlighten_cli.batch.runner"} <= {*imported}
