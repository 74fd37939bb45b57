"""The worked examples of docs/models.md, on small networks."""

import re

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from conftest import REPOSITORY, scene
from onnx import TensorProto, helper

from enlighten_cli.cli import main
from enlighten_cli.models.session import open_model

PYTHON = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs" / "models.md").read_text(), re.DOTALL)
RGB = scene(32, 48).astype(np.float32) / 255


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("ENLIGHTEN_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def imported(path):
    result = CliRunner().invoke(main, ["models", "import", path, "--name", "theirs"])
    assert result.exit_code == 0, result.output
    return open_model("theirs")


class Curves(torch.nn.Module):
    """Like Zero-DCE, it returns what came on the way as well."""

    def forward(self, rgb):
        once = rgb + 0.5 * (rgb - rgb * rgb)
        return once, once + 0.5 * (once - once * once), rgb - 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_a_network_that_returns_more_is_exported_and_imported():
    words = {}
    exec(PYTHON[0], words)
    words["export"](Curves(), 1, "theirs.onnx")
    once = RGB + 0.5 * (RGB - RGB**2)
    np.testing.assert_allclose(imported("theirs.onnx")(RGB), once + 0.5 * (once - once**2), atol=1e-5)


def test_a_file_of_another_range_and_order_is_adapted_and_imported():
    """Theirs doubles blue's distance from black, which is -1; blue comes first."""
    words = {}
    exec(PYTHON[1], words)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "H", "W"]) for name in ("x", "y")]
    parts = {"scale": np.array([2, 1, 1], np.float32), "shift": np.array([1, 0, 0], np.float32)}
    tensors = [onnx.numpy_helper.from_array(value.reshape(1, 3, 1, 1), name) for name, value in parts.items()]
    nodes = [helper.make_node("Mul", ["x", "scale"], ["z"]), helper.make_node("Add", ["z", "shift"], ["y"])]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)
    theirs = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(words["adapted"](theirs), "ours.onnx")
    expected = RGB * np.array([1, 1, 2], np.float32)
    np.testing.assert_allclose(imported("ours.onnx")(RGB), expected, atol=1e-5)
