import pytest
import torch
from conftest import SHARED, scene

from enlighten_cli.errors import ModelError
from enlighten_cli.training.checkpoint import read_tensors
from enlighten_cli.training.networks.vgg import (
    CONVOLUTIONS,
    TORCHVISION_INDEX,
    TORCHVISION_STD,
    VggFeatures,
    self_feature_preserving,
)

REAL_VGG = SHARED / "vgg16" / "vgg16-to-conv5_1-fp16.safetensors"
CAFFE_MEAN_RGB = (123.68, 116.779, 103.939)


def dark_scenes() -> torch.Tensor:
    photos = [scene(64, 64, seed=seed, exposure=0.3) for seed in range(4)]
    return torch.stack([torch.from_numpy(photo).permute(2, 0, 1) for photo in photos]).float() / 255


@pytest.fixture(scope="module")
def features(vgg_file):
    return VggFeatures(read_tensors(vgg_file).tensors)


def test_features_are_at_stride_eight(features):
    assert features(torch.rand(1, 3, 64, 48)).shape == (1, 512, 8, 6)


def test_no_gradient_reaches_the_weights_or_the_input_photo(features):
    low, enhanced = torch.rand(2, 1, 3, 32, 32).unbind()
    low.requires_grad_()
    enhanced.requires_grad_()
    self_feature_preserving(features, low, enhanced).backward()
    assert low.grad is None
    assert enhanced.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in features.parameters())


def test_both_layouts_are_one_function(vgg_file, features):
    caffe = read_tensors(vgg_file).tensors
    renamed = {
        f"features.{index}.{part}": caffe[f"{name}.{part}"].float()
        for name, index in zip(CONVOLUTIONS, TORCHVISION_INDEX, strict=True)
        for part in ("weight", "bias")
    }
    # The same function of RGB in [0, 1]: 255 for BGR there, 1/std for RGB here.
    first = renamed["features.0.weight"][:, [2, 1, 0]]
    renamed["features.0.weight"] = first * 255 * torch.tensor(TORCHVISION_STD).view(1, 3, 1, 1)
    rgb = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(VggFeatures(renamed)(rgb), features(rgb), rtol=1e-4, atol=1e-2)


def test_foreign_weights_are_refused():
    with pytest.raises(ModelError, match=r"no tensor conv1_1\.weight"):
        VggFeatures({"something": torch.zeros(1)})


@pytest.mark.skipif(not REAL_VGG.exists(), reason="needs the shared VGG-16 weights")
def test_doubling_the_exposure_costs_little_and_would_cost_much_with_means():
    features = VggFeatures(read_tensors(REAL_VGG).tensors)
    low = dark_scenes()
    doubled = self_feature_preserving(features, low, low * 2).item()
    mean = torch.tensor(CAFFE_MEAN_RGB).view(1, 3, 1, 1) / 255
    with_means = self_feature_preserving(features, low - mean, low * 2 - mean).item()
    turned = self_feature_preserving(features, low, low.flip(-1)).item()
    assert doubled < 0.05
    assert with_means > 3 * doubled
    assert turned > 10 * doubled
