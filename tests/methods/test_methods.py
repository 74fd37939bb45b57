import sys

import numpy as np
import pytest
from conftest import scene

from enlighten_cli.errors import MissingDependencyError
from enlighten_cli.methods import METHODS
from enlighten_cli.methods.gamma import gamma

RGB = scene(60, 80).astype(np.float32) / 255


@pytest.mark.parametrize("name", METHODS)
def test_a_method_keeps_shape_type_and_range(name):
    before = RGB.copy()
    made = METHODS[name].enhance(RGB)
    assert made.shape == RGB.shape
    assert made.dtype == np.float32
    assert 0 <= made.min() <= made.max() <= 1 + 1e-6
    np.testing.assert_array_equal(RGB, before)


def test_gamma_is_a_power():
    np.testing.assert_allclose(gamma(RGB, 0.45), RGB**0.45, rtol=1e-5)
    np.testing.assert_array_equal(gamma(RGB, 1.0), RGB)


def test_equalizing_spreads_the_values_evenly():
    levels, _ = np.histogram(METHODS["equalize"].enhance(RGB).max(axis=2), bins=4, range=(0, 1))
    assert levels.min() > 0.8 * levels.max()


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [("clahe", "skimage", "scikit-image"), ("equalize", "skimage", "scikit-image"), ("lime", "scipy.ndimage", "scipy")],
)
def test_without_its_package_a_method_names_the_extra_that_brings_it(name, module, package, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    with pytest.raises(MissingDependencyError) as error:
        METHODS[name].enhance(RGB)
    remedy = f"run: pip install {package}   (or, in a checkout: pip install '.[methods]')"
    assert str(error.value).endswith(remedy)
