"""The interface of a network that is exported as a model: RGB in, brightened RGB out."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

BYTES_PER_PIXEL_AND_CHANNEL = 38  # of a run, for a network whose widest layers have the photo's size


class RgbNetwork(nn.Module):
    """Map RGB in [0, 1] to brightened RGB of the same size.

    All of a network's function is inside it: tiles give exactly the pixels of the whole photo if no layer is global
    and strides divide 16.

    Parameters
    ----------
    width : int
        Channels of the widest layers.

    Attributes
    ----------
    reach_px : int
        Largest distance, along an axis, at which an input pixel influences an output pixel.
    paper_width : int
        The width in the paper.
    """

    reach_px: ClassVar[int]
    paper_width: ClassVar[int]

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    @property
    def bytes_per_pixel(self) -> int:
        """Approximate memory of a run for each pixel of its input."""
        return BYTES_PER_PIXEL_AND_CHANNEL * self.width

    @abstractmethod
    def forward(self, rgb: Tensor) -> Tensor:
        """Brighten a batch.

        Parameters
        ----------
        rgb : Tensor, shape (N, 3, H, W), range [0, 1]
            H and W are multiples of 16.

        Returns
        -------
        Tensor, shape (N, 3, H, W)
            Not clamped.
        """
