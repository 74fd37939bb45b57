import pytest

from enlighten_cli import resources as machine


@pytest.fixture
def cgroup(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    return tmp_path


def test_without_limits_the_machine_is_what_there_is(cgroup):
    assert machine.available_cores() >= 1
    assert machine.available_memory() > 1e6


@pytest.mark.parametrize(
    ("quota", "cores"), [("50000 100000", 1), ("100000 100000", 1), ("max 100000", None), ("x", None)]
)
def test_a_containers_cores(cgroup, quota, cores):
    unlimited = machine.available_cores()
    (cgroup / "cpu.max").write_text(f"{quota}\n")
    assert machine.available_cores() == (cores or unlimited)


def test_a_containers_memory(cgroup):
    (cgroup / "memory.max").write_text("5000000\n")
    (cgroup / "memory.current").write_text("3000000\n")
    assert machine.available_memory() == 2_000_000
    (cgroup / "memory.current").write_text("6000000\n")
    assert machine.available_memory() == 0
    (cgroup / "memory.max").write_text("max\n")
    assert machine.available_memory() > 1e6
