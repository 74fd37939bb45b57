"""Edge-preserving smoothing by weighted least squares on the grid of pixels.

LIME, SRIE and BIMEF each need the map t that minimizes |t - observed|^2 + sum of weight x (difference of neighbours)^2.
Its normal equations are solved by conjugate gradients, preconditioned by a multigrid V-cycle. Coarser grids join blocks
of 2 x 2 pixels; their equations have the same form, and their weights are sums of the finer weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

TOLERANCE = 1e-3  # norm of the residual relative to that of the right-hand side
MOST_STEPS = 200
COARSEST_PIXELS, COARSEST_SWEEPS = 64, 20
SWEEPS, DAMPING = 2, np.float32(0.7)  # of Jacobi's method on each grid, before the coarser one and after it
OVERCORRECTION = np.float32(1.5)  # piecewise constant blocks are stiffer than the smooth map that they approximate


@dataclass(frozen=True)
class Grid:
    """The left-hand side of the equations: own x value + sum of weight x (value - neighbour's value).

    Parameters
    ----------
    own : ndarray, shape (H, W)
        Above 0.
    down, across : ndarray, shapes (H - 1, W) and (H, W - 1)
        Weights between neighbours, 0 or more.
    """

    own: Plane
    down: Plane
    across: Plane

    def applied(self, values: Plane) -> Plane:
        """Return the left-hand side for these values."""
        return self.own * values + divergence(self.down * np.diff(values, axis=0), self.across * np.diff(values))

    def diagonal(self) -> Plane:
        """Return each pixel's own coefficient."""
        diagonal = self.own.copy()
        diagonal[:-1] += self.down
        diagonal[1:] += self.down
        diagonal[:, :-1] += self.across
        diagonal[:, 1:] += self.across
        return diagonal

    def coarser(self) -> Grid:
        """Join blocks of 2 x 2 pixels; the last ones may be smaller."""
        return Grid(_blocks(self.own), _pairs(self.down[1::2], 1), _pairs(self.across[:, 1::2], 0))


def divergence(down: Plane, across: Plane) -> Plane:
    """Apply the transpose of the difference operator to one value for each vertical and horizontal pair."""
    total = np.zeros((across.shape[0], down.shape[1]), np.float32)
    total[:-1] -= down
    total[1:] += down
    total[:, :-1] -= across
    total[:, 1:] += across
    return total


def smoothed(observed: Plane, down: Plane, across: Plane, start: Plane | None = None) -> Plane:
    """Minimize |t - observed|^2 + sum of weight x (difference of neighbours)^2.

    Parameters
    ----------
    observed : ndarray, shape (H, W), float32
    down, across : ndarray, shapes (H - 1, W) and (H, W - 1), float32
        Weights, 0 or more.
    start : ndarray, shape (H, W), optional
        Initial guess; `observed` by default.
    """
    grid = Grid(np.ones_like(observed), down, across)
    cycle = _Cycle(grid)
    values = (observed if start is None else start).copy()
    residual = observed - grid.applied(values)
    goal = TOLERANCE * float(np.linalg.norm(observed))
    along, power = np.zeros_like(observed), 1.0
    for _ in range(MOST_STEPS):
        if float(np.linalg.norm(residual)) <= goal:
            break
        downhill = cycle(residual)
        before, power = power, float(np.vdot(residual, downhill))
        along = downhill + np.float32(power / before) * along
        bent = grid.applied(along)
        step = np.float32(power / float(np.vdot(along, bent)))
        values += step * along
        residual -= step * bent
    return values


class _Cycle:
    """One V-cycle, which solves the equations approximately; symmetric, as a preconditioner must be."""

    def __init__(self, grid: Grid) -> None:
        self._grids = [grid]
        while self._grids[-1].own.size > COARSEST_PIXELS:
            self._grids.append(self._grids[-1].coarser())
        self._steps = [DAMPING / grid.diagonal() for grid in self._grids]

    def __call__(self, right: Plane, level: int = 0) -> Plane:
        values = self._swept(self._steps[level] * right, right, level, SWEEPS - 1)
        if level == len(self._grids) - 1:
            return self._swept(values, right, level, COARSEST_SWEEPS)
        blocks = self(_blocks(right - self._grids[level].applied(values)), level + 1)
        height, width = right.shape
        values += OVERCORRECTION * blocks.repeat(2, axis=0)[:height].repeat(2, axis=1)[:, :width]
        return self._swept(values, right, level, SWEEPS)

    def _swept(self, values: Plane, right: Plane, level: int, sweeps: int) -> Plane:
        for _ in range(sweeps):
            values += self._steps[level] * (right - self._grids[level].applied(values))
        return values


def _blocks(values: Plane) -> Plane:
    return _pairs(_pairs(values, 0), 1)


def _pairs(values: Plane, axis: int) -> Plane:
    """Sum neighbours in pairs."""
    if not values.size:
        return np.zeros(
            [-(-length // 2) if place == axis else length for place, length in enumerate(values.shape)], np.float32
        )
    return np.asarray(np.add.reduceat(values, np.arange(0, values.shape[axis], 2), axis=axis))
