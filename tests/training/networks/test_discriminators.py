import pytest
import torch

from enlighten_cli.training.networks.discriminators import GLOBAL_LAYERS, LOCAL_LAYERS, PatchDiscriminator


@pytest.mark.parametrize(("layers", "px", "scores"), [(GLOBAL_LAYERS, 320, 13), (LOCAL_LAYERS, 32, 5)])
def test_map_sizes(layers, px, scores):
    assert PatchDiscriminator(layers, width=2)(torch.rand(1, 3, px, px)).shape == (1, 1, scores, scores)


def test_widths_double_up_to_eight_times():
    widths = [layer.out_channels for layer in PatchDiscriminator(GLOBAL_LAYERS).layers if hasattr(layer, "stride")]
    assert widths == [64, 128, 256, 512, 512, 512, 1]


def test_stride_is_two_except_in_the_last_two():
    strides = [layer.stride[0] for layer in PatchDiscriminator(LOCAL_LAYERS).layers if hasattr(layer, "stride")]
    assert strides == [2, 2, 2, 2, 1, 1]
