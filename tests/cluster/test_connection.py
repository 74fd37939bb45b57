import sys
import threading
import time
import types

import pytest

from enlighten_cli.cluster import connection
from enlighten_cli.cluster.address import NEW, ClusterAddress, ClusterError


def test_a_start_that_hangs_has_an_end(monkeypatch):
    """Ray may wait without end for a process of its own."""
    hangs = threading.Event()
    ray = types.ModuleType("ray")
    ray.init = lambda **options: hangs.wait(60)
    ray.shutdown = lambda: None
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(connection, "require_ray", lambda address: None)
    monkeypatch.setattr(connection, "START_SECONDS", 0.2)
    address = ClusterAddress(NEW)
    assert address.is_new
    began = time.monotonic()
    with pytest.raises(ClusterError, match="has not started within"), connection.connected(address):
        pass
    hangs.set()
    assert time.monotonic() - began < 30


def test_what_the_start_says_is_told():
    def refused():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        connection._within(5, refused)
