import threading
import time

import psutil
import pytest

from enlighten_cli import resources as machine
from enlighten_cli.resources import mapped


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


def test_free_memory_is_what_psutil_says_with_and_without_linuxs_own_figure(cgroup, tmp_path, monkeypatch):
    free = psutil.virtual_memory().available
    assert machine.available_memory() == pytest.approx(free, rel=0.2)
    monkeypatch.setattr(machine, "MEMORY", tmp_path / "absent")
    assert machine.available_memory() == pytest.approx(free, rel=0.2)
    (tmp_path / "meminfo").write_text("MemFree: 7 kB\nMemAvailable:      3 kB\n")
    monkeypatch.setattr(machine, "MEMORY", tmp_path / "meminfo")
    assert machine.available_memory() == 3 * 1024


def test_mapped_yields_in_order_and_takes_few_items_at_a_time(monkeypatch):
    monkeypatch.setattr(machine, "available_cores", lambda: 3)
    taken = []

    def items():
        for number in range(20):
            taken.append(number)
            yield number

    def slower_at_first(number):
        time.sleep(0.01 * (number % 3 == 0))
        return number * number

    for done, result in enumerate(mapped(slower_at_first, items())):
        assert result == done * done
        assert len(taken) <= done + 4


def test_mapped_calls_for_a_single_item_without_a_thread():
    assert list(mapped(lambda _: threading.current_thread(), [1])) == [threading.current_thread()]
    assert list(mapped(str, [])) == []


def test_mapped_raises_what_a_call_raised_and_ends_when_nobody_asks_any_more():
    threads = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        list(mapped(lambda number: 1 / number, [2, 1, 0, 3]))
    results = mapped(str, range(100))
    assert next(results) == "0"
    results.close()
    assert threading.active_count() == threads
