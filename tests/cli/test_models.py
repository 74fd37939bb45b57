"""``enlighten models`` and ``enlighten doctor``, as a user runs them."""

import hashlib
import json
import shutil

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from conftest import scene
from onnx import TensorProto, helper

from enlighten_cli import doctor
from enlighten_cli.cli import main
from enlighten_cli.models import registry
from enlighten_cli.models import store as models
from enlighten_cli.models.download import Download
from enlighten_cli.models.registry import DEFAULT_MODEL, MODELS, ModelRow
from enlighten_cli.models.session import open_model
from enlighten_cli.photo import Photo, encode


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    for name in ("CACHE", "DATA"):
        monkeypatch.setenv(f"ENLIGHTEN_{name}", str(tmp_path / name.lower()))
    for name in ("ENLIGHTEN_WEIGHTS_URL", "ENLIGHTEN_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def enlighten(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def far_model(path):
    """A model like the original's conversion: other names, and an output from -1 to 1."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "H", "W"]) for name in ("input", "output")]
    two, one = (helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in (("two", 2), ("one", 1)))
    nodes = [
        helper.make_node("Sqrt", ["input"], ["root"]),
        helper.make_node("Mul", ["root", "two"], ["twice"]),
        helper.make_node("Sub", ["twice", "one"], ["output"]),
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [two, one])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path.read_bytes()


@pytest.fixture
def far(tmp_path, monkeypatch):
    """A row that is at a mirror on disk, with an adapter."""
    (tmp_path / "mirror").mkdir()
    content = far_model(tmp_path / "mirror" / "far.onnx")
    blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
    file = Download("far.onnx", 10**6, git_blob=blob, exact_size=False)
    row = ModelRow(
        "far", (file,), "free", "a test", verified=False, align_corners=True, output_range=(-1.0, 1.0), width=8
    )
    monkeypatch.setitem(MODELS, "far", row)
    return (tmp_path / "mirror").as_uri()


def test_list_says_what_there_is():
    output = enlighten("models", "list").stdout
    assert f"{DEFAULT_MODEL}  (in the package, the default)" in output
    assert "enlightengan-original  (not downloaded)" in output
    assert "not verified by the project" in output
    entries = json.loads(enlighten("models", "list", "--json").stdout)
    models = [entry for entry in entries if entry["state"] != "method"]
    assert [entry["name"] for entry in models] == list(MODELS)
    methods = {entry["name"]: entry for entry in entries if entry["state"] == "method"}
    assert "10.1109/TIP.2016.2639450" in methods["lime"]["origin"]
    assert "input" not in methods
    assert all(entry["licence"] for entry in entries)
    default = next(entry for entry in entries if entry["default"])
    assert default["size_bytes"] == MODELS[DEFAULT_MODEL].path().stat().st_size
    assert default["scores"] == MODELS[DEFAULT_MODEL].scores
    assert all(type(entry["width"]) is int for entry in models)
    assert {entry["width"] for entry in methods.values()} == {None}
    assert f"{default['size_bytes']:,} bytes" in output


def test_a_model_elsewhere_is_fetched_used_checked_repaired_and_removed(far, tmp_path, monkeypatch):
    assert "enlighten models fetch far" in enlighten("models", "path", "far", code=4).stderr
    assert "not published yet" in enlighten("models", "fetch", "far", code=4).stderr
    monkeypatch.setenv("ENLIGHTEN_WEIGHTS_URL", far)
    enlighten("models", "fetch", "far", "--offline")
    path = tmp_path / "cache" / "far.onnx"
    assert enlighten("models", "path", "far").stdout.strip() == str(path)

    model = open_model("far")
    rgb = np.full((16, 16, 3), 0.25, np.float32)
    np.testing.assert_allclose(model(rgb), 0.5, atol=1e-6)
    assert (model.name, model.tiles_exactly, model.metadata["width"]) == ("far", False, "8")

    path.write_bytes(path.read_bytes()[:-1] + b"!")
    result = enlighten("models", "verify", code=4)
    assert f"far: {path}: damaged" in result.stdout
    enlighten("models", "fetch", "far")
    assert "far: intact" in enlighten("models", "verify").stdout
    assert "far  (downloaded)" in enlighten("models", "list").stdout
    enlighten("models", "remove", "far")
    assert "far: not downloaded" in enlighten("models", "verify").stdout


def test_fetching_what_is_here_or_unknown():
    assert "is part of the package" in enlighten("models", "fetch", DEFAULT_MODEL).stderr
    assert "not a model of this project" in enlighten("models", "fetch", "nonsense", code=2).stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("models", "path", "lit"), 4),
        (("models", "fetch", "lit"), 2),
        (("models", "verify", "lit"), 2),
        (("models", "remove", "lit"), 2),
    ],
)
def test_a_name_that_is_nearly_one_is_suggested(words, code):
    assert "did you mean lite?" in enlighten(*words, code=code).stderr
    assert "did you mean" not in enlighten(*words[:2], "zzz", code=code).stderr


def test_an_onnx_file_is_imported_and_used(tiny_model, tmp_path):
    enlighten("models", "import", tiny_model, "--name", "mine", "--licence", "CC0-1.0")
    (entry,) = (each for each in json.loads(enlighten("models", "list", "--json").stdout) if each["name"] == "mine")
    assert (entry["state"], entry["licence"]) == ("imported", "CC0-1.0")
    assert str(tiny_model) in entry["origin"]
    from enlighten_cli.photo import Photo, encode

    (tmp_path / "a.png").write_bytes(encode(Photo(scene(32, 48), "PNG")))
    enlighten("a.png", "-o", "b.png", "--model", "mine")
    assert (tmp_path / "b.png").is_file()
    assert "--replace" in enlighten("models", "import", tiny_model, "--name", "mine", code=2).stderr
    enlighten("models", "import", tiny_model, "--name", "mine", "--replace")
    enlighten("models", "remove", "mine")
    assert "mine" not in enlighten("models", "list").stdout


def test_a_card_is_asked_for_kept_and_listed(tiny_model):
    said = enlighten("models", "import", tiny_model, "--name", "bare").stderr
    assert "its card lacks --licence, --source, --paper; import it again with --replace" in said
    card = ("--licence", "CC-BY-4.0", "--source", "https://example.org/net", "--paper", "doi:10.1000/1")
    said = enlighten("models", "import", tiny_model, "--name", "mine", *card).stderr
    assert "--paper" not in said
    entries = {each["name"]: each for each in json.loads(enlighten("models", "list", "--json").stdout)}
    assert (entries["mine"]["licence"], entries["mine"]["paper"]) == ("CC-BY-4.0", "doi:10.1000/1")
    assert entries["mine"]["origin"].startswith("https://example.org/net")
    listed = enlighten("models", "list").stdout
    assert "https://example.org/net" in listed
    assert "doi:10.1000/1" in listed
    assert (entries["bare"]["licence"], entries["bare"]["paper"]) == ("unknown", "unknown")


def test_on_a_terminal_what_the_card_lacks_is_asked_for(tiny_model, tiny_weights, monkeypatch):
    monkeypatch.setattr("enlighten_cli.cli.models.on_terminal", lambda: True)

    def imported(file, *words, answers):
        done = CliRunner().invoke(main, ["models", "import", str(file), *words], input=answers)
        assert done.exit_code == 0, done.stderr
        (entry,) = (
            each for each in json.loads(enlighten("models", "list", "--json").stdout) if each["name"] == words[1]
        )
        return done, entry

    done, entry = imported(tiny_model, "--name", "mine", "--paper", "doi:10.1000/1", answers="CC0-1.0\n\n")
    assert done.stdout == ""
    assert "Licence of the weights [unknown]" in done.stderr
    assert "The paper" not in done.stderr
    assert (entry["licence"], entry["paper"]) == ("CC0-1.0", "doi:10.1000/1")
    assert str(tiny_model) in entry["origin"]

    _, entry = imported(tiny_weights, "--name", "converted", answers="MIT\nhere\narXiv:1\n")
    assert (entry["licence"], entry["paper"]) == ("MIT", "arXiv:1")
    assert open_model("converted").metadata["licence"] == "MIT"


def test_a_method_is_used_by_its_name_and_its_name_is_not_given_away(tiny_model, tmp_path):
    (tmp_path / "a.png").write_bytes(encode(Photo(scene(40, 60), "PNG")))
    result = enlighten("a.png", "-o", "b.png", "--model", "gamma", "--json")
    assert json.loads(result.stdout.splitlines()[0])["model"] == "gamma"
    assert (tmp_path / "b.png").is_file()
    assert "is a method" in enlighten("models", "import", tiny_model, "--name", "lime", code=2).stderr
    message = enlighten("a.png", "-o", "c.png", "--model", "nonsense", code=4).stderr
    assert "models are: lite" in message
    assert "methods are: gamma" in message
    assert not (tmp_path / "c.png").exists()


@pytest.mark.parametrize("prefix", ["", "module."])
def test_published_weights_are_imported_with_aligned_corners(tiny_weights, tmp_path, prefix):
    from safetensors.torch import load_file

    tensors = {
        f"{prefix}{name}": tensor.float()
        for name, tensor in load_file(tiny_weights).items()
        if not name.endswith("num_batches_tracked")
    }
    torch.save(tensors, tmp_path / "200_net_G_A.pth", _use_new_zipfile_serialization=False)
    enlighten("models", "import", "200_net_G_A.pth", "--name", "original")
    model = open_model("original")
    assert model.metadata["align_corners"] == "true"
    assert not model.tiles_exactly
    record = models.read_record("original")
    assert record["provenance"]["align_corners"] == "true"
    assert set(record["sha256"]) == {"original.onnx", "original.safetensors"}


def spoil(tensors, how):
    if how == "missing":
        del tensors["bn1_1.weight"]
    elif how == "unexpected":
        tensors["conv11.weight"] = torch.zeros(1)
    elif how == "of another shape":
        tensors["conv10.bias"] = torch.zeros(4)
    return tensors


@pytest.mark.parametrize(
    ("how", "named"),
    [("missing", "bn1_1.weight"), ("unexpected", "conv11.weight"), ("of another shape", "conv10.bias")],
)
def test_weights_that_do_not_fit_are_refused_by_name(tiny_weights, tmp_path, how, named):
    from safetensors.torch import load_file

    torch.save(spoil(load_file(tiny_weights), how), tmp_path / "bad.pth")
    message = enlighten("models", "import", "bad.pth", "--name", "bad", code=4).stderr
    assert f"tensors {how}: {named}" in message
    assert models.imported_names() == []


class Evil:
    def __reduce__(self):
        import os

        return (os.system, ("touch pwned",))


def test_pickled_code_is_not_run(tmp_path):
    """And no advice is passed on to load it in a way that would."""
    torch.save({"conv1_1.weight": Evil()}, tmp_path / "evil.pth")
    said = enlighten("models", "import", "evil.pth", "--name", "evil", code=4).stderr
    assert not (tmp_path / "pwned").exists()
    assert "evil.pth: holds Python objects, which may be programs" in said
    assert "nothing in it was run" in said
    assert "state_dict()" in said
    assert "weights_only" not in said
    assert "PyTorch" not in said
    assert len(said.splitlines()) == 1
    assert models.imported_names() == []


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\3\4 cut off", b"\x80\x02}q\0."])
def test_other_files_called_pth_are_refused_in_words_of_our_own(tmp_path, content):
    (tmp_path / "odd.pth").write_bytes(content)
    said = enlighten("models", "import", "odd.pth", "--name", "odd", code=4).stderr
    assert said.startswith("enlighten: odd.pth: ")
    assert "weights_only" not in said
    assert len(said.splitlines()) == 1


def test_onnx_files_that_are_no_models(tiny_model, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    assert "not a model" in enlighten("models", "import", "bad.onnx", "--name", "bad", code=4).stderr
    onnx.save(onnx.load(tiny_model), "out.onnx", save_as_external_data=True, location="out.bin", size_threshold=0)
    enlighten("models", "import", "out.onnx", "--name", "out", code=4)
    assert models.imported_names() == []


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin"])
def test_a_model_whose_weights_lie_in_other_files_is_refused_and_nothing_is_written(tiny_model, tmp_path, location):
    from conftest import write_photos

    write_photos(tmp_path / "in", 1, exposure=0.2)
    model = onnx.load(tiny_model)
    (tmp_path / "model").mkdir()
    onnx.save(model, tmp_path / "model" / "parts.onnx", save_as_external_data=True, location="weights.bin",
              size_threshold=0)  # fmt: skip
    if location != "weights.bin":
        (tmp_path / "model" / "weights.bin").rename(tmp_path / "weights.bin")
        parts = onnx.load(tmp_path / "model" / "parts.onnx", load_external_data=False)
        for tensor in parts.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = location
        (tmp_path / "model" / "parts.onnx").write_bytes(parts.SerializeToString())
    said = enlighten("in", "-o", "out/", "--model", "model/parts.onnx", code=4).stderr
    assert "model/parts.onnx: not a model" in said
    assert not (tmp_path / "out").exists()


def test_conversion_needs_the_train_extra(tiny_weights, monkeypatch):
    from enlighten_cli.cli import requirements

    monkeypatch.setattr(requirements, "find_spec", lambda name: None)
    message = enlighten("models", "import", tiny_weights, "--name", "mine", code=3).stderr
    assert "pip install torch" in message


def test_doctor_of_this_installation():
    result = enlighten("doctor")
    assert "enhancing works here" in result.stdout
    record = json.loads(enlighten("doctor", "--json").stdout)
    assert record["able"] is True
    assert record["runtime"]["cpu"] == "works"
    assert record["models"][DEFAULT_MODEL] == "intact"
    assert set(record) >= {"versions", "machine", "gpu", "runtime", "folders", "models", "problems", "advice"}
    assert result.stdout.splitlines()[-1] == f"next: {record['next']}"


def test_doctor_takes_models_that_were_never_fetched_for_no_finding(monkeypatch, tmp_path):
    monkeypatch.setenv("ENLIGHTEN_CACHE", str(tmp_path / "empty"))
    output = enlighten("doctor").stdout
    assert not [name for name, row in registry.MODELS.items() if not row.bundled and f" {name} " in output]
    assert "not downloaded" not in output


@pytest.mark.parametrize(
    ("problems", "advice", "said"),
    [
        ([], [], "enlighten PHOTO -o OUT/"),
        ([], ["two; run: pip x   (or y)", "z"], "enlighten PHOTO -o OUT/ works; better still: pip x"),
        (["none is installed; run: pip install onnxruntime"], ["z"], "pip install onnxruntime; then: enlighten doctor"),
        (["cpu: does not work"], [], "cpu: does not work; then: enlighten doctor"),
    ],
)
def test_doctor_says_what_to_do_next(problems, advice, said):
    assert doctor.Diagnosis(problems=problems, advice=advice).next_step == said


def test_doctor_finds_two_runtimes_and_prints_the_repair(monkeypatch):
    both = {"onnxruntime": "1.31.1", "onnxruntime-gpu": "1.31.1"}
    monkeypatch.setattr(doctor, "installed_runtimes", lambda: both)
    output = enlighten("doctor").stdout
    assert (
        "are both installed and overwrite each other's files; run: pip uninstall -y onnxruntime onnxruntime-gpu && pip"
        in output
    )


def test_doctor_without_a_runtime(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    output = enlighten("doctor", code=3).stdout
    assert "problem: no ONNX Runtime is installed; run: pip install onnxruntime" in output
    assert "enhancing does not work here" in output


def test_doctor_with_a_damaged_default(tmp_path, monkeypatch):
    shutil.copytree(models.weights_folder(), tmp_path / "weights")
    file = tmp_path / "weights" / f"{DEFAULT_MODEL}.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    monkeypatch.setattr(registry, "weights_folder", lambda: tmp_path / "weights")
    output = enlighten("doctor", code=3).stdout
    assert f"problem: {DEFAULT_MODEL}: {file}: damaged" in output
    assert output.splitlines()[-1].startswith("next: pip install --force-reinstall --no-deps .")
    assert "enlighten-cli==" not in output  # it is not on PyPI


def broken_weights(path, tiny_weights, **changes):
    from safetensors.torch import load_file, save_file

    save_file({**load_file(tiny_weights), **changes}, path, {"name": "broken", "align_corners": "false"})
    return path


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_make_no_numbers_are_not_imported(tiny_weights, tmp_path, value):
    bias = torch.tensor([value, 0.0, 0.0])
    broken_weights(tmp_path / "broken.safetensors", tiny_weights, **{"conv10.bias": bias})
    error = enlighten("models", "import", "broken.safetensors", "--name", "broken", code=4).stderr
    assert "returned NaN or infinity" in error
    assert models.imported_names() == []


def test_a_model_that_makes_no_numbers_writes_no_photo(tmp_path):
    """A logarithm of black, say: what was white or black noise in the result is an error now."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "H", "W"]) for name in ("a", "b")]
    graph = helper.make_graph([helper.make_node("Log", ["a"], ["b"])], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, tmp_path / "log.onnx")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "black.png").write_bytes(encode(Photo(np.zeros((40, 40, 3), np.uint8), "PNG")))
    for words in (("in", "-o", "out/"), ("in/black.png", "-o", "-")):
        result = enlighten(*words, "--model", "log.onnx", code=4)
        assert "log returned NaN or infinity" in result.stderr
        assert result.stdout == ""
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize("shape", [(200_000, 1, 1, 1), (0, 4, 3, 3), (10**9, 0, 3, 3)])
def test_weights_of_absurd_shapes_are_refused_before_anything_is_made(tmp_path, shape):
    from safetensors.torch import save_file

    save_file({"conv1_1.weight": torch.zeros(shape, dtype=torch.uint8)}, tmp_path / "absurd.safetensors")
    for words in (
        ("models", "import", "absurd.safetensors", "--name", "x"),
        ("export", "absurd.safetensors", "-o", "x.onnx"),
    ):
        assert "absurd.safetensors: not an EnlightenGAN generator" in enlighten(*words, code=4).stderr


def test_a_damaged_record_is_listed_as_such_beside_the_others(tiny_model, tmp_path):
    enlighten("models", "import", tiny_model, "--name", "good", "--licence", "\x1b[31mred")
    (tmp_path / "data" / "models" / "bad.json").write_text('{"provenance": ["a list"]}')
    listed = enlighten("models", "list")
    assert "good  (imported)" in listed.stdout
    assert "bad  (damaged)" in listed.stdout
    assert "\x1b" not in listed.stdout
    states = {entry["name"]: entry["state"] for entry in json.loads(enlighten("models", "list", "--json").stdout)}
    assert (states["good"], states["bad"]) == ("imported", "damaged")
    assert "bad: " in enlighten("models", "verify", code=4).stdout
    enlighten("models", "remove", "bad", code=4)
    (tmp_path / "photo.png").write_bytes(encode(Photo(scene(20, 20), "PNG")))
    assert "import it again" in enlighten("photo.png", "-o", "x.png", "--model", "bad", code=4).stderr
