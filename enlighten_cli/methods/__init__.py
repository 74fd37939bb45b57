"""Registry of the methods that need no model; each is defined in a module of its own.

All methods share this interface; their docstrings add only what differs.

Parameters
----------
rgb : ndarray, shape (H, W, 3), float32, range [0, 1]
    sRGB; it is not modified.

Returns
-------
ndarray, shape (H, W, 3), float32, range [0, 1]

Raises
------
MissingDependencyError
    If a method uses SciPy or scikit-image, which the extra `methods` installs, and it is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from enlighten_cli.methods.clahe import clahe
from enlighten_cli.methods.equalize import equalize
from enlighten_cli.methods.fusion import fusion
from enlighten_cli.methods.gamma import gamma
from enlighten_cli.methods.lime import lime
from enlighten_cli.methods.msrcr import msrcr
from enlighten_cli.methods.npe import npe
from enlighten_cli.methods.srie import srie
from enlighten_cli.methods.ying import ying
from enlighten_cli.photo import Rgb


@dataclass(frozen=True)
class Method:
    """A row of the registry.

    Parameters
    ----------
    name : str
        Value of ``--model`` and ``--method``.
    enhance : callable
        RGB to RGB.
    source : str
        Paper or book that describes it.
    """

    name: str
    enhance: Callable[[Rgb], Rgb]
    source: str


METHODS = {
    method.name: method
    for method in (
        Method("input", lambda rgb: rgb, "the photo as it is"),
        Method("gamma", gamma, "sRGB to the power of 1/2.2"),
        Method("clahe", clahe, "Zuiderveld, Graphics Gems IV, 1994"),
        Method("fusion", fusion, "Mertens, Kautz and Van Reeth, doi:10.1109/PG.2007.17, of simulated exposures"),
        Method("equalize", equalize, "histogram equalization"),
        Method("lime", lime, "Guo, Li and Ling, doi:10.1109/TIP.2016.2639450"),
        Method("npe", npe, "Wang, Zheng, Hu and Li, doi:10.1109/TIP.2013.2261309"),
        Method("srie", srie, "Fu, Zeng, Huang, Zhang and Ding, doi:10.1109/CVPR.2016.304"),
        Method("msrcr", msrcr, "Jobson, Rahman and Woodell, doi:10.1109/83.597272"),
        Method("ying", ying, "Ying, Li and Gao (BIMEF), arXiv:1711.00591, with doi:10.1109/ICCVW.2017.356"),
    )
}
