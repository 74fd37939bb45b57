"""Batches on a Ray cluster of two nodes: the same results, whoever dies."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import psutil
import pytest
from conftest import scene, write_photos

from enlighten_cli.batch.conflict import Conflict
from enlighten_cli.batch.executors import ray as executors
from enlighten_cli.batch.executors.ray import RayExecutor
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.outcome import Status
from enlighten_cli.batch.photo_work import BatchOptions
from enlighten_cli.batch.runner import run_jobs
from enlighten_cli.cluster.sent_model import SentModel
from enlighten_cli.cluster.shared_files import SharedFiles
from enlighten_cli.errors import MissingDependencyError, OutputError, UsageError
from enlighten_cli.models.device import Device
from enlighten_cli.photo import Photo, encode

pytestmark = pytest.mark.cluster

ENLIGHTEN = [sys.executable, "-m", "enlighten_cli"]
WAIT_SECONDS = 60


def command(*words, code=0, address=None, **options):
    """Run the command as a process."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    if address:
        environment["RAY_ADDRESS"] = address
    done = subprocess.run([*ENLIGHTEN, *map(str, words)], capture_output=True, text=True, env=environment, **options)
    assert done.returncode == code, done.stderr
    return done


def many(folder, count):
    write_photos(folder / "in", count, exposure=0.2, size=(16, 24))
    return [Job(folder / "in" / f"{number}.png", folder / "out" / f"{number}.png") for number in range(count)]


def started(ray, model="gamma", options=None, **more):
    options = options or BatchOptions()
    files = more.pop("files", SharedFiles(os.getcwd()))
    return RayExecutor(ray, SentModel.packed(str(model)), options, files, device=Device("cpu"), **more), options


def outcomes_of(ray, jobs, **more):
    executor, options = started(ray, **more)
    return list(run_jobs(jobs, executor, options))


def workers(cluster):
    """The processes of a cluster's workers."""
    found = []
    for process in psutil.process_iter():
        try:
            if "ray::Worker" in " ".join(process.cmdline()) and cluster.address in " ".join(process.parent().cmdline()):
                found.append(process)
        except (psutil.Error, AttributeError):
            continue
    return found


def left_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".png")


def wait_for(condition):
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_the_same_as_a_local_run(cluster, tmp_path, tiny_model):
    write_photos(tmp_path / "in" / "sub", 5, exposure=0.2)
    write_photos(tmp_path / "in", 4, exposure=0.1, size=(40, 30))
    (tmp_path / "in" / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo")
    words = ("in", "--model", tiny_model, "--json", "--preserve", "--report")
    here = command(*words, "here.html", "-o", "here/", cwd=tmp_path, code=1)
    there = command(*words, "there.html", "-o", "there/", "--on", "ray", cwd=tmp_path, address=cluster.address, code=1)

    def records(done):
        found = [json.loads(line.replace("there/", "here/")) for line in done.stdout.splitlines()]
        return [{name: value for name, value in each.items() if "second" not in name} for each in found]

    assert records(there) == records(here)
    assert len(records(here)) == 11
    first, *more = there.stderr.splitlines()
    assert first.startswith("in/bad.jpg: ")
    assert [line.partition(" in ")[0] for line in more] == ["Brightened 9 photos", "report: there.html"], there.stderr
    assert left_in(tmp_path / "there") == ["sub"]
    for path in (tmp_path / "here").rglob("*.png"):
        same = tmp_path / "there" / path.relative_to(tmp_path / "here")
        assert same.read_bytes() == path.read_bytes()
        assert same.stat().st_mtime == path.stat().st_mtime
    pages = [(tmp_path / name).read_text().count("data:image") for name in ("here.html", "there.html")]
    assert pages[0] == pages[1]
    (tmp_path / "there" / "0.png").unlink()
    again = command("in", "-o", "there/", "--model", tiny_model, "--on", cluster.address, cwd=tmp_path, code=1)
    assert "Brightened 1 photo in" in again.stderr
    assert "; 8 already exist" in again.stderr


def test_order_and_back_pressure(ray, tmp_path):
    jobs, taken = many(tmp_path, 60), []

    def counted():
        for job in jobs:
            taken.append(job)
            yield job

    executor, options = started(ray)
    batch = run_jobs(counted(), executor, options)
    outcomes = [next(batch)]
    assert len(taken) <= executor.in_flight + 1 < len(jobs)
    outcomes += batch
    assert [outcome.source for outcome in outcomes] == [job.source for job in jobs]
    assert {outcome.status for outcome in outcomes} == {Status.DONE}


@pytest.mark.posix
@pytest.mark.parametrize("conflict", [Conflict.SKIP, Conflict.RENAME, Conflict.OVERWRITE])
def test_a_worker_killed_in_the_middle(ray, tmp_path, conflict):
    """It is killed after it wrote a result, and before it could say so; and while others are half-done."""
    jobs = many(tmp_path, 30)

    def dying(name, workers):
        def examine(job, enhanced):
            flag = job.output.parent.parent / f"killed-{job.source.name}"
            if job.source.name in ("5.png", "11.png"):
                try:
                    flag.open("x").close()
                except FileExistsError:
                    return
                os.kill(os.getpid(), signal.SIGKILL)

        return examine

    outcomes = outcomes_of(ray, jobs, options=BatchOptions(conflict=conflict), make_examine=dying)
    assert [outcome.source for outcome in outcomes] == [job.source for job in jobs]
    assert {(outcome.status, outcome.reason) for outcome in outcomes} == {(Status.DONE, "")}
    assert len(list(tmp_path.glob("killed*"))) == 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(job.output.name for job in jobs)


@pytest.mark.posix
def test_a_photo_that_kills_its_workers(ray, tmp_path):
    jobs = many(tmp_path, 12)
    deadly = jobs[4].source.read_bytes()

    def deadly_decoder(name, workers):
        from enlighten_cli.enhancement import encoded

        decode = encoded.decode

        def decode_or_die(content, limits, suffix):
            if content == deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            return decode(content, limits, suffix=suffix)

        encoded.decode = decode_or_die
        return lambda job, enhanced: None

    outcomes = outcomes_of(ray, jobs, make_examine=deadly_decoder)
    statuses = {outcome.source.name: outcome.status for outcome in outcomes}
    assert [name for name, status in statuses.items() if status is not Status.DONE] == ["4.png"]
    assert "3 workers died" in outcomes[4].reason
    assert left_in(tmp_path / "out") == []


def test_stopping_leaves_no_worker_and_no_temporary(cluster, ray, tmp_path):
    def slow(name, workers):
        return lambda job, enhanced: time.sleep(0.2)

    jobs, signals = many(tmp_path, 60), []
    executor, options = started(ray, make_examine=slow, stopping=lambda: bool(signals))
    outcomes = []
    for outcome in run_jobs(jobs, executor, options, lambda: bool(signals)):
        outcomes.append(outcome)
        signals.append(signal.SIGINT)
    assert 0 < len(outcomes) < 50
    assert left_in(tmp_path / "out") == []
    wait_for(lambda: not workers(cluster))


def test_what_holds_for_all_photos_ends_the_batch(cluster, ray, tmp_path):
    jobs = many(tmp_path, 30)
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError):
        outcomes_of(ray, jobs)
    wait_for(lambda: not workers(cluster))


def test_a_machine_that_does_not_see_the_files(ray, tmp_path):
    (job,) = many(tmp_path, 1)
    for files, message in [
        (SharedFiles(os.getcwd(), (tmp_path / "absent" / "token", b"1")), f"does not see {tmp_path / 'absent'}"),
        (SharedFiles(os.getcwd(), None, (job.source, "1 another")), f"does not see {job.source}"),
    ]:
        with pytest.raises(UsageError, match=message) as caught:
            started(ray, files=files)
        assert len(caught.value.lines) == 1
    assert not job.output.parent.exists()


def test_packages_of_another_version(ray, tmp_path, monkeypatch):
    monkeypatch.setattr(executors, "versions", lambda: {"numpy": "0.1", "enlighten-cli": ""})
    with pytest.raises(MissingDependencyError, match=r"has numpy [\d.]+ instead of 0.1: install the same"):
        started(ray)


def test_a_model_is_sent(ray, tmp_path, tiny_model):
    """The workers' machines need not have its file."""
    moved = tmp_path / "only-here.onnx"
    moved.write_bytes(tiny_model.read_bytes())
    model = SentModel.packed(str(moved))
    moved.unlink()
    files = SharedFiles(os.getcwd())
    executor = RayExecutor(ray, model, BatchOptions(), files, device=Device("cpu"))
    jobs = many(tmp_path, 2)
    assert {outcome.status for outcome in run_jobs(jobs, executor, BatchOptions())} == {Status.DONE}
    assert (executor.network.name, executor.network.provider) == ("tiny", "CPUExecutionProvider")


def test_evaluation(cluster, tmp_path, tiny_model):
    write_photos(tmp_path / "low", 3, exposure=0.2)
    write_photos(tmp_path / "normal", 3, exposure=0.8)
    words = (
        "evaluate",
        "low",
        "--reference",
        "normal",
        "--model",
        tiny_model,
        "--method",
        "input",
        "--method",
        "gamma",
    )
    words += ("--format", "json", "--per-photo", "--compare")
    here = json.loads(command(*words, "here.png", cwd=tmp_path).stdout)
    there = json.loads(command(*words, "there.png", "--on", cluster.address, cwd=tmp_path).stdout)

    def without_times(value):
        if isinstance(value, dict):
            return {name: without_times(each) for name, each in value.items() if "second" not in name}
        return [without_times(each) for each in value] if isinstance(value, list) else value

    assert without_times(there) == without_times(here)
    assert (tmp_path / "there.png").read_bytes() == (tmp_path / "here.png").read_bytes()


def test_photos_in_s3(cluster, s3, tmp_path, monkeypatch):
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    bucket = boto3.resource("s3", endpoint_url=s3).Bucket("photos")
    bucket.create()
    names = [f"{number}.png" for number in range(8)]
    for number, name in enumerate(names):
        bucket.put_object(Key=f"night/{name}", Body=encode(Photo(scene(12, 16, seed=number), "PNG")))
    words = ("s3://photos/night/", "--model", "gamma")
    command(*words, "-o", "here/", cwd=tmp_path)
    there = command(*words, "-o", "s3://photos/bright/", "--on", cluster.address, cwd=tmp_path)
    assert there.stderr.startswith("Brightened 8 photos in")
    for name in names:
        content = bucket.Object(f"bright/{name}").get()["Body"].read()
        assert content == (tmp_path / "here" / name).read_bytes()
    absent = command(*words, "-o", "s3://absent/bright/", "--on", cluster.address, cwd=tmp_path, code=6)
    assert "s3://absent/bright: cannot be written: no such photo, folder or bucket" in absent.stderr
    assert len(absent.stderr.splitlines()) == 1
    bucket.meta.client.close()


def test_rays_client(cluster, tmp_path):
    if not cluster.client_port:
        pytest.skip("needs grpcio")
    write_photos(tmp_path / "in", 4, exposure=0.2)
    done = command(
        "in", "-o", "out/", "--model", "gamma", "--on", f"ray://127.0.0.1:{cluster.client_port}", cwd=tmp_path
    )
    assert done.stderr.startswith("Brightened 4 photos in")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_workers_work(cluster, tmp_path, tiny_model, number, code):
    write_photos(tmp_path / "in", 400, exposure=0.2)
    words = [*ENLIGHTEN, "in", "-o", "out/", "--model", str(tiny_model), "--on", cluster.address]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: (tmp_path / "out").exists() and list((tmp_path / "out").glob("*.png")))
        assert workers(cluster)
        process.send_signal(number)
        _, said = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == code, said
    assert said.startswith("Stopped: ")
    assert said.endswith("Run the same command to continue.\n")
    assert len(said.splitlines()) == 1
    assert left_in(tmp_path / "out") == []
    assert 0 < len(list((tmp_path / "out").iterdir())) < 400
    wait_for(lambda: not workers(cluster))


@pytest.mark.posix
def test_a_cluster_of_its_own_ends_with_the_run(cluster, tmp_path):
    write_photos(tmp_path / "in", 3, exposure=0.2)
    (tmp_path / "home").mkdir()
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    # Short, because Ray's sockets have long paths below it.
    own |= {"HOME": str(tmp_path / "home"), "TMPDIR": tempfile.mkdtemp(prefix="own-", dir="/tmp")}
    try:
        words = [*ENLIGHTEN, "in", "-o", "out/", "--model", "gamma", "--on", "ray"]
        done = subprocess.run(words, capture_output=True, text=True, env=own, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert done.stderr.startswith("Brightened 3 photos in ")
        assert len(done.stderr.splitlines()) == 1, "Ray says nothing"
        assert [name for name in os.listdir(own["TMPDIR"]) if "enlighten" in name or "ray" in name] == []
        assert not (tmp_path / "home" / ".ray").exists(), "no token is left"
        wait_for(lambda: not [each for each in psutil.process_iter(["cmdline"]) if own["TMPDIR"] in str(each.info)])
    finally:
        shutil.rmtree(own["TMPDIR"])


@pytest.mark.posix
def test_a_node_removed_in_the_middle(cluster, ray, tmp_path):
    """The last test: the cluster has one node after it."""

    def slow(name, workers):
        return lambda job, enhanced: time.sleep(0.05)

    jobs, outcomes = many(tmp_path, 80), []
    executor, options = started(ray, make_examine=slow)
    for outcome in run_jobs(jobs, executor, options):
        outcomes.append(outcome)
        if len(outcomes) == 5:
            cluster.remove_node(cluster.worker, allow_graceful=False)
    assert [outcome.source for outcome in outcomes] == [job.source for job in jobs]
    assert {(outcome.status, outcome.reason) for outcome in outcomes} == {(Status.DONE, "")}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(job.output.name for job in jobs)
