"""The pool with a stand-in for Ray, whose workers do their tasks at once, die, or never start."""

from types import SimpleNamespace

import pytest

from enlighten_cli.cluster.address import ClusterError
from enlighten_cli.cluster.needs import Needs
from enlighten_cli.cluster.worker import OpenedModel
from enlighten_cli.cluster.worker_pool import MOST_DEATHS, WorkerPool
from enlighten_cli.errors import PhotoError

OPENED = (OpenedModel("lite", "CPUExecutionProvider", "", True),)


class RayError(Exception):
    pass


class RayTaskError(RayError):
    pass


class Reference:
    """What a call of an actor returns: a result or an error that is there already."""

    def __init__(self, make):
        self.make = make


class Actor:
    """A worker that is killed by some tasks."""

    def __init__(self, ray):
        self.ray, self.is_dead = ray, False
        self.start = SimpleNamespace(remote=lambda spec: Reference(self.started))
        self.run = SimpleNamespace(remote=lambda task, again: Reference(lambda: self.done(task, again)))
        self.stop = SimpleNamespace(remote=lambda: None)

    def started(self):
        if self.ray.start_error:
            raise self.ray.start_error
        return OPENED

    def done(self, task, again):
        if self.is_dead:
            raise RayError("the actor is dead")
        self.ray.tasks.append((task, again))
        if task == "killer" or (task == "unlucky" and not again):
            self.is_dead = True
            raise RayError("the actor died")
        if task == "bad":
            error = RayTaskError("a task failed")
            error.cause = PhotoError("bad: not a photo")
            raise error
        return task.upper()


class Ray:
    """A cluster of one machine with four cores."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)
    util = SimpleNamespace(client=SimpleNamespace(ray=SimpleNamespace(is_connected=lambda: True)))

    def __init__(self, start_error=None):
        self.start_error, self.actors, self.killed, self.tasks = start_error, [], [], []

    def put(self, spec):
        return spec

    def nodes(self):
        return [{"Alive": True, "Resources": {"CPU": 4}}]

    def remote(self, worker):
        return self

    def options(self, **options):
        def hired():
            self.actors.append(Actor(self))
            return self.actors[-1]

        return SimpleNamespace(remote=hired)

    def wait(self, references, num_returns, timeout):
        return references[:num_returns], references[num_returns:]

    def get(self, reference):
        return reference.make()

    def kill(self, actor):
        self.killed.append(actor)


@pytest.fixture
def hire():
    """Return a function that hires a pool, with the lists of tasks that died, and of those given up."""
    pools = []

    def hire(ray, at_once=1):
        died, lost = [], []

        def give_up(task):
            lost.append(task)
            return f"{task} is lost"

        pool = WorkerPool(
            ray,
            SimpleNamespace(models=()),
            Needs(cores=4),
            at_once=at_once,
            stopping=lambda: False,
            died=died.append,
            lost=give_up,
            dropped=lambda: RuntimeError("dropped"),
        )
        pools.append(pool)
        return pool, died, lost

    yield hire
    for pool in pools:
        pool.close()


def test_tasks_are_done_by_as_many_workers_as_fit(hire):
    ray = Ray()
    pool, died, _ = hire(ray)
    assert pool.models() == OPENED
    assert [future.result(20) for future in [pool.submit(word) for word in ("a", "b", "c")]] == ["A", "B", "C"]
    pool.close()
    assert (len(ray.actors), died) == (1, [])
    assert ray.killed == ray.actors
    with pytest.raises(RuntimeError, match="dropped"):
        pool.submit("d").result(20)


def test_a_failure_of_a_task_is_its_own(hire):
    pool, died, _ = hire(Ray())
    with pytest.raises(PhotoError, match="not a photo"):
        pool.submit("bad").result(20)
    assert pool.submit("a").result(20) == "A"
    assert died == []


def test_a_task_whose_worker_died_is_done_by_another_and_told_so(hire):
    ray = Ray()
    pool, died, lost = hire(ray)
    assert pool.submit("unlucky").result(20) == "UNLUCKY"
    assert ray.tasks == [("unlucky", False), ("unlucky", True)]
    assert (died, lost, len(ray.actors)) == (["unlucky"], [], 2)


def test_a_task_that_kills_its_workers_is_given_up_and_the_others_are_done(hire):
    ray = Ray()
    pool, died, lost = hire(ray, at_once=2)
    killer, other = pool.submit("killer"), pool.submit("a")
    assert killer.result(20) == "killer is lost"
    assert other.result(20) == "A"
    assert lost == ["killer"]
    assert died.count("killer") == MOST_DEATHS


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RayError("No module named 'enlighten_cli'"), "a machine of the cluster has no enlighten-cli"),
        (RayError("killed"), "workers die as they start: RayError: killed"),
    ],
)
def test_workers_that_cannot_start_end_the_run_in_words(hire, error, said):
    pool, _, _ = hire(Ray(error))
    with pytest.raises(ClusterError, match=said):
        pool.models()
    with pytest.raises(ClusterError, match=said):
        pool.submit("a").result(20)
