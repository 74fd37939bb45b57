"""Photos are decoded for a trial in a process that can be killed."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from clients import leftovers, picture, serving
from conftest import scene

from enlighten_cli.batch.memory import MemoryBudget
from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Limits
from enlighten_cli.serve.trials import DECODER, Trials
from enlighten_cli.serve.work import Deadline, Stop, StoppedError

# As `trial_decoder` does; but photos with ENDLESS in them take for ever, and with CRASH they kill it.
ODD = textwrap.dedent(
    """
    import os, pickle, sys, time
    from pathlib import Path
    while True:
        try:
            path, _ = pickle.load(sys.stdin.buffer)
        except EOFError:
            break
        content = Path(path).read_bytes()
        if b"CRASH" in content:
            os.abort()
        print(len(content), flush=True)
        sys.stdin.buffer.readline()
        if b"ENDLESS" in content:
            time.sleep(600)
        print("done", flush=True)
    """
)
COMMAND = (sys.executable, "-c", ODD)


@pytest.fixture
def trials():
    trials = Trials(MemoryBudget(1_000_000))
    yield trials
    trials.close()


@pytest.fixture
def odd_trials():
    trials = Trials(MemoryBudget(1_000_000), COMMAND)
    yield trials
    trials.close()


def processes(trials):
    return [decoder._process for decoder in (*trials._idle, *trials._busy)]


def test_good_and_damaged_photos_pass_in_one_process(trials, tmp_path):
    good, damaged, text = tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.png"
    good.write_bytes(picture(scene(20, 30)))
    damaged.write_bytes(good.read_bytes()[:90])
    text.write_text("no photo")
    (tmp_path / "d.png").touch()
    trials.start()
    (process,) = processes(trials)
    for path in sorted(tmp_path.iterdir()):
        trials.decode(path, Limits(), Stop())
    assert processes(trials) == [process]
    assert process.poll() is None
    assert len(trials._passed) == 4
    with pytest.raises(PhotoError, match="No such file"):
        trials.decode(tmp_path / "none.png", Limits(), Stop())


@pytest.mark.posix
def test_a_name_that_is_not_utf_8(trials, tmp_path):
    path = tmp_path / os.fsdecode(b"latin\xe9.png")
    path.write_bytes(picture(scene(20, 30)))
    trials.decode(path, Limits(), Stop())
    assert len(trials._passed) == 1


def test_a_photo_that_has_passed_is_not_tried_again_unless_it_changes(odd_trials, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x")
    odd_trials.decode(path, Limits(), Stop())
    odd_trials._command = ("false",)
    odd_trials._idle.pop().clear_up()
    odd_trials.decode(path, Limits(), Stop())
    path.write_bytes(b"other")
    with pytest.raises((PhotoError, OSError)):
        odd_trials.decode(path, Limits(), Stop())


def test_an_endless_photo_is_ended_at_its_deadline(odd_trials, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"ENDLESS")
    odd_trials.start()
    (process,) = processes(odd_trials)
    with pytest.raises(StoppedError):
        odd_trials.decode(path, Limits(), Stop(Deadline(0.3)))
    assert process.poll() is not None  # really ended
    assert processes(odd_trials) == []
    path.write_bytes(b"fine")
    odd_trials.decode(path, Limits(), Stop())


def test_a_photo_that_kills_the_decoder_is_damaged(odd_trials, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"CRASH")
    with pytest.raises(PhotoError, match="crashed"):
        odd_trials.decode(path, Limits(), Stop())


def test_the_memory_of_a_trial_is_reserved(odd_trials, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 900_000)
    with odd_trials._budget.reserved(500_000):
        trying = threading.Thread(target=odd_trials.decode, args=(path, Limits(), Stop()))
        trying.start()
        trying.join(0.5)
        assert trying.is_alive()
    trying.join(30)
    assert not trying.is_alive()


def test_closing_ends_all_processes(odd_trials, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"ENDLESS")
    ended = []

    def endless():
        try:
            odd_trials.decode(path, Limits(), Stop())
        except (PhotoError, StoppedError):
            ended.append(True)

    trying = threading.Thread(target=endless)
    trying.start()
    while not odd_trials._busy:
        time.sleep(0.01)
    (process,) = processes(odd_trials)
    odd_trials.close()
    trying.join(30)
    assert ended == [True]
    assert process.poll() is not None
    with pytest.raises(StoppedError):
        odd_trials.decode(path, Limits(), Stop())


def test_the_decoder_imports_nothing_from_the_working_folder(tmp_path):
    (tmp_path / "numpy.py").write_text("raise SystemExit('hijacked')")
    made = subprocess.run(DECODER, input=b"", cwd=tmp_path, capture_output=True, check=True)
    assert made.stderr == b""


@pytest.fixture
def odd(tmp_path, model_file):
    """A server for which some photos are endless."""
    with serving(tmp_path / "s", model=str(model_file), at_once=2, waiting=0, seconds=6) as client:
        client.shared.trials.close()
        client.shared.trials._is_closed = False
        client.shared.trials._command = COMMAND
        yield client


def test_endless_photos_free_their_places_at_the_deadline(odd, photo):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(odd.enhance(b"ENDLESS"))) for _ in range(2)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 60  # not 600
    assert [(answer.status, answer.code) for answer in answers] == [(503, "took_too_long")] * 2
    assert odd.shared.photos.inside == 0
    assert odd.enhance(photo).status == 200
    assert leftovers(odd) == []


def test_endless_photos_of_the_page(odd, photo):
    visit = odd.visit()
    endless, good = (visit.upload(name, content)["id"] for name, content in (("e", b"ENDLESS"), ("g.png", photo)))
    assert visit.view(endless).status == 503
    outcomes = visit.outcomes([endless, good], "file")
    assert {event["photo"]: event["status"] for event in outcomes} == {endless: "failed", good: "done"}
    assert "took longer" in next(event["reason"] for event in outcomes if event["photo"] == endless)


def test_a_client_that_leaves_ends_the_trial(odd):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", odd.port)
    connection.request("POST", "/v1/enhance", b"ENDLESS")
    while not odd.shared.trials._busy:
        time.sleep(0.01)
    (process,) = processes(odd.shared.trials)
    connection.close()
    process.wait(10)
    while odd.shared.photos.inside:
        time.sleep(0.01)


STUCK = """
import sys, time
from enlighten_cli.cli import main
from enlighten_cli.serve.networks import SharedNetwork
def stuck(self, rgb):
    print("stuck", flush=True)
    time.sleep(600)
SharedNetwork.__call__ = stuck
main(["serve", "--no-open", "--token", "long-enough"])
"""


@pytest.mark.posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_whose_work_does_not_stop_ends_within_seconds(photo, tmp_path, number):
    import urllib.request

    process = subprocess.Popen(
        [sys.executable, "-c", STUCK],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    try:
        address = process.stderr.readline().split()[1].partition("?")[0]
        request = urllib.request.Request(
            address + "v1/enhance", photo,
            {"Authorization": "Bearer long-enough", "Content-Type": "image/png"},
        )  # fmt: skip

        def ask():
            try:
                urllib.request.urlopen(request, timeout=30)
            except OSError:
                return

        asking = threading.Thread(target=ask)
        asking.start()
        assert process.stdout.readline() == "stuck\n"
        process.send_signal(number)
        assert process.wait(9) == 128 + number
        asking.join()
        assert "stopped while a photo" in process.stderr.read()
        assert [path for path in tmp_path.iterdir() if path.name.startswith("enlighten-serve-")] == []
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
