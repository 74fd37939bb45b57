import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import scene

from enlighten_cli.batch.conflict import Conflict
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.memory import MemoryBudget
from enlighten_cli.batch.outcome import Status
from enlighten_cli.batch.photo_work import BatchOptions, PhotoWork
from enlighten_cli.batch.runner import run_batch
from enlighten_cli.enhancement.encoded import Treatment
from enlighten_cli.errors import OutOfMemoryError, OutputError
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Limits, Photo, decode, encode

brighter = FunctionNetwork(lambda rgb: rgb * 2)


@pytest.fixture
def job(tmp_path):
    (tmp_path / "in.png").write_bytes(encode(Photo(scene(20, 30), "PNG")))
    return Job(tmp_path / "in.png", tmp_path / "out" / "in.png")


def test_a_photo_is_enhanced_and_its_source_left_alone(job):
    before = job.source.read_bytes()
    (outcome,) = run_batch([job], brighter, BatchOptions())
    assert (outcome.status, outcome.width, outcome.height) == (Status.DONE, 30, 20)
    assert decode(job.output).pixels.mean() > 1.8 * decode(job.source).pixels.mean()
    assert job.source.read_bytes() == before


def test_one_failure_does_not_stop_the_others(job, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"text")
    bad = Job(tmp_path / "bad.jpg", tmp_path / "out" / "bad.jpg")
    outcomes = list(run_batch([bad, job], brighter, BatchOptions()))
    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.DONE]
    assert "not a photo" in outcomes[0].reason
    assert not bad.output.exists()


@pytest.mark.parametrize("error", [MemoryError(), OutOfMemoryError("the network ran out of memory")])
def test_a_photo_for_which_memory_is_too_small_fails_alone(job, tmp_path, error):
    def greedy(rgb):
        if rgb.shape[0] > 64:
            raise error
        return rgb * 2

    (tmp_path / "large.png").write_bytes(encode(Photo(scene(200, 30), "PNG")))
    large = Job(tmp_path / "large.png", tmp_path / "out" / "large.png")
    outcomes = list(run_batch([large, job], FunctionNetwork(greedy), BatchOptions(at_once=1)))
    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.DONE]
    assert "memory" in outcomes[0].reason
    assert "internal error" not in outcomes[0].reason


def test_existing_results_are_skipped_or_made_anew(job):
    job.output.parent.mkdir()
    job.output.write_bytes(b"mine")
    assert next(run_batch([job], brighter, BatchOptions())).status is Status.SKIPPED
    assert job.output.read_bytes() == b"mine"
    assert next(run_batch([job], brighter, BatchOptions(conflict=Conflict.OVERWRITE))).status is Status.DONE
    assert job.output.read_bytes() != b"mine"


def test_the_ending_of_a_new_name_sets_the_format(job):
    assert (
        next(run_batch([Job(job.source, job.output.with_suffix(".webp"))], brighter, BatchOptions())).status
        is Status.DONE
    )
    assert decode(job.output.with_suffix(".webp")).format == "WEBP"
    (outcome,) = run_batch([Job(job.source, job.output.with_suffix(".gif"))], brighter, BatchOptions())
    assert outcome.status is Status.FAILED


def test_the_true_format_is_kept_under_a_kept_name(job):
    wrong = job.source.with_suffix(".jpg")
    job.source.rename(wrong)
    list(run_batch([Job(wrong, job.output.with_suffix(".jpg"))], brighter, BatchOptions()))
    assert decode(job.output.with_suffix(".jpg")).format == "PNG"


def test_an_output_that_cannot_be_written_stops_the_batch(job):
    Path(job.output.parent).write_bytes(b"a file")
    with pytest.raises(OutputError):
        list(run_batch([job, job], brighter, BatchOptions()))


def test_bright_photos_can_be_left_alone(job):
    level = decode(job.source).pixels.mean() / 255
    (outcome,) = run_batch([job], brighter, BatchOptions(Treatment(skip_brighter_than=level - 0.05)))
    assert outcome.status is Status.SKIPPED
    assert "bright already" in outcome.reason
    assert not job.output.exists()
    (outcome,) = run_batch([job], brighter, BatchOptions(Treatment(skip_brighter_than=level + 0.05)))
    assert outcome.status is Status.DONE


def test_file_times_are_preserved_when_asked(job):
    os.utime(job.source, (1000, 2000))
    list(run_batch([job], brighter, BatchOptions()))
    assert job.output.stat().st_mtime > 2000
    list(run_batch([job], brighter, BatchOptions(conflict=Conflict.OVERWRITE, preserve=True)))
    assert job.output.stat().st_mtime == 2000


def test_what_a_format_cannot_hold_is_noted(job):
    photo = Photo(scene(8, 8), "PNG", alpha=np.zeros((8, 8), np.uint8))
    job.source.write_bytes(encode(photo))
    (outcome,) = run_batch([Job(job.source, job.output.with_suffix(".jpg"))], brighter, BatchOptions())
    assert outcome.notes == ("JPEG has no transparency: flattened on white",)
    assert decode(job.output.with_suffix(".jpg")).pixels.min() > 250


def test_renaming_finds_a_free_name(job):
    options = BatchOptions(conflict=Conflict.RENAME)
    outcomes = [next(run_batch([job], brighter, options)) for _ in range(3)]
    assert [outcome.output.name for outcome in outcomes] == ["in.png", "in-1.png", "in-2.png"]
    assert all(outcome.output.exists() for outcome in outcomes)


def test_a_name_taken_between_planning_and_writing_is_changed_again(tmp_path):
    """Another run is quicker, at every photo: nothing of it is replaced, and nothing is left out."""
    jobs = many(tmp_path, 6)
    theirs = [jobs[0].output.parent / f"{job.output.stem}{mark}.png" for job in jobs for mark in ("", "-1")]

    def others_write(rgb):
        for path in theirs:
            path.write_bytes(b"theirs")
        return rgb * 2

    jobs[0].output.parent.mkdir()
    outcomes = list(run_batch(jobs, FunctionNetwork(others_write), BatchOptions(conflict=Conflict.RENAME)))
    assert [(outcome.status, outcome.reason) for outcome in outcomes] == [(Status.DONE, "")] * 6
    assert [outcome.output.name for outcome in outcomes] == [f"{job.output.stem}-2.png" for job in jobs]
    assert {path.read_bytes() for path in theirs} == {b"theirs"}


def many(tmp_path, count):
    jobs = []
    for number in range(count):
        source = tmp_path / "many" / f"{number:03d}.png"
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(encode(Photo(scene(20, 30, seed=number), "PNG")))
        jobs.append(Job(source, tmp_path / "out" / source.name))
    return jobs


def test_outcomes_come_in_the_order_of_the_jobs_while_photos_overlap(tmp_path):
    jobs = many(tmp_path, 12)
    inside, most = threading.Semaphore(0), []

    def slow_for_some(rgb):
        inside.release()
        most.append(threading.active_count())
        time.sleep(0.02 if len(most) % 3 == 0 else 0)
        inside.acquire()
        return rgb * 2

    outcomes = list(run_batch(jobs, FunctionNetwork(slow_for_some), BatchOptions()))
    assert [outcome.source for outcome in outcomes] == [job.source for job in jobs]
    assert {outcome.status for outcome in outcomes} == {Status.DONE}
    assert max(most) > 2


def test_the_network_has_one_photo_at_a_time(tmp_path):
    busy = threading.Lock()

    def alone(rgb):
        assert busy.acquire(blocking=False)
        time.sleep(0.002)
        busy.release()
        return rgb

    assert {outcome.status for outcome in run_batch(many(tmp_path, 8), FunctionNetwork(alone), BatchOptions())} == {
        Status.DONE
    }


def test_stopping_begins_no_photo_and_leaves_no_temporary(tmp_path):
    jobs, stop = many(tmp_path, 20), threading.Event()
    outcomes = []
    for outcome in run_batch(iter(jobs), brighter, BatchOptions(), stopping=stop.is_set):
        outcomes.append(outcome)
        stop.set()
    assert len(outcomes) < 10
    written = sorted((tmp_path / "out").iterdir())
    assert [path for path in written if path.suffix != ".png"] == []
    assert {outcome.output for outcome in outcomes if outcome.status is Status.DONE} <= set(written)
    rest = list(run_batch(jobs, brighter, BatchOptions()))
    assert len(list((tmp_path / "out").iterdir())) == 20
    assert sum(outcome.status is Status.SKIPPED for outcome in rest) == len(written)


def test_jobs_are_taken_only_as_they_are_needed(tmp_path):
    jobs, taken = many(tmp_path, 10), []

    def counted():
        for job in jobs:
            taken.append(job)
            yield job

    batch = run_batch(counted(), brighter, BatchOptions(at_once=2))
    next(batch)
    assert len(taken) <= 4
    batch.close()


def test_stale_temporaries_are_removed_and_never_taken_for_photos(job):
    job.output.parent.mkdir()
    stale = job.output.parent / ".enlighten-killed.part"
    stale.write_bytes(b"half")
    list(run_batch([job], brighter, BatchOptions()))
    assert [path.name for path in job.output.parent.iterdir()] == ["in.png"]


def test_memory_is_bounded_and_one_photo_always_passes():
    budget, most, taken = MemoryBudget(100), [], [0]
    lock = threading.Lock()

    def work(size):
        with budget.reserved(size):
            with lock:
                taken[0] += size
                most.append(taken[0])
            time.sleep(0.005)
            with lock:
                taken[0] -= size

    threads = [threading.Thread(target=work, args=(size,)) for size in (40, 50, 60, 30, 500, 70, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=5)
    assert max(size for size in most if size != 500) <= 100
    assert 500 in most


def test_a_renamed_result_and_a_later_one_of_that_name_do_not_meet(tmp_path):
    for name in ("in/a.png", "in/a-1.png", "out/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(encode(Photo(scene(20, 30), "PNG")))
    jobs = [Job(tmp_path / "in" / name, tmp_path / "out" / name) for name in ("a.png", "a-1.png")]
    outcomes = list(run_batch(jobs, brighter, BatchOptions(conflict=Conflict.RENAME)))
    assert [outcome.output.name for outcome in outcomes] == ["a-1.png", "a-1-1.png"]


def test_what_nobody_foresaw_fails_one_photo_only(job, tmp_path, monkeypatch):
    from enlighten_cli.enhancement import encoded

    decode_photo = encoded.decode
    odd_job = Job(tmp_path / "odd.png", tmp_path / "out" / "odd.png")
    odd_job.source.write_bytes(encode(Photo(scene(8, 8), "PNG")))

    def odd(content, limits, **options):
        if content == odd_job.source.read_bytes():
            raise ZeroDivisionError("unforeseen")
        return decode_photo(content, limits, **options)

    monkeypatch.setattr(encoded, "decode", odd)
    outcomes = list(run_batch([odd_job, job], brighter, BatchOptions()))
    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.DONE]
    assert outcomes[0].reason == "internal error: ZeroDivisionError: unforeseen"


def test_a_name_that_is_too_long_fails_one_photo_only(job):
    long = Job(job.source, job.output.with_name("x" * 300 + ".png"))
    outcomes = list(run_batch([long, job], brighter, BatchOptions()))
    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.DONE]
    assert "File name too long" in outcomes[0].reason


@pytest.mark.parametrize("conflict", [Conflict.SKIP, Conflict.ERROR, Conflict.RENAME, Conflict.OVERWRITE])
def test_a_photo_whose_worker_died_after_writing_is_done_and_not_skipped(job, conflict):
    work = PhotoWork(brighter, BatchOptions(conflict=conflict))
    assert work.run(job, job.output).status is Status.DONE
    written = job.output.read_bytes()
    outcome = work.run(job, job.output, again=True)
    assert (outcome.status, outcome.output, outcome.width) == (Status.DONE, job.output, 30)
    assert [path.read_bytes() for path in job.output.parent.iterdir()] == [written]


@pytest.mark.parametrize(
    ("conflict", "status", "files"),
    [(Conflict.SKIP, Status.SKIPPED, 1), (Conflict.ERROR, Status.FAILED, 1), (Conflict.RENAME, Status.DONE, 2)],
)
def test_a_photo_whose_worker_died_before_writing_spares_what_another_run_wrote(job, conflict, status, files):
    job.output.parent.mkdir()
    job.output.write_bytes(b"theirs")
    outcome = PhotoWork(brighter, BatchOptions(conflict=conflict)).run(job, job.output, again=True)
    assert outcome.status is status
    assert job.output.read_bytes() == b"theirs"
    assert len(list(job.output.parent.iterdir())) == files


def test_an_explicit_format_wins_over_a_wrong_name(job):
    wrong = job.source.with_suffix(".jpg")
    job.source.rename(wrong)
    list(run_batch([Job(wrong, job.output.with_suffix(".jpg"), "JPEG")], brighter, BatchOptions()))
    assert decode(job.output.with_suffix(".jpg")).format == "JPEG"


def rewritten(path, times):
    """A network during whose work a photo is rewritten in place, with another one of the same size."""
    contents = [encode(Photo(scene(20, 30, exposure=exposure), "BMP")) for exposure in (0.3, 0.4, 0.5)]

    def work(rgb):
        if work.calls < times:
            with path.open("r+b") as file:
                file.write(contents[work.calls % 3])
        work.calls += 1
        return rgb * 2

    work.calls = 0
    path.write_bytes(encode(Photo(scene(20, 30), "BMP")))
    return FunctionNetwork(work)


def test_a_photo_that_is_rewritten_while_it_is_enhanced_is_enhanced_anew(tmp_path):
    job = Job(tmp_path / "in.bmp", tmp_path / "out.bmp")
    (outcome,) = run_batch([job], rewritten(job.source, times=1), BatchOptions())
    assert (outcome.status, outcome.notes) == (Status.DONE, ())
    made = job.output.read_bytes()
    again = Job(job.source, tmp_path / "again.bmp")
    assert next(run_batch([again], brighter, BatchOptions())).status is Status.DONE
    assert again.output.read_bytes() == made


def test_a_photo_that_is_rewritten_all_the_time_fails_in_words_or_on_request_is_noted(tmp_path):
    job = Job(tmp_path / "in.bmp", tmp_path / "out.bmp")
    (outcome,) = run_batch([job], rewritten(job.source, times=1000), BatchOptions())
    assert outcome.status is Status.FAILED
    assert "changes while it is read" in outcome.reason
    assert not job.output.exists()
    allowed = BatchOptions(Treatment(limits=Limits(allow_truncated=True)))
    (outcome,) = run_batch([job], rewritten(job.source, times=1000), allowed)
    assert outcome.status is Status.DONE
    assert any("two versions" in note for note in outcome.notes)
