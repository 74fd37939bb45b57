import hashlib
import re
from pathlib import Path

import pytest
import requests
from conftest import REPOSITORY

from enlighten_cli import models
from enlighten_cli.errors import ModelError
from enlighten_cli.models import DEFAULT_MODEL, MODELS, Download, fetch, locate

CONTENT = b"weights" * 1000
FILE = Download("https://example.invalid/w.bin", "w.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class Answer:
    """What `requests.get` gives back, without a network."""

    def __init__(self, content=CONTENT, url=FILE.url, status=200):
        self.content, self.url, self.status = content, url, status

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def raise_for_status(self):
        if self.status >= 400:
            raise requests.HTTPError(f"{self.status} error")

    def iter_content(self, size):
        for start in range(0, len(self.content), 100):
            yield self.content[start : start + 100]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ENLIGHTEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def answer_with(monkeypatch, answer):
    calls = []

    def get(url, **options):
        calls.append(url)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(requests, "get", get)
    return calls


def test_a_download_is_checked_kept_and_fetched_once(cache, monkeypatch):
    calls = answer_with(monkeypatch, Answer())
    sizes = []
    assert fetch(FILE, sizes.append).read_bytes() == CONTENT
    assert fetch(FILE) == cache / "w.bin"
    assert len(calls) == 1
    assert sizes[-1] == len(CONTENT)
    assert [path.name for path in cache.iterdir()] == ["w.bin"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(content=CONTENT[:-1] + b"!"),
        Answer(content=CONTENT[:-1]),
        Answer(content=CONTENT + b"more"),
        Answer(status=404),
        Answer(url="http://example.invalid/w.bin"),
        requests.ConnectionError("no route"),
    ],
)
def test_anything_else_is_refused_and_leaves_nothing(cache, monkeypatch, answer):
    answer_with(monkeypatch, answer)
    with pytest.raises(ModelError, match=re.escape(f"{FILE.url} (wanted as {cache / 'w.bin'}; ENLIGHTEN_CACHE")):
        fetch(FILE)
    assert list(cache.iterdir()) == []


def test_only_https_is_fetched(cache, monkeypatch):
    calls = answer_with(monkeypatch, Answer())
    with pytest.raises(ModelError, match="not https"):
        fetch(Download("http://example.invalid/w.bin", "w.bin", 1, "0"))
    assert calls == []


@pytest.mark.parametrize("row", MODELS.values(), ids=MODELS)
def test_shipped_models_are_what_the_table_says(row):
    assert models.sha256_of(locate(row.name)) == row.sha256


def test_checksums_cover_every_shipped_file():
    weights = REPOSITORY / "weights"
    listed = dict(line.split("  ")[::-1] for line in (weights / "SHA256SUMS").read_text().splitlines())
    shipped = {path.name for path in weights.iterdir() if path.suffix in (".onnx", ".safetensors")}
    assert set(listed) == shipped
    for name, digest in listed.items():
        assert models.sha256_of(weights / name) == digest


def test_a_damaged_shipped_model_is_refused(tmp_path, monkeypatch):
    (tmp_path / "lite.onnx").write_bytes(b"flipped")
    monkeypatch.setattr(models, "weights_file", lambda name: tmp_path / name)
    with pytest.raises(ModelError, match="damaged"):
        locate(DEFAULT_MODEL)


def test_a_file_is_a_model_and_nonsense_is_not(tmp_path):
    (tmp_path / "mine.onnx").touch()
    assert locate(str(tmp_path / "mine.onnx")) == tmp_path / "mine.onnx"
    with pytest.raises(ModelError, match="models are: "):
        locate("nonsense")
    with pytest.raises(ModelError, match=r"absent\.onnx is missing from this installation"):
        models.weights_file("absent.onnx")
    assert isinstance(locate(DEFAULT_MODEL), Path)
