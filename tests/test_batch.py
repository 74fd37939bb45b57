import os
from pathlib import Path

import numpy as np
import pytest
from conftest import scene

from enlighten_cli.batch import BatchOptions, run_batch
from enlighten_cli.discover import Job
from enlighten_cli.errors import OutputError
from enlighten_cli.photo import Photo, decode, encode
from enlighten_cli.report import Status


def brighter(rgb):
    return rgb * 2


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


def test_existing_results_are_skipped_or_made_anew(job):
    job.output.parent.mkdir()
    job.output.write_bytes(b"mine")
    assert next(run_batch([job], brighter, BatchOptions())).status is Status.SKIPPED
    assert job.output.read_bytes() == b"mine"
    assert next(run_batch([job], brighter, BatchOptions(overwrite=True))).status is Status.DONE
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
    (outcome,) = run_batch([job], brighter, BatchOptions(skip_brighter_than=level - 0.05))
    assert outcome.status is Status.SKIPPED
    assert "bright already" in outcome.reason
    assert not job.output.exists()
    (outcome,) = run_batch([job], brighter, BatchOptions(skip_brighter_than=level + 0.05))
    assert outcome.status is Status.DONE


def test_file_times_are_preserved_when_asked(job):
    os.utime(job.source, (1000, 2000))
    list(run_batch([job], brighter, BatchOptions()))
    assert job.output.stat().st_mtime > 2000
    list(run_batch([job], brighter, BatchOptions(overwrite=True, preserve=True)))
    assert job.output.stat().st_mtime == 2000


def test_what_a_format_cannot_hold_is_noted(job):
    photo = Photo(scene(8, 8), "PNG", alpha=np.zeros((8, 8), np.uint8))
    job.source.write_bytes(encode(photo))
    (outcome,) = run_batch([Job(job.source, job.output.with_suffix(".jpg"))], brighter, BatchOptions())
    assert outcome.notes == ("JPEG has no transparency: flattened on white",)
    assert decode(job.output.with_suffix(".jpg")).pixels.min() > 250
