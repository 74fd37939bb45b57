import numpy as np
import onnx
import pytest

from enlighten_cli.errors import ModelError, TrainingError
from enlighten_cli.model import Model
from enlighten_cli.models import sha256_of
from enlighten_cli.training import export
from enlighten_cli.training.checkpoint import read_weights


def test_runtime_agrees_with_torch(tiny_weights, tiny_model):
    difference = export.parity(read_weights(tiny_weights).generator, Model(tiny_model))
    assert 0 <= difference <= export.PARITY


def test_one_file_that_explains_itself(tiny_weights, tiny_model):
    model = onnx.load(tiny_model, load_external_data=False)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata == {
        "name": "tiny", "version": metadata["version"], "licence": "none", "width": "2", "reach": "137",
        "align_corners": "false", "weights_sha256": sha256_of(tiny_weights),
    }  # fmt: skip
    kernels = [tensor for tensor in model.graph.initializer if len(tensor.dims) == 4]
    assert len(kernels) == 23
    assert {tensor.data_type for tensor in kernels} == {onnx.TensorProto.FLOAT16}
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    assert sorted(path.name for path in tiny_model.parent.iterdir()) == ["tiny.onnx", "tiny.safetensors"]


def test_the_file_says_that_sizes_are_multiples_of_16(tiny_model):
    shape = onnx.load(tiny_model).graph.input[0].type.tensor_type.shape
    assert [dim.dim_param for dim in shape.dim][2:] == ["16*h16", "16*w16"]
    model = Model(tiny_model)
    for height, width in ((16, 16), (32, 16), (16, 80)):
        assert model(np.zeros((height, width, 3), np.float32)).shape == (height, width, 3)
    with pytest.raises(ModelError):
        model(np.zeros((24, 16, 3), np.float32))


def test_nothing_is_written_where_the_two_differ(tiny_weights, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "parity", lambda generator, model: 1 / 255)
    monkeypatch.setattr(export, "_traced", lambda generator: onnx.load(tiny_weights.with_suffix(".onnx")))
    with pytest.raises(TrainingError, match=r"differ by 1\.00/255"):
        export.export_onnx(tiny_weights, tmp_path / "bad.onnx", name="bad", licence="none")
    assert list(tmp_path.iterdir()) == []
