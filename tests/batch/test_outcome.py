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
        ([DONE] * 2, "Brightened 2 photos in 3.7 s -> out/"),
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
