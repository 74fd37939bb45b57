"""The equations of a grid of pixels as a matrix, written down a second time; and its symmetries."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from enlighten_cli.methods.weighted_least_squares import TOLERANCE

TURNS = {
    "left to right": lambda values: values[:, ::-1],
    "top to bottom": lambda values: values[::-1],
    "transposed": lambda values: values.swapaxes(0, 1),
}


def differences(height, width):
    """Matrices that take the differences of vertical and of horizontal neighbours."""

    def along(length):
        return sparse.diags([-np.ones(length), np.ones(length - 1)], [0, 1], (length - 1, length))

    return sparse.kron(along(height), sparse.eye(width)), sparse.kron(sparse.eye(height), along(width))


def matrix(down, across):
    """The identity and the weighted differences' squares."""
    steps = differences(down.shape[0] + 1, across.shape[1] + 1)
    total = sparse.eye(steps[0].shape[1])
    for step, weights in zip(steps, (down, across), strict=True):
        total = total + step.T @ sparse.diags(weights.ravel().astype(np.float64)) @ step
    return total


def assert_solves(found, seen, down, across):
    """But for the rounding of the values, the residual is as small as was asked for; so is what is wrong with them."""
    equations = matrix(down, across)
    residual = equations @ found.ravel().astype(np.float64) - seen.ravel()
    rounding = np.finfo(np.float32).eps * sparse.linalg.norm(equations, np.inf) * np.linalg.norm(found)
    assert np.linalg.norm(residual) <= 1.1 * TOLERANCE * np.linalg.norm(seen) + rounding
    exact = spsolve(equations.tocsc(), seen.ravel().astype(np.float64)).reshape(seen.shape)
    assert np.linalg.norm(found - exact) <= 1.1 * TOLERANCE * np.linalg.norm(seen)
