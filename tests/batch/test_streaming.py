"""Photos that go from file to file: the same promises as for those that are in memory."""

import io
from importlib import import_module

import numpy as np
import pytest
from conftest import scene

from enlighten_cli import atomic_write
from enlighten_cli.batch import photo_work
from enlighten_cli.batch.conflict import Conflict
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.outcome import Status
from enlighten_cli.batch.photo_work import BatchOptions, DroppedError, PhotoWork
from enlighten_cli.enhancement import encoded
from enlighten_cli.enhancement.encoded import Treatment
from enlighten_cli.enhancement.enhance import Mode, Options
from enlighten_cli.errors import OutputError
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Photo, decode, encode

BRIGHTER = FunctionNetwork(lambda rgb: rgb**0.5)


@pytest.fixture(params=["PNG", "TIFF"])
def job(request, tmp_path):
    kind = request.param
    source = tmp_path / f"dark.{kind.lower()}"
    source.write_bytes(encode(Photo(scene(700, 300, exposure=0.2), kind)))
    return Job(source, tmp_path / "out" / source.name)


@pytest.fixture
def streamed(monkeypatch):
    monkeypatch.setattr(photo_work, "STREAMED_FROM_PIXELS", 0)
    monkeypatch.setattr(encoded, "BANDS_FROM_PIXELS", 0)
    monkeypatch.setattr(import_module("enlighten_cli.photo.encode"), "STRIPS_FROM_PIXELS", 0)


def run(job, conflict=Conflict.SKIP, network=BRIGHTER, tell=lambda job, done, total: None, **options):
    work = PhotoWork(network, BatchOptions(Treatment(Options(mode=Mode.FAST)), conflict=conflict, **options), tell)
    return work.run(job, job.output)


def left_in(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_result_is_that_of_a_photo_in_memory(job, tmp_path, streamed, monkeypatch):
    outcome = run(job)
    assert outcome.status is Status.DONE, outcome.reason
    made = decode(job.output)
    monkeypatch.undo()
    kept = Job(job.source, tmp_path / "kept" / job.source.name)
    assert run(kept).status is Status.DONE
    expected = decode(kept.output)
    np.testing.assert_array_equal(made.pixels, expected.pixels)
    assert (made.metadata, made.coding) == (expected.metadata, expected.coding)
    assert left_in(job.output.parent) == [job.output.name]


@pytest.mark.parametrize("conflict", list(Conflict))
def test_a_name_that_is_taken_meanwhile_is_dealt_with_as_ever(job, streamed, conflict):
    def taken(*_):
        job.output.parent.mkdir(exist_ok=True)
        job.output.write_bytes(b"another")

    outcome = run(job, conflict, tell=taken)
    expected = {
        Conflict.SKIP: (Status.SKIPPED, [job.output.name]),
        Conflict.OVERWRITE: (Status.DONE, [job.output.name]),
        Conflict.RENAME: (Status.DONE, sorted([job.output.name, f"dark-1{job.output.suffix}"])),
        Conflict.ERROR: (Status.FAILED, [job.output.name]),
    }[conflict]
    assert (outcome.status, left_in(job.output.parent)) == expected
    assert (job.output.read_bytes() == b"another") == (conflict is not Conflict.OVERWRITE)


def test_of_a_damaged_photo_nothing_is_left(job, streamed):
    content = job.source.read_bytes()
    job.source.write_bytes(content[: len(content) * 2 // 3])
    outcome = run(job)
    assert outcome.status is Status.FAILED
    assert "damaged" in outcome.reason or "incomplete" in outcome.reason
    assert left_in(job.output.parent) == []


def test_of_a_photo_that_is_dropped_nothing_is_left(job, streamed):
    def stop(job, done, total):
        if done:
            raise DroppedError

    with pytest.raises(DroppedError):
        run(job, tell=stop)
    assert left_in(job.output.parent) == []


def test_a_full_disk_is_an_error_of_the_output(job, streamed, monkeypatch):
    class Full(io.BytesIO):
        def write(self, content):
            raise OSError(28, "No space left on device")

    temporary = job.source.with_name("temporary")
    temporary.touch()
    monkeypatch.setattr(atomic_write, "locked_temporary", lambda folder: (Full(), temporary))
    with pytest.raises(OutputError, match="No space left"):
        run(job)
    assert not temporary.exists()


def test_errors_of_anything_else_are_not_errors_of_the_output(job, streamed):
    def denied(*_):
        raise PermissionError(13, "Permission denied")

    outcome = run(job, tell=denied)
    assert outcome.reason.startswith("internal error: PermissionError")
    assert left_in(job.output.parent) == []


@pytest.mark.parametrize("name", ["dark[1]", "dark[n=2]", pytest.param("caf\udce9", marks=pytest.mark.posix)])
def test_any_name_is_read(job, streamed, name):
    """Libvips takes brackets for options, and knows UTF-8 alone."""
    odd = job.source.with_name(name + job.source.suffix + name[4:])
    job.source.rename(odd)
    outcome = run(Job(odd, job.output))
    assert outcome.status is Status.DONE, outcome.reason


def test_mode_and_times_are_kept_on_request(job, streamed):
    job.source.chmod(0o640)
    assert run(job, preserve=True).status is Status.DONE
    assert job.output.stat().st_mode & 0o777 == 0o640
    assert job.output.stat().st_mtime == pytest.approx(job.source.stat().st_mtime)


@pytest.mark.parametrize("times", [1, 1000])
@pytest.mark.parametrize("in_place", [True, False])
def test_both_passes_see_one_version_of_the_file(job, tmp_path, streamed, times, in_place):
    second = encode(Photo(scene(700, 300, exposure=0.4), job.source.suffix[1:].upper()))
    calls = []

    def rewrite(*_):
        calls.append(0)
        if len(calls) <= times:
            if in_place:
                job.source.write_bytes(second)
            else:
                (tmp_path / "new").write_bytes(second)
                (tmp_path / "new").replace(job.source)

    outcome = run(job, network=FunctionNetwork(lambda rgb: (rewrite(), rgb**0.5)[1]))
    if times > 1:
        assert outcome.status is Status.FAILED
        assert "changes while it is read" in outcome.reason
        assert left_in(job.output.parent) == []
        return
    assert outcome.status is Status.DONE, outcome.reason
    (tmp_path / "kept").mkdir()
    kept = Job(job.source, tmp_path / "kept" / job.source.name)
    assert run(kept).status is Status.DONE
    assert kept.output.read_bytes() == job.output.read_bytes()
