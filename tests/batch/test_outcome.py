from pathlib import Path

import pytest

from enlighten_cli.batch.outcome import EXISTS, Outcome, Status, Summary


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


DONE = Outcome(Path("night.jpg"), Path("night-enlightened.jpg"), Status.DONE, width=2000, height=1000)
THERE = Outcome(Path("night.jpg"), Path("night-enlightened.jpg"), Status.SKIPPED, EXISTS)
BRIGHT = Outcome(Path("day.jpg"), Path("day-enlightened.jpg"), Status.SKIPPED, "bright already: mean luma 0.52")
FAILED = Outcome(Path("bad.jpg"), Path("bad-enlightened.jpg"), Status.FAILED, "not a photo")


@pytest.mark.parametrize(
    ("outcomes", "line"),
    [
        ([DONE], "Brightened 1 photo in 3.7 s -> night-enlightened.jpg"),
        ([DONE] * 2, "Brightened 2 photos in 3.7 s (0.54 photos a second) -> out/"),
        ([DONE, FAILED], "Brightened 1 photo in 3.7 s -> out/; 1 failed"),
        (
            [DONE, THERE, BRIGHT, FAILED],
            "Brightened 1 photo in 3.7 s -> out/; 1 already exists (replace it with --overwrite); "
            "1 skipped as bright enough; 1 failed",
        ),
        ([THERE], "Nothing to do: night-enlightened.jpg already exists (replace it with --overwrite)"),
        ([THERE] * 3, "Nothing to do: all 3 results already exist (replace them with --overwrite)"),
        ([BRIGHT], "Nothing to do: day.jpg is bright already: mean luma 0.52"),
        ([FAILED], "No photo was brightened; 1 failed"),
        ([THERE, FAILED], "No photo was brightened; 1 already exists (replace it with --overwrite); 1 failed"),
    ],
)
def test_one_line_says_what_a_person_wants_to_know(outcomes, line):
    summary = Summary()
    for outcome in outcomes:
        summary.add(outcome)
    assert summary.line(3.71, folder=Path("out")) == line


def test_ignored_files_are_counted():
    summary = Summary()
    summary.add(DONE)
    assert summary.line(1, ignored=2).endswith("; 2 other files ignored")


def test_an_interrupted_batch_says_how_to_go_on():
    summary = Summary()
    for outcome in [DONE] * 4 + [THERE] * 2:
        summary.add(outcome)
    assert summary.stopped_line(7, resumes=True) == "Stopped: 6 of 7 done. Run the same command to continue."
    assert summary.stopped_line(7, resumes=False) == "Stopped: 6 of 7 done."
    summary.add(FAILED)
    assert summary.stopped_line(None, resumes=False) == "Stopped: 6 done, 1 failed."


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [(1, 2.0, None), (0, 2.0, None), (5, 0.0, None), (5, 4.0, "1.2"), (300, 10.0, "30"), (3, 40.0, "0.075")],
)
def test_the_speed_is_told_where_there_were_several(done, seconds, said):
    line = report_of(*[Status.DONE] * done).line(seconds)
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
