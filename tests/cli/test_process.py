"""The command as a process: pipelines, signals, full disks, kills."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import scene, write_photos

from enlighten_cli.photo import Photo, decode, encode

ENLIGHTEN = [sys.executable, "-m", "enlighten_cli"]
NOISY = """
import os, sys
from enlighten_cli.models import session as model
original = model.Model.__call__
def noisy(self, rgb):
    os.write(1, b"EP Error: a library prints\\n")
    print("Falling back to CPU")
    return original(self, rgb)
model.Model.__call__ = noisy
from enlighten_cli.cli import main
main(sys.argv[1:], prog_name="enlighten")
"""
SLOW = """
import sys, time
from enlighten_cli.models import session as model
original = model.Model.__call__
def slow(self, rgb):
    time.sleep(0.05)
    return original(self, rgb)
model.Model.__call__ = slow
from enlighten_cli.cli import main
main(sys.argv[1:], prog_name="enlighten")
"""


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_photos(tmp_path / "in", 3, exposure=0.2)


@pytest.fixture
def run(tiny_model):
    def run(*arguments, code=0, command=ENLIGHTEN, model=True, **options):
        words = [*command, *map(str, arguments), *(["--model", str(tiny_model)] if model else [])]
        done = subprocess.run(words, capture_output=True, check=False, **options)
        assert done.returncode == code, done.stderr.decode()
        return done

    return run


def test_a_photo_through_a_pipe_is_the_photo_by_name(photos, tmp_path, run):
    source = photos / "0.png"
    run(source, "-o", "by-name.png")
    piped = run("-", "-o", "-", input=source.read_bytes())
    assert piped.stdout == (tmp_path / "by-name.png").read_bytes()
    assert run(source, "-o", "-").stdout == piped.stdout
    run("-", "-o", "from-stdin.png", input=source.read_bytes())
    assert (tmp_path / "from-stdin.png").read_bytes() == piped.stdout


def test_format_of_stdout(photos, run):
    assert run("-", "-o", "-", "--format", "jpg", input=(photos / "0.png").read_bytes()).stdout.startswith(b"\xff\xd8")


def test_stdout_stays_clean_whatever_libraries_print(photos, run):
    noisy = [sys.executable, "-c", NOISY]
    done = run("-", "-o", "-", input=(photos / "0.png").read_bytes(), command=noisy)
    assert b"EP Error" in done.stderr
    assert b"Falling back" in done.stderr
    assert decode(done.stdout).pixels.shape == (48, 64, 3)
    records = run(photos, "-o", "out", "--json", command=noisy).stdout.splitlines()
    assert [json.loads(record)["type"] for record in records] == ["photo"] * 3 + ["summary"]


def test_a_closed_pipe_ends_quietly(photos, tiny_model):
    words = [*ENLIGHTEN, str(photos / "0.png"), "-o", "-", "--model", str(tiny_model)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_bytes_that_are_no_photo(run):
    done = run("-", "-o", "-", input=b"text", code=1)
    assert done.stdout == b""
    assert done.stderr == b"enlighten: stdin: not a photo in a supported format\n"


@pytest.mark.posix
def test_pixels_are_refused_on_a_terminal(photos, tiny_model):
    import pty

    main_end, terminal = pty.openpty()
    words = [*ENLIGHTEN, str(photos / "0.png"), "-o", "-", "--model", str(tiny_model)]
    done = subprocess.run(words, stdout=terminal, stderr=subprocess.PIPE, check=False)
    os.close(terminal)
    os.close(main_end)
    assert done.returncode == 2
    assert b"terminal" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-", "in/0.png", "-o", "out"], b"give no others with it"),
        (["-", "--files-from", "list", "-o", "out"], b"cannot be combined"),
        (["in", "-o", "-"], b"takes one photo"),
        (["-"], b"needs -o"),
        (["in/0.png", "-o", "-", "--json"], b"both write to stdout"),
        (["in/0.png", "-o", "x.png", "--name", "{stem}"], b"--name is for results in folders"),
        (["in/0.png", "-o", "x.png", "--format", "jpg"], b"contradict each other"),
        (["-", "-o", "x.png", "--dry-run"], b"--dry-run does not work with -"),
        (["-", "-o", "in"], b"needs a file with the ending of a format"),
        (["-", "-o", "new/"], b"needs a file with the ending of a format"),
        (["-", "-o", "x.png", "--json"], b"--json does not work with -"),
        (["in/0.png", "--mode", "fast", "--tile", "64"], b"tiles belong to full mode"),
        (["-", "-o", "x.png", "--fail-fast"], b"--fail-fast does not work with -"),
        (["in/0.png", "--fast"], b"--fast: no such option; use: --mode fast"),
        (["in", "--preview", "sheet.png"], b"--preview: no such option; use: enlighten preview PHOTO... -o SHEET"),
        (["in", "-o", "out/", "--watch"], b"--watch: no such option; use: enlighten watch FOLDER -o OUT/"),
        ([], b"no photo or folder given"),
    ],
)
def test_what_makes_no_sense_in_a_pipeline(photos, tmp_path, run, arguments, message):
    (tmp_path / "list").write_text("in/0.png\n")
    assert message in run("enhance", *arguments, code=2, stdin=subprocess.DEVNULL).stderr


def test_json_tells_of_every_photo_whatever_its_name(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    names = ["plain.png", "new\nline.png", "esc\x1b[2J.png", os.fsdecode(b"\xff\xfe.png"), "Ночь.png"]
    for name in names:
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(encode(Photo(scene(16, 16), "PNG")))
    (tmp_path / "in" / "bad.png").write_bytes(b"text")
    (tmp_path / "in" / "notes.txt").write_bytes(b"text")
    done = run("in", "-o", "out", "--json", code=1)
    *records, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert {record["source"] for record in records} == {f"in/{name}" for name in [*names, "bad.png"]}
    assert {record["status"] for record in records} == {"done", "failed"}
    done_record = next(record for record in records if record["status"] == "done")
    assert {"type", "source", "output", "status", "reason", "seconds", "width", "height", "model", "provider"} <= set(
        done_record
    )
    assert done_record["provider"] == "CPUExecutionProvider"
    assert (summary["done"], summary["failed"], summary["skipped"], summary["ignored"]) == (5, 1, 0, 1)
    assert b"\x1b" not in done.stdout + done.stderr
    assert sorted(os.listdir(tmp_path / "out")) == sorted(names)


def test_lists_of_files(photos, tmp_path, run):
    listed = b"\0".join(bytes(photos / name) for name in ("0.png", "2.png")) + b"\0"
    run("--files-from", "-", "-o", "out/", input=listed)
    assert sorted(os.listdir(tmp_path / "out")) == ["0.png", "2.png"]
    (tmp_path / "list").write_bytes(bytes(photos / "1.png") + b"\nabsent.png\n")
    done = run("--files-from", "list", "-o", "out/", code=1)
    assert b"absent.png: No such file" in done.stderr
    assert len(os.listdir(tmp_path / "out")) == 3


def test_dry_run_writes_nothing(photos, tmp_path, run):
    run(photos / "0.png", "-o", "out/")
    before = sorted(os.listdir(tmp_path / "out"))
    done = run(photos, "-o", "out", "--dry-run")
    assert done.stdout.decode().splitlines() == [
        f"skip: {photos}/0.png -> out/0.png",
        f"enhance: {photos}/1.png -> out/1.png",
        f"enhance: {photos}/2.png -> out/2.png",
    ]
    plan = [json.loads(line) for line in run(photos, "-o", "out", "--dry-run", "--json").stdout.splitlines()]
    assert [record["would"] for record in plan] == ["skip", "enhance", "enhance"]
    plan = run(photos, "-o", "out", "--dry-run", "--overwrite").stdout.decode().splitlines()
    assert plan[0] == f"enhance: {photos}/0.png -> out/0.png"
    assert sorted(os.listdir(tmp_path / "out")) == before


def test_conflicts(photos, tmp_path, run):
    run(photos / "0.png", "-o", "out/")
    assert (
        b"out/0.png: already exists; nothing was done"
        in run(photos, "-o", "out", "--on-conflict", "error", code=2).stderr
    )
    assert sorted(os.listdir(tmp_path / "out")) == ["0.png"]
    run(photos, "-o", "out", "--on-conflict", "rename")
    assert sorted(os.listdir(tmp_path / "out")) == ["0-1.png", "0.png", "1.png", "2.png"]
    assert b"contradict" in run(photos, "-o", "out", "--overwrite", "--on-conflict", "rename", code=2).stderr


def test_names_by_template(photos, tmp_path, run):
    run(photos, "-o", "out", "--name", "{stem}-{model}.{ext}")
    assert sorted(os.listdir(tmp_path / "out")) == ["0-tiny.png", "1-tiny.png", "2-tiny.png"]
    assert b"no field" in run(photos, "-o", "out", "--name", "{stem.__class__}", code=2).stderr


def test_fail_fast(photos, run):
    (photos / "0.png").write_bytes(b"text")
    done = run(photos, "-o", "out", "--fail-fast", "--json", code=1)
    *records, _ = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["status"] for record in records] == ["failed"]
    assert b"stopped at the first failure" in done.stderr


@pytest.mark.posix
def test_a_limit_on_file_size_stops_the_batch_without_a_trace(photos, tmp_path, tiny_model):
    command = f"ulimit -f 1; exec {' '.join(ENLIGHTEN)} in -o out --model {tiny_model} --format tiff"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.returncode == 6, done.stderr
    assert b"File too large" in done.stderr
    assert os.listdir(tmp_path / "out") == []


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("mounting a file system is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.posix
def test_a_full_disk_stops_the_batch_and_leaves_what_is_whole(tmp_path, monkeypatch, run, tiny_disk):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "in", 30, exposure=0.5, size=(64, 64))
    done = run("in", "-o", tiny_disk, code=6)
    assert b"No space left on device" in done.stderr
    written = list(tiny_disk.iterdir())
    assert 0 < len(written) < 30
    for path in written:
        assert decode(path).pixels.shape == (64, 64, 3)


@pytest.mark.posix
def test_folders_that_may_not_be_written_are_their_own_code(photos, tmp_path, tiny_model):
    (tmp_path / "locked").mkdir(mode=0o555)
    words = [*ENLIGHTEN, "in", "-o", "locked/out", "--model", str(tiny_model)]
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root may write everywhere, and setpriv is not here to drop that")
        words = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", *words]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 6, done.stderr
    assert b"Permission denied" in done.stderr


def slow_process(*arguments, model):
    words = [sys.executable, "-c", SLOW, *arguments, "--model", str(model)]
    return subprocess.Popen(words, stderr=subprocess.PIPE, start_new_session=True)


def wait_for_output(folder, process):
    while not (folder.exists() and any(path.suffix == ".png" for path in folder.iterdir())):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)


@pytest.mark.posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_being_asked_to_stop(tmp_path, monkeypatch, run, tiny_model, number, code):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "in", 60, exposure=0.5)
    process = slow_process("in", "-o", "out", model=tiny_model)
    wait_for_output(tmp_path / "out", process)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == code, said
    names = os.listdir(tmp_path / "out")
    assert f"Stopped: {len(names)} of 60 done. Run the same command to continue.".encode() in said
    assert 0 < len(names) < 60
    assert not [name for name in names if name.endswith(".part")]
    done = run("in", "-o", "out")
    assert f"{len(names)} already exist".encode() in done.stderr
    assert len(os.listdir(tmp_path / "out")) == 60


def test_killed_at_random_moments_nothing_is_half_written(tmp_path, monkeypatch, run, tiny_model):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "in", 40, exposure=0.5)
    before = {path.name: path.read_bytes() for path in (tmp_path / "in").iterdir()}
    moments = random.Random(0)
    for _ in range(4):
        process = slow_process("in", "-o", "out", model=tiny_model)
        time.sleep(0.4)
        wait_for_output(tmp_path / "out", process)
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.communicate()
        for path in (tmp_path / "out").glob("*.png"):
            assert decode(path).pixels.shape == (48, 64, 3)
    run("in", "-o", "out")
    assert sorted(os.listdir(tmp_path / "out")) == sorted(before)
    assert {path.name: path.read_bytes() for path in (tmp_path / "in").iterdir()} == before


def test_16_bits_through_the_command(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64, 1).repeat(3, 2)
    (tmp_path / "deep.png").write_bytes(encode(Photo(ramp, "PNG")))
    run("deep.png", "-o", "same.png", "--strength", 0)
    np.testing.assert_array_equal(decode(tmp_path / "same.png").pixels, ramp)


def test_a_pipeline_does_not_replace_what_is_there(photos, tmp_path, run):
    content = (photos / "0.png").read_bytes()
    (tmp_path / "mine.png").write_bytes(b"mine")
    said = b"Nothing to do: mine.png already exists (replace it with --overwrite)\n"
    assert run("-", "-o", "mine.png", input=content).stderr == said
    run("-", "-o", "mine.png", "--on-conflict", "error", input=content, code=2)
    assert (tmp_path / "mine.png").read_bytes() == b"mine"
    run("-", "-o", "mine.png", "--on-conflict", "rename", input=content)
    assert decode(tmp_path / "mine-1.png").format == "PNG"
    run("-", "-o", "mine.png", "--overwrite", input=content)
    assert decode(tmp_path / "mine.png").format == "PNG"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_stdout_that_takes_nothing_is_an_output_that_cannot_be_written(photos, tiny_model):
    with open("/dev/full", "wb") as full:
        words = [*ENLIGHTEN, str(photos / "0.png"), "-o", "-", "--model", str(tiny_model)]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 6
    assert b"No space left" in done.stderr


@pytest.mark.posix
def test_an_unreadable_folder_inside_is_one_line_and_the_rest_is_done(photos, tmp_path, tiny_model):
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root may read everything, and setpriv is not here to drop that")
    write_photos(photos / "locked", 1, exposure=0.2)
    (photos / "locked").chmod(0)
    words = [*ENLIGHTEN, "in", "-o", "out", "--model", str(tiny_model)]
    if os.geteuid() == 0:
        words = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", *words]
    done = subprocess.run(words, capture_output=True, check=False)
    (photos / "locked").chmod(0o755)
    assert done.returncode == 1, done.stderr
    assert b"in/locked: Permission denied" in done.stderr
    assert len(os.listdir(tmp_path / "out")) == 3


@pytest.mark.posix
def test_a_second_ctrl_c_ends_it_at_once(tmp_path, monkeypatch, tiny_model):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "in", 6, exposure=0.5)
    stuck = SLOW.replace("time.sleep(0.05)", "print('busy', file=sys.stderr, flush=True); time.sleep(60)")
    words = [sys.executable, "-c", stuck, "in", "-o", "out", "--model", str(tiny_model)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, start_new_session=True)
    assert process.stderr.readline() == b"busy\n"
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None  # the network has the photo, and is let finish
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    process.stderr.close()


@pytest.mark.posix
def test_a_network_that_never_returns_does_not_hold_up_the_end(tmp_path, monkeypatch):
    """After a grace of some seconds the process ends, and nothing half-written is there."""
    folder = write_photos(tmp_path / "in", 2, exposure=0.2)
    program = (
        "import sys, time; from enlighten_cli.cli import main, signals; from enlighten_cli.models import session;"
        "signals.interruptible.__wrapped__.__defaults__ = (1.0,);"
        "session.Model.__call__ = lambda self, rgb: (print('in', file=sys.stderr, flush=True), time.sleep(600));"
        "main(sys.argv[1:], prog_name='enlighten')"
    )
    words = [sys.executable, "-c", program, str(folder), "-o", str(tmp_path / "out") + "/"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "in\n"
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 128 + signal.SIGTERM
    assert "its result was not written" in said
    assert [path for path in (tmp_path / "out").glob("*") if path.suffix == ".png"] == []


def test_a_result_does_not_replace_the_file_that_comes_through_stdin(photos, run):
    before = (photos / "0.png").read_bytes()
    (photos / "link.png").hardlink_to(photos / "0.png")
    for name in ("0.png", "link.png"):
        with (photos / "0.png").open("rb") as source:
            done = run("-", "-o", photos / name, "--overwrite", code=1, stdin=source)
        assert b"would replace an input" in done.stderr
        assert done.stderr.count(b"\n") == 1
    assert (photos / "0.png").read_bytes() == before
