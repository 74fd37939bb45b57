import builtins

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.errors import MissingDependencyError, ModelError, OutOfMemoryError
from enlighten_cli.models.session import Model
from enlighten_cli.photo import Photo


def identity(path, channels=3, kind=TensorProto.FLOAT):
    shape = ["n", channels, "h", "w"]
    ends = [helper.make_tensor_value_info(name, kind, shape) for name in ("a", "b")]
    graph = helper.make_graph([helper.make_node("Identity", ["a"], ["b"])], "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path


def test_rgb_to_rgb(tmp_path):
    rgb = np.random.default_rng(0).random((16, 32, 3)).astype(np.float32)
    model = Model(identity(tmp_path / "same.onnx"))
    np.testing.assert_array_equal(model(rgb), rgb)
    assert model.name == "same"
    assert model.tiles_exactly


def test_metadata_tells_the_name(tiny_model):
    model = Model(tiny_model)
    assert model.name == "tiny"
    assert model.metadata["width"] == "2"


def test_memory_is_what_the_file_says_or_an_estimate_from_the_width(tmp_path):
    path = identity(tmp_path / "same.onnx")
    assert Model(path, metadata={"width": "10"}).bytes_per_pixel == 380
    assert Model(path, metadata={"width": "867", "bytes_per_pixel": "500"}).bytes_per_pixel == 500
    with pytest.raises(ModelError, match="bytes_per_pixel is not a number"):
        Model(path, metadata={"bytes_per_pixel": "-1"})


@pytest.mark.parametrize("options", [{"channels": 1}, {"kind": TensorProto.DOUBLE}])
def test_other_signatures_are_refused(tmp_path, options):
    with pytest.raises(ModelError, match="not a model from RGB to RGB"):
        Model(identity(tmp_path / "other.onnx", **options))


@pytest.mark.parametrize("content", [b"", b"not a model"])
def test_what_is_no_model_is_refused(tmp_path, content):
    (tmp_path / "bad.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.onnx"):
        Model(tmp_path / "bad.onnx")


def test_external_data_is_not_read(tmp_path, tiny_model):
    path = tmp_path / "outside.onnx"
    onnx.save(onnx.load(tiny_model), path, save_as_external_data=True, location="secret.bin", size_threshold=0)
    with pytest.raises(ModelError, match=r"outside\.onnx"):
        Model(path)


def test_without_a_runtime_the_message_has_the_command(tiny_model, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match="pip install onnxruntime"):
        Model(tiny_model)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("[ONNXRuntimeError] : 6 : Failed to allocate memory for requested buffer"), OutOfMemoryError),
        (RuntimeError("std::bad_alloc"), OutOfMemoryError),
        (MemoryError(), OutOfMemoryError),
        (RuntimeError("running the node '" + "x" * 300 + "': Failed to allocate memory"), OutOfMemoryError),
        (RuntimeError("running a node failed:\nbad allocation"), OutOfMemoryError),
        (RuntimeError("CUDA error cudaErrorMemoryAllocation: out of memory"), OutOfMemoryError),
        (RuntimeError("something else"), ModelError),
    ],
)
def test_running_out_of_memory_is_told_from_other_failures(tiny_model, monkeypatch, error, kind):
    model = Model(tiny_model)

    class Failing:
        def run(self, *arguments):
            raise error

    monkeypatch.setattr(model, "_session", Failing())
    with pytest.raises(kind) as caught:
        model(np.zeros((16, 16, 3), np.float32))
    assert type(caught.value) is kind


def test_a_model_for_which_memory_is_too_small_is_not_called_bad(tiny_model, monkeypatch):
    def full(*arguments, **options):
        raise RuntimeError("std::bad_alloc")

    monkeypatch.setattr("onnxruntime.InferenceSession", full)
    with pytest.raises(OutOfMemoryError, match="too little memory to load the model"):
        Model(tiny_model)


def with_metadata(path, **words):
    model = onnx.load(identity(path))
    helper.set_model_props(model, words)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    "words",
    [
        {"look_pixels": "9" * 5000},
        {"look_pixels": "-1"},
        {"look_pixels": "many"},
        {"width": "0"},
        {"width": "\u0663"},
        {"width": "1e3"},
        {"reach": "9999999"},
        {"name": "x" * 1000},
    ],
)
def test_metadata_that_make_no_sense_are_refused(tmp_path, words):
    with pytest.raises(ModelError, match=rf"odd\.onnx: its {next(iter(words))} "):
        Model(with_metadata(tmp_path / "odd.onnx", **words))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_network_that_makes_no_numbers_is_refused(tmp_path, value):
    """Where only some pixels are affected, too: they would be written as black or white."""
    rgb = np.full((16, 32, 3), 0.1, np.float32)
    model = Model(identity(tmp_path / "same.onnx"))
    assert np.isfinite(model(rgb)).all()
    rgb[3, 4, 1] = value
    with pytest.raises(ModelError, match="same returned NaN or infinity for 32 x 16 pixels"):
        model(rgb)


@pytest.mark.parametrize("word", ["AAAA", "BBBB", "CCCC"])
def test_words_that_are_no_text_are_refused(tmp_path, word):
    """In a key, in a value, in the name of the input."""
    path = with_metadata(tmp_path / "odd.onnx", AAAA="BBBB")
    model = onnx.load(path)
    model.graph.input[0].name = model.graph.node[0].input[0] = "CCCC"
    path.write_bytes(model.SerializeToString().replace(word.encode(), b"\xb7" * 4))
    with pytest.raises(ModelError, match=r"odd\.onnx"):
        Model(path)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("factor", [1e38, -1e38])
def test_numbers_near_the_largest_are_no_warnings(tmp_path, factor, mode):
    """Warnings of NumPy are errors in tests; users would see them on stderr."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"]) for name in ("a", "b")]
    constant = helper.make_tensor("c", TensorProto.FLOAT, [], [factor])
    graph = helper.make_graph([helper.make_node("Mul", ["a", "c"], ["b"])], "g", ends[:1], ends[1:], [constant])
    path = tmp_path / "huge.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    photo = Photo(np.random.default_rng(0).integers(0, 80, (48, 64, 3)).astype(np.uint8), "PNG")
    made = enhance(photo, Model(path, output_range=(0.0, 0.5)), Options(mode=mode))
    assert made.pixels.shape == photo.pixels.shape
