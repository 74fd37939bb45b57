"""A server for the tests of a module, and photos."""

import shutil

import pytest
from clients import picture, serving
from conftest import scene

from enlighten_cli.models.folders import weights_folder


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    """The default model under another name: judges light from 12,544 pixels, so that larger photos are fast."""
    path = tmp_path_factory.mktemp("model") / "mine.onnx"
    shutil.copy(weights_folder() / "lite.onnx", path)
    return path


@pytest.fixture(scope="module")
def client(tmp_path_factory, model_file):
    with serving(tmp_path_factory.mktemp("serve"), model=str(model_file)) as client:
        yield client


@pytest.fixture(scope="session")
def photo():
    return picture(scene(48, 64))
