"""The package's denoiser: an ONNX session that maps a noisy photo, its noise and its gain to a clean photo."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.errors import ModelError
from enlighten_cli.models.registry import DENOISER
from enlighten_cli.models.session import failure_of, open_session
from enlighten_cli.models.store import weights_file
from enlighten_cli.photo import Rgb

MULTIPLE_PX = 4  # height and width of the input are multiples of this
RECEPTIVE_FIELD_PX = 30  # distance, to each side, at which a pixel can influence the result
INPUTS = ("rgb", "noise", "gain")


class Denoiser:
    """The denoiser, ready to run.

    Parameters
    ----------
    path : Path

    Raises
    ------
    MissingDependencyError
        If ONNX Runtime is not installed.
    ModelError
        If the file is missing or not a denoiser.
    """

    def __init__(self, path: Path) -> None:
        # One thread: strips of a photo are denoised side by side.
        self._session = open_session(path, threads=1, inputs=INPUTS)

    def __call__(self, rgb: Rgb, noise: NDArray[np.float32], gain: NDArray[np.float32]) -> Rgb:
        """Denoise RGB.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), float32, range [0, 1]
            H and W multiples of 4.
        noise : ndarray, shape (H, W), float32, range [0, 1]
            Standard deviation of luma's noise.
        gain : ndarray, shape (H, W), float32, 1 or more
            Factor by which the photo will be brightened.

        Raises
        ------
        OutOfMemoryError
            If it needs more memory than is available.
        ModelError
            If it fails for another reason.
        """
        arrays = (rgb.transpose(2, 0, 1), noise[None], gain[None])
        feed = {name: np.ascontiguousarray(array, np.float32)[None] for name, array in zip(INPUTS, arrays, strict=True)}
        try:
            (result,) = self._session.run(None, feed)
        except Exception as error:
            raise failure_of(error, "the denoiser", rgb) from error
        return np.asarray(result[0].transpose(1, 2, 0))


@cache
def package_denoiser() -> Denoiser:
    """Load the package's denoiser; later calls return the same one.

    Raises
    ------
    MissingDependencyError
        If ONNX Runtime is not installed.
    ModelError
        If the file is missing or damaged.
    """
    path = weights_file(DENOISER.name)
    if not DENOISER.matches(path):
        raise ModelError(f"{path}: damaged; reinstall the package")
    return Denoiser(path)
