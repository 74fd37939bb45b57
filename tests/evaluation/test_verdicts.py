import math

from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli.evaluation.tables import Scores
from enlighten_cli.evaluation.verdicts import FEWEST_PHOTOS, leaders, verdicts


def compared(metric, **methods):
    """The verdicts on methods, each with its score of every photo."""
    scores = [
        Scores("s", method, str(photo), {metric: value})
        for method, values in methods.items()
        for photo, value in enumerate(values)
    ]
    return verdicts(scores)["s"]


def test_the_better_one_is_named_by_the_direction_of_the_metric():
    low, high = [1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 6, 7.5]
    for metric, better in (("niqe", "low"), ("psnr", "high")):
        for order in (("low", "high"), ("high", "low")):
            (row,) = compared(metric, **{name: {"low": low, "high": high}[name] for name in order})
            assert row[metric].better == better
            assert row[metric].words == f"{better} is better"
            assert row[metric].detail.startswith("by 1.08 (1 to ")


def test_an_interval_with_zero_is_no_real_difference():
    (row,) = compared("niqe", a=[1, 2, 3, 4, 5, 6], b=[2, 1, 4, 3, 6, 5])
    assert row["niqe"].better is None
    assert row["niqe"].words == "no real difference"
    low, high = map(float, row["niqe"].detail.split(" to "))
    assert low < 0 < high


def test_few_photos_settle_nothing():
    (row,) = compared("niqe", a=[1] * (FEWEST_PHOTOS - 1), b=[9] * (FEWEST_PHOTOS - 1))
    assert row["niqe"].better is None
    assert row["niqe"].words == "too few photos (5)"
    assert row["niqe"].detail == ""


def test_infinities_are_not_compared():
    (row,) = compared("psnr", a=[math.inf] * 6, b=[math.inf, *[20] * 5])
    assert row["psnr"].words == "cannot be compared"


def test_only_photos_and_metrics_that_both_have_are_compared():
    scores = [Scores("s", "a", str(photo), {"niqe": 1.0, "loe": 1.0, "luma": 0.5}) for photo in range(9)]
    scores += [Scores("s", "b", str(photo), {"niqe": 2.0, "luma": 0.1}) for photo in range(2, 12)]
    (row,) = verdicts(scores)["s"]
    assert list(row) == ["niqe"]
    assert row["niqe"].photos == 7
    assert verdicts(scores[:9]) == {}


def test_leaders_are_the_best_and_their_ties():
    rows = compared("niqe", a=[1, 2, 3, 4, 5, 6], b=[2, 1, 4, 3, 6, 4.9], c=[5, 6, 7, 8, 9, 10])
    assert leaders(rows, "b", "niqe") == {"a", "b"}
    tied = compared("niqe", a=[1, 2, 3, 4, 5, 6], b=[2, 1, 4, 3, 6, 5])
    assert leaders(tied, "a", "niqe") == set()


@given(st.lists(st.tuples(*[st.integers(-1000, 1000)] * 2), min_size=1, max_size=20))
def test_who_wins_has_the_better_mean_in_either_order(pairs):
    one, other = zip(*pairs, strict=True)
    (row,), (turned,) = compared("niqe", a=one, b=other), compared("niqe", b=other, a=one)
    assert row["niqe"].photos == turned["niqe"].photos == len(pairs)
    for verdict in (row["niqe"], turned["niqe"]):
        if verdict.better is not None:
            assert verdict.better == ("a" if sum(one) < sum(other) else "b")
