import json

import pytest

from enlighten_cli.errors import UsageError
from enlighten_cli.evaluation.votes import FORMAT, Tally, Vote, read_votes, tallies


def write(path, *votes):
    fields = ("set", "photo", "left", "right", "vote")
    path.write_text(json.dumps({"format": FORMAT, "votes": [dict(zip(fields, vote, strict=True)) for vote in votes]}))
    return path


def test_sides_become_methods(tmp_path):
    one = write(tmp_path / "1.json", ("s", "a", "new", "old", "left"), ("s", "b", "old", "new", "left"))
    two = write(tmp_path / "2.json", ("s", "c", "old", "new", "right"), ("t", "d", "old", "new", "same"))
    assert [vote.winner for vote in read_votes([one, two])] == ["new", "old", "new", None]
    of_s, of_t, of_all = tallies(read_votes([one, two]))
    assert (of_s.set, of_s.first, of_s.second) == ("s", "new", "old")
    assert (of_s.wins, of_s.losses, of_s.ties) == (2, 1, 0)
    assert (of_t.wins, of_t.losses, of_t.ties) == (0, 0, 1)
    assert (of_all.set, of_all.count, of_all.rate) == ("all", 4, 2.5 / 4)


@pytest.mark.parametrize(
    ("wins", "losses", "low", "high"), [(8, 2, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (81, 263 - 81, 0.2553, 0.3662)]
)
def test_wilson_s_interval_is_the_published_one(wins, losses, low, high):
    """Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I."""
    assert Tally("s", "a", "b", wins, losses, 0).interval == pytest.approx((low, high), abs=1e-4)


def test_ties_are_shared_and_do_not_count_in_the_sign_test():
    tally = Tally("s", "a", "b", 3, 1, 4)
    assert tally.rate == (3 + 2) / 8
    assert tally.p_value == pytest.approx(2 * (4 + 1) / 2**4)
    assert Tally("s", "a", "b", 0, 0, 5).p_value == 1
    assert Tally("s", "a", "b", 10, 0, 0).p_value == pytest.approx(2 / 2**10)


@pytest.mark.parametrize(
    "content",
    [
        "nonsense",
        "[]",
        '{"format": "another", "votes": []}',
        json.dumps({"format": FORMAT, "votes": [{"set": "s"}]}),
        json.dumps({"format": FORMAT, "votes": [{"set": 1, "photo": "a", "left": "a", "right": "b", "vote": "left"}]}),
        json.dumps({"format": FORMAT, "votes": [{"set": "s", "photo": "a", "left": "a", "right": "b", "vote": "x"}]}),
        "[" * 200_000,
    ],
)
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "votes.json").write_text(content)
    with pytest.raises(UsageError, match=r"votes\.json: not votes saved by the page"):
        read_votes([tmp_path / "votes.json"])


def test_votes_on_three_methods_are_counted_by_pair():
    votes = [Vote("s", "a", "x", "y", "x"), Vote("s", "a", "x", "z", "z"), Vote("s", "b", "x", "y", None)]
    assert [(tally.first, tally.second, tally.count) for tally in tallies(votes)] == [("x", "y", 2), ("x", "z", 1)]
