"""Several runs into one folder, as one starts them by mistake or from a scheduler."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import write_photos

from enlighten_cli.photo import decode


def run(*words):
    words = [sys.executable, "-m", "enlighten_cli", *map(str, words), "-q"]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_runs_of_the_same_photos_do_not_disturb_each_other(tmp_path, tiny_model):
    write_photos(tmp_path / "in", 30, exposure=0.2)
    with ThreadPoolExecutor(3) as pool:
        words = (tmp_path / "in", "-o", f"{tmp_path / 'out'}/", "--model", tiny_model)
        done = list(pool.map(lambda _: run(*words), range(3)))
    assert [(each.returncode, each.stderr) for each in done] == [(0, "")] * 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(f"{n}.png" for n in range(30))
    assert all(decode(path).pixels.shape == (48, 64, 3) for path in (tmp_path / "out").iterdir())


@pytest.mark.parametrize("policy", ["skip", "error", "rename"])
def test_results_of_one_name_never_replace_each_other(tmp_path, tiny_model, policy):
    """Two folders whose photos have the same names, into one output, at the same time."""
    for folder, exposure in (("dark", 0.1), ("bright", 0.3)):
        write_photos(tmp_path / folder, 20, exposure=exposure)
    with ThreadPoolExecutor(2) as pool:
        output = ("-o", f"{tmp_path / 'out'}/", "--model", tiny_model, "--on-conflict", policy, "--json")
        done = list(pool.map(lambda folder: run(tmp_path / folder, *output), ("dark", "bright")))
    statuses = [line.count('"status": "done"') for each in done for line in each.stdout.splitlines()]
    results = list((tmp_path / "out").iterdir())
    assert sum(statuses) == len(results), "every result that was told of is there"
    assert len(results) == (40 if policy == "rename" else 20)
    if policy != "error":
        assert [each.returncode for each in done] == [0, 0]
