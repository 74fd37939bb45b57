from pathlib import Path

import pytest

from enlighten_cli.batch.outcome import Outcome, Status, Summary


def report_of(*statuses):
    report = Summary()
    for status in statuses:
        report.add(Outcome(Path("a"), Path("b"), status, width=2000, height=1000))
    return report


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([Status.DONE], 0),
        ([Status.SKIPPED], 0),
        ([Status.DONE, Status.FAILED, Status.DONE], 1),
    ],
)
def test_the_exit_code_follows_from_the_counts(statuses, code):
    assert report_of(*statuses).exit_code == code


def test_the_summary_counts_everything():
    line = report_of(Status.DONE, Status.DONE, Status.SKIPPED, Status.FAILED).summary(2.0)
    assert line == "2 photos (4.0 megapixels) in 2.0 s (1.0 photos a second), 1 skipped, 1 failed"


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [(1, 2.0, None), (0, 2.0, None), (5, 0.0, None), (5, 4.0, "1.2"), (300, 10.0, "30"), (3, 40.0, "0.075")],
)
def test_the_speed_is_told_where_there_were_several(done, seconds, said):
    line = report_of(*[Status.DONE] * done).summary(seconds)
    assert ("photos a second" in line) == (said is not None)
    if said:
        assert f"({said} photos a second)" in line
        assert report_of(*[Status.DONE] * done).record(seconds)["photos_per_second"] == pytest.approx(done / seconds)


def run_of(done, failed):
    report = report_of(*[Status.DONE] * done)
    for number in range(failed):
        report.add(Outcome(Path(f"{number}.jpg"), Path("b"), Status.FAILED))
    return report


def test_after_a_long_run_those_that_failed_are_named_once_more():
    assert run_of(19, 2).failed_again() == ["failed:", "  0.jpg", "  1.jpg"]
    assert run_of(18, 2).failed_again() == []  # they are still in sight
    assert run_of(21, 0).failed_again() == []


def test_of_very_many_that_failed_twenty_are_named():
    lines = run_of(0, 50).failed_again()
    assert lines[:2] == ["failed:", "  0.jpg"]
    assert lines[20:] == ["  19.jpg", "  and 30 more"]
    assert run_of(10, 20).failed_again()[-1] == "  19.jpg"
