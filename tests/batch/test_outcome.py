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
    assert line == "2 photos (4.0 megapixels) in 2.0 s, 1 skipped, 1 failed"
