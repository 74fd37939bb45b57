"""SSIM: how similar a photo's structure is to its reference's."""

from __future__ import annotations

from enlighten_cli.errors import MissingDependencyError, PhotoError, how_to_install
from enlighten_cli.metrics.psnr import refuse_other_size
from enlighten_cli.photo import Pixels


def ssim(pixels: Pixels, reference: Pixels) -> float:
    """Measure the mean structural similarity of RGB, in [-1, 1]; 1 for identical photos.

    Parameters
    ----------
    pixels, reference : ndarray, shape (H, W, 3), uint8
        H and W at least 7 pixels.

    Raises
    ------
    PhotoError
        If the two differ in size or are too small.
    MissingDependencyError
        If scikit-image is not installed.

    Notes
    -----
    Wang et al., "Image quality assessment: from error visibility to structural similarity",
    IEEE TIP 2004, doi:10.1109/TIP.2003.819861, as implemented in scikit-image with its defaults
    (uniform 7 x 7 window).
    """
    refuse_other_size(pixels, reference)
    try:
        from skimage.metrics import structural_similarity
    except ImportError as error:
        raise MissingDependencyError(
            f"SSIM needs scikit-image; {how_to_install('evaluate', 'scikit-image')}"
        ) from error
    if min(pixels.shape[:2]) < 7:
        raise PhotoError("SSIM needs 7 pixels a side")
    return float(structural_similarity(pixels, reference, channel_axis=2))
