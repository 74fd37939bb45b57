"""No original is replaced, by whatever name it is reached: links, mounts, devices that are numbered twice."""

import os
import pickle
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import scene

from enlighten_cli import originals
from enlighten_cli.batch.conflict import Conflict
from enlighten_cli.batch.jobs import Destination, Job, Photos, find_jobs
from enlighten_cli.batch.outcome import Status
from enlighten_cli.batch.photo_work import BatchOptions
from enlighten_cli.batch.runner import run_batch
from enlighten_cli.errors import PhotoError, UsageError
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.originals import Originals
from enlighten_cli.photo import Photo, encode

BRIGHTER = FunctionNetwork(lambda rgb: rgb * 2)
DARK = encode(Photo(scene(20, 30), "PNG"))
OVERWRITE, SKIP = Conflict.OVERWRITE, Conflict.SKIP


@contextmanager
def mounted(folder, place):
    """Mount a folder a second time; the test is skipped where that is not permitted."""
    if shutil.which("mount") is None:
        pytest.skip("needs mount")
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "--bind", folder, place], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs permission to mount: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for name in ("a.png", "b.png", "deep/c.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(DARK)
    return folder


def run(*inputs, output, conflict=OVERWRITE, meanwhile=lambda: None):
    jobs = find_jobs(Photos(list(inputs), output), Destination(output, is_folder=True))
    first = next(jobs)
    meanwhile()
    return list(run_batch([first, *jobs], BRIGHTER, BatchOptions(conflict=conflict)))


def untouched(folder):
    return all(path.read_bytes() == DARK for path in folder.rglob("*.png"))


@pytest.mark.parametrize("conflict", [OVERWRITE, SKIP])
def test_inputs_that_are_mounted_twice(photos, tmp_path, conflict):
    with mounted(photos, tmp_path / "copy") as copy:
        with pytest.raises(UsageError, match="would overwrite the input"):
            run(photos, output=copy, conflict=conflict)
        with pytest.raises(UsageError, match="would overwrite the input"):
            run(photos / "a.png", photos / "b.png", output=copy, conflict=conflict)
        assert untouched(photos)


def test_a_mount_that_comes_after_the_plan(photos, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    jobs = list(find_jobs(Photos([photos], out), Destination(out, is_folder=True)))
    with mounted(photos, out):
        outcomes = list(run_batch(jobs, BRIGHTER, BatchOptions(conflict=OVERWRITE)))
        assert {outcome.status for outcome in outcomes} == {Status.FAILED}
        assert "is the same file" in outcomes[0].reason
        assert untouched(photos)


def test_a_subfolder_that_is_mounted_below_the_results(photos, tmp_path):
    with mounted(photos / "deep", tmp_path / "out" / "deep"):
        with pytest.raises(UsageError, match=r"would overwrite the input|leads it back"):
            run(photos, output=tmp_path / "out")
        assert untouched(photos)


def test_the_folder_of_results_is_not_searched_under_another_name(photos, tmp_path):
    results = photos / "results"
    results.mkdir()
    (results / "earlier.png").write_bytes(DARK)
    with mounted(results, tmp_path / "elsewhere") as elsewhere:
        sources = {outcome.source.name for outcome in run(photos, output=elsewhere)}
    assert sources == {"a.png", "b.png", "c.png"}


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_an_input_that_is_a_link_to_where_a_result_goes(photos, tmp_path, link):
    """`photos/deep/link.png` is out/b.png, which the result of photos/b.png would replace."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.png").write_bytes(DARK)
    getattr(photos / "deep" / "link.png", link)(out / "b.png")
    by_name = {outcome.source.name: outcome for outcome in run(photos, output=out)}
    assert by_name["b.png"].status is Status.FAILED
    assert "would replace an input" in by_name["b.png"].reason
    assert (out / "b.png").read_bytes() == DARK
    assert {name for name, outcome in by_name.items() if outcome.status is Status.DONE} == {
        "a.png",
        "c.png",
        "link.png",
    }


def test_a_result_that_is_a_hard_link_to_its_photo(photos, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    os.link(photos / "a.png", out / "a.png")
    outcomes = run(photos, output=out)
    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.DONE, Status.DONE]
    assert untouched(photos)


def test_a_file_that_becomes_an_input_while_its_photo_is_enhanced(photos, tmp_path):
    """What counts is the file at the moment of the rename, not at that of the plan."""
    out = tmp_path / "out"
    out.mkdir()
    job = Job(photos / "a.png", out / "a.png")

    def linked(rgb):
        (out / "a.png").unlink(missing_ok=True)
        os.link(photos / "a.png", out / "a.png")
        return rgb * 2

    (outcome,) = run_batch([job], FunctionNetwork(linked), BatchOptions(conflict=OVERWRITE))
    assert outcome.status is Status.FAILED
    assert untouched(photos)
    assert os.listdir(out) == ["a.png"]


def test_two_folders_of_results_that_are_one(tmp_path):
    folder, out = tmp_path / "photos", tmp_path / "out"
    for name in ("a/1.png", "b/1.png"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(DARK)
    (out / "a").mkdir(parents=True)
    (out / "b").symlink_to("a")
    for conflict in (SKIP, OVERWRITE):
        with pytest.raises(UsageError, match=r"a/1\.png and .*b/1\.png would both be written.* are one folder"):
            run(folder, output=out, conflict=conflict)


def test_two_folders_of_results_that_are_mounted_as_one(tmp_path):
    folder, out = tmp_path / "photos", tmp_path / "out"
    for name in ("a/1.png", "b/1.png", "b/2.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(DARK)
    (out / "a").mkdir(parents=True)
    with mounted(out / "a", out / "b"):
        with pytest.raises(UsageError, match="are one folder"):
            run(folder, output=out, conflict=SKIP)
        (folder / "b" / "1.png").unlink()
        assert [outcome.status for outcome in run(folder, output=out, conflict=SKIP)] == [Status.DONE] * 2
    assert sorted(os.listdir(out / "a")) == ["1.png", "2.png"]


def test_one_folder_that_has_two_devices(photos, tmp_path, monkeypatch):
    """Network drives that are mounted twice: a temporary file that is seen in both tells that they are one."""
    with mounted(photos, tmp_path / "copy") as copy:
        plain = originals.ids_of

        def numbered_twice(path):
            return {(device + (copy in path.parents), inode) for device, inode in plain(path)}

        monkeypatch.setattr(originals, "ids_of", numbered_twice)
        job = Job(photos / "a.png", copy / "a.png")
        (outcome,) = run_batch([job], BRIGHTER, BatchOptions(conflict=OVERWRITE))
        assert "is the same file" in outcome.reason
        assert untouched(photos)


def test_results_of_earlier_runs_are_replaced(photos):
    out = photos / "out"
    assert {outcome.status for outcome in run(photos, output=out)} == {Status.DONE}
    assert len(run(photos, output=out)) == 3
    assert {outcome.status for outcome in run(photos, photos / "a.png", output=out)} == {Status.DONE}


def test_a_job_can_be_sent_to_another_machine(photos, tmp_path):
    (job, *_) = find_jobs(Photos([photos]), Destination(tmp_path, is_folder=True))
    sent = pickle.loads(pickle.dumps(job))
    assert sent == job
    assert sent.others is None
    with pytest.raises(PhotoError, match="the same file"):
        sent.originals.check(photos / "a.png")


def test_files_that_are_absent_or_others_are_no_originals(tmp_path):
    (tmp_path / "one").touch()
    (tmp_path / "other").touch()
    kept = Originals([tmp_path / "one", tmp_path / "gone"])
    kept.check(tmp_path / "other")
    kept.check(tmp_path / "absent")
    kept.check(Path("\0"))
