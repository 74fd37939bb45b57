from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from enlighten_cli.errors import ModelError, TrainingError
from enlighten_cli.models.download import sha256_of
from enlighten_cli.models.session import Model
from enlighten_cli.training import export
from enlighten_cli.training.checkpoint import read_weights, write_weights
from enlighten_cli.training.networks.generator import EnlightenNet

WEIGHTS = Path(__file__).parents[2] / "weights"


def test_runtime_agrees_with_torch(tiny_weights, tiny_model):
    difference = export.parity(read_weights(tiny_weights).generator, Model(tiny_model))
    assert 0 <= difference <= export.PARITY


def test_one_file_that_explains_itself(tiny_weights, tiny_model):
    model = onnx.load(tiny_model, load_external_data=False)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata == {
        "name": "tiny", "version": metadata["version"], "licence": "none", "width": "2", "reach": "137",
        "align_corners": "false", "attention": "true", "training_pixels": "0",
        "weights_sha256": sha256_of(tiny_weights),
    }  # fmt: skip
    kernels = [tensor for tensor in model.graph.initializer if len(tensor.dims) == 4]
    assert len(kernels) == 23
    assert {tensor.data_type for tensor in kernels} == {onnx.TensorProto.FLOAT16}
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    assert sorted(path.name for path in tiny_model.parent.iterdir()) == ["tiny.onnx", "tiny.safetensors"]


@pytest.mark.parametrize("name", ["tiny", "lite", "lite-fp16", "denoise"])
def test_no_folder_of_the_machine_is_in_the_file(tiny_model, name):
    """PyTorch notes for every node the source file, with its path, that it came from."""
    content = tiny_model.read_bytes() if name == "tiny" else (WEIGHTS / f"{name}.onnx").read_bytes()
    assert b".py" not in content
    assert str(WEIGHTS.parent).encode() not in content


def test_the_file_says_that_sizes_are_multiples_of_16(tiny_model):
    shape = onnx.load(tiny_model).graph.input[0].type.tensor_type.shape
    assert [dim.dim_param for dim in shape.dim][2:] == ["16*rows", "16*columns"]
    model = Model(tiny_model)
    for height, width in ((16, 16), (32, 16), (16, 80)):
        assert model(np.zeros((height, width, 3), np.float32)).shape == (height, width, 3)
    with pytest.raises(ModelError):
        model(np.zeros((24, 16, 3), np.float32))


def test_fp16_inside_and_fp32_at_the_ends(tmp_path):
    generator = EnlightenNet(width=2)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.normal_(0.05, 0.1, generator=random)
    write_weights(tmp_path / "tiny.safetensors", generator, {}, {})
    path = tmp_path / "tiny-fp16.onnx"
    difference = export.export_onnx(tmp_path / "tiny.safetensors", path, name="tiny", licence="none", half=True)
    assert 0 < difference <= export.HALF_PARITY
    graph = onnx.load(path).graph
    assert {end.type.tensor_type.elem_type for end in (*graph.input, *graph.output)} == {onnx.TensorProto.FLOAT}
    kernels = [tensor for tensor in graph.initializer if len(tensor.dims) == 4 and tensor.dims[-1] == 3]
    assert sorted(tensor.data_type for tensor in kernels) == [onnx.TensorProto.FLOAT] + [onnx.TensorProto.FLOAT16] * 21
    assert sum(node.op_type == "BatchNormalization" for node in graph.node) == 1


def test_fp16_that_strays_is_not_written(tiny_weights, tmp_path):
    with pytest.raises(TrainingError, match=r"differ by .*/255, more than 2\.0/255"):
        export.export_onnx(tiny_weights, tmp_path / "tiny-fp16.onnx", name="tiny", licence="none", half=True)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_where_the_two_differ(tiny_weights, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "parity", lambda generator, model: 1 / 255)
    monkeypatch.setattr(export, "_traced", lambda generator: onnx.load(tiny_weights.with_suffix(".onnx")))
    with pytest.raises(TrainingError, match=r"differ by 1\.00/255"):
        export.export_onnx(tiny_weights, tmp_path / "bad.onnx", name="bad", licence="none")
    assert list(tmp_path.iterdir()) == []
