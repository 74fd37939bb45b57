import hashlib
import json
from pathlib import Path

import pytest

from enlighten_cli.errors import ModelError, UsageError
from enlighten_cli.models import registry
from enlighten_cli.models import store as models
from enlighten_cli.models.download import Download
from enlighten_cli.models.registry import DEFAULT_MODEL, MODELS, ModelRow
from enlighten_cli.models.store import locate

CONTENT = b"weights" * 1000


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    for name in ("CACHE", "DATA"):
        monkeypatch.setenv(f"ENLIGHTEN_{name}", str(tmp_path / name.lower()))


@pytest.fixture
def far(monkeypatch):
    """A row that is fetched."""
    file = Download("far.onnx", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    row = ModelRow("far", (file,), licence="none", origin="a test")
    monkeypatch.setitem(MODELS, "far", row)
    return row


def test_a_damaged_shipped_model_is_refused(tmp_path, monkeypatch):
    (tmp_path / f"{DEFAULT_MODEL}.onnx").write_bytes(b"flipped")
    monkeypatch.setattr(registry, "weights_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match=r"damaged: 7 bytes, SHA-256 \w+, not [\d,]+ bytes, SHA-256 \w+; reinstall"):
        locate(DEFAULT_MODEL)


def test_a_file_is_a_model_and_nonsense_is_not(tmp_path):
    (tmp_path / "mine.onnx").touch()
    assert locate(str(tmp_path / "mine.onnx")) == tmp_path / "mine.onnx"
    with pytest.raises(ModelError, match="neither a file nor a model"):
        locate("nonsense")
    with pytest.raises(ModelError, match=r"absent\.onnx is missing from this installation"):
        models.weights_file("absent.onnx")
    assert isinstance(locate(DEFAULT_MODEL), Path)


def test_a_name_wins_over_a_file_and_a_path_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / DEFAULT_MODEL).touch()
    assert locate(DEFAULT_MODEL) == MODELS[DEFAULT_MODEL].path()
    assert locate(f"./{DEFAULT_MODEL}") == Path(DEFAULT_MODEL)


def test_what_was_not_fetched_says_how(far, tmp_path):
    with pytest.raises(ModelError, match="far is not downloaded yet; run: enlighten models fetch far"):
        locate("far")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "far.onnx").write_bytes(CONTENT)
    assert locate("far") == tmp_path / "cache" / "far.onnx"
    (tmp_path / "cache" / "far.onnx").write_bytes(b"!" + CONTENT[1:])
    with pytest.raises(ModelError, match=r"damaged.*; run: enlighten models fetch far"):
        locate("far")


def test_what_is_kept_is_found_checked_and_removed(tmp_path):
    path = models.keep("mine", {"mine.onnx": CONTENT, "mine.safetensors": b"more"}, {"licence": "mine"})
    assert models.imported_names() == ["mine"]
    assert locate("mine") == path == tmp_path / "data" / "models" / "mine.onnx"
    assert models.read_record("mine")["provenance"] == {"licence": "mine"}
    path.write_bytes(b"!" + CONTENT[1:])
    with pytest.raises(ModelError, match=r"damaged.*import it again"):
        locate("mine")
    path.unlink()
    assert "is missing" in models.damage_of("mine")
    assert len(models.remove("mine")) == 2
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["", "Mine", "../mine", "a/b", "-x", ".x", DEFAULT_MODEL, "x" * 70, "a b"])
def test_names_that_are_none_or_taken(name):
    with pytest.raises(UsageError):
        models.check_new_name(name)


def test_an_imported_name_is_replaced_only_when_asked():
    models.keep("mine", {"mine.onnx": CONTENT}, {})
    with pytest.raises(UsageError, match="--replace"):
        models.check_new_name("mine")
    models.check_new_name("mine", replace=True)


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"sha256": {"../../etc/passwd": "0"}}', '{"sha256": 3}'])
def test_a_record_that_is_none_is_refused(tmp_path, record):
    folder = tmp_path / "data" / "models"
    folder.mkdir(parents=True)
    (folder / "mine.json").write_text(record)
    with pytest.raises(ModelError, match="not a readable record"):
        models.remove("mine")
    assert (folder / "mine.json").exists()


def test_what_cannot_be_removed(far):
    with pytest.raises(UsageError, match="part of the package"):
        models.remove(DEFAULT_MODEL)
    with pytest.raises(UsageError, match="no such model"):
        models.remove("nonsense")
    with pytest.raises(ModelError, match="far is not downloaded: nothing to remove"):
        models.remove("far")


RECORD = {"provenance": {"source": "here", "licence": "free"}, "sha256": {"mine.onnx": "0" * 64}}


@pytest.mark.parametrize(
    "record",
    [
        RECORD | {"provenance": {"source": ["a", "list"]}},
        RECORD | {"provenance": "words"},
        {"sha256": RECORD["sha256"]},
        RECORD | {"sha256": {"mine.onnx": ["0"]}},
        RECORD | {"sha256": {"mine.onnx": "no digest"}},
        RECORD | {"sha256": {"": "0" * 64}},
        RECORD | {"sha256": {"..": "0" * 64}},
        RECORD | {"sha256": {"a/b": "0" * 64}},
        RECORD | {"sha256": {}},
        "[" * 100_000,
        '{"provenance": {"a": ' + "9" * 5000 + '}, "sha256": {}}',
        "\udcff",
        " " * (1 << 21),
    ],
)
def test_records_of_other_shapes_are_refused_and_the_others_listed(tmp_path, record):
    folder = tmp_path / "data" / "models"
    folder.mkdir(parents=True)
    text = record if isinstance(record, str) else json.dumps(record)
    (folder / "mine.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    (folder / "evil\x1b[2J.json").write_text("{}")
    with pytest.raises(ModelError, match=r"mine\.json: not a readable record"):
        models.read_record("mine")
    assert models.imported_names() == ["mine"]


@pytest.mark.parametrize("width", ["9" * 5000, "0", "many"])
def test_a_record_with_an_impossible_number_is_refused(tmp_path, width):
    folder = tmp_path / "data" / "models"
    folder.mkdir(parents=True)
    record = RECORD | {"provenance": {"source": "here", "width": width}}
    (folder / "mine.json").write_text(json.dumps(record))
    with pytest.raises(ModelError, match=r"mine\.json: its width is not a number"):
        models.read_record("mine")


def test_a_record_is_what_was_kept(tmp_path):
    models.keep("mine", {"mine.onnx": CONTENT}, {"source": "here"})
    assert models.read_record("mine") == {
        "provenance": {"source": "here"},
        "sha256": {"mine.onnx": hashlib.sha256(CONTENT).hexdigest()},
    }
