"""How many workers fit, on clusters that are only described."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli.cluster.address import ClusterError
from enlighten_cli.cluster.needs import CORES, Needs, needs_of
from enlighten_cli.errors import UsageError
from enlighten_cli.models.device import Device


def nodes(*sizes, alive=True):
    return [{"Alive": alive, "Resources": {"CPU": cpu, "GPU": gpu}} for cpu, gpu in sizes]


def cluster(*sizes):
    return SimpleNamespace(nodes=lambda: nodes(*sizes))


@pytest.mark.parametrize(
    ("sizes", "device", "threads", "needs", "workers"),
    [
        ([(16, 0)], "auto", None, Needs(CORES), 4),
        ([(1, 0), (2, 0)], "auto", None, Needs(1), 3),
        ([(0, 0), (8, 0)], "cpu", 2, Needs(2), 4),
        ([(16, 2), (16, 0)], "auto", None, Needs(CORES, 1), 2),
        ([(16, 2), (16, 0)], "cpu", None, Needs(CORES), 8),
        ([(2, 4)], "cuda", None, Needs(2, 1), 1),
        ([(0, 0)], "auto", None, Needs(CORES), 0),
    ],
)
def test_workers_of_a_cluster(sizes, device, threads, needs, workers):
    assert needs_of(cluster(*sizes), Device.parse(device), threads) == needs
    assert needs.fitting(nodes(*sizes)) == workers


def test_a_gpu_that_is_not_there():
    with pytest.raises(ClusterError, match="no machine of the cluster has a GPU"):
        needs_of(cluster((4, 0)), Device.parse("cuda"), None)
    with pytest.raises(UsageError, match="the cluster chooses the GPUs"):
        needs_of(cluster((4, 4)), Device.parse("cuda:1"), None)


@given(st.lists(st.tuples(st.integers(0, 64), st.integers(0, 8)), max_size=6), st.integers(1, 8), st.integers(0, 1))
def test_workers_never_need_more_than_there_is(sizes, cores, gpus):
    needs = Needs(cores, gpus)
    workers = needs.fitting(nodes(*sizes))
    assert workers * cores <= sum(cpu for cpu, _ in sizes)
    assert workers * gpus <= sum(gpu for _, gpu in sizes)
    assert workers == sum(needs.fitting(nodes(size)) for size in sizes)
    assert needs.fitting(nodes(*sizes, alive=False)) == 0
