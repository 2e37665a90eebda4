"""Rectangular minimum-cost assignment, exact, in NumPy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def assign(cost: NDArray[np.float64]) -> tuple[Indices, Indices]:
    """Pairs rows with columns: as many allowed pairs as possible and, among those choices, the lowest total cost.

    Where the cheapest column of every row is another one, that is already the optimum and is returned at once; else
    the shortest augmenting paths of Jonker and Volgenant, "A Shortest Augmenting Path Algorithm for Dense and Sparse
    Linear Assignment Problems", Computing 1987, in the rectangular form of Crouse, "On implementing 2D rectangular
    assignment algorithms", IEEE TAES 2016.

    Args:
        cost: float64 `(N, M)`; any sign; `inf` where a pair is not allowed; no NaN.

    Returns:
        Row and column indices of the pairs, each `(K,)`, rows ascending, K <= min(N, M).

    Example:
        >>> rows, columns = assign(np.array([[1.0, 2.0], [1.0, np.inf], [5.0, 5.0]]))
        >>> rows.tolist(), columns.tolist()
        ([0, 1], [1, 0])
    """
    if cost.shape[0] > cost.shape[1]:
        columns, rows = assign(cost.T)
        order = rows.argsort()
        return rows[order], columns[order]
    if not cost.size:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    allowed = np.isfinite(cost)
    if allowed.all():
        return np.arange(len(cost)), _complete(cost)
    if not allowed.any():
        return np.empty(0, np.intp), np.empty(0, np.intp)
    low, high = cost[allowed].min(), cost[allowed].max()
    # One forbidden pair outweighs every difference that allowed ones can add up to: hence as many pairs as possible.
    columns = _complete(np.where(allowed, cost - low, (high - low + 1) * (len(cost) + 1)))
    rows = np.flatnonzero(allowed[np.arange(len(cost)), columns])
    return rows, columns[rows]


def match(similarity: NDArray[np.float64], minimum: float) -> tuple[Indices, Indices]:
    """Pairs rows with columns so that the sum of `similarity - minimum` over the pairs is the highest.

    Leaving a row alone costs nothing, so a good pair is not given up for two that barely pass, which
    `assign` with forbidden pairs would do.

    Args:
        similarity: float64 `(N, M)`.
        minimum: only pairs with a similarity above this are made.

    Returns:
        Row and column indices of the pairs, each `(K,)`, rows ascending.

    Example:
        >>> rows, columns = match(np.array([[0.9, 0.2], [0.2, 0.0]]), 0.1)
        >>> rows.tolist(), columns.tolist()
        ([0], [0])
    """
    if not similarity.size:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    best = similarity.argmax(1)
    rows = np.flatnonzero(similarity[np.arange(len(best)), best] > minimum)
    columns = best[rows]
    if len(set(columns.tolist())) == len(columns):
        return rows, columns  # each row has its best column: nothing gains more
    gain = np.maximum(similarity[rows] - minimum, 0)
    possible = np.flatnonzero(gain.any(0))
    gain = gain[:, possible]
    chosen_rows, chosen_columns = assign(-gain)
    real = gain[chosen_rows, chosen_columns] > 0
    return rows[chosen_rows[real]], possible[chosen_columns[real]]


def _complete(cost: NDArray[np.float64]) -> Indices:
    """The column of each row of a finite `(N, M)`, N <= M, that together cost least: `(N,)`."""
    count, width = cost.shape
    cheapest = cost.argmin(1)
    row_of = np.full(width, -1, np.intp)
    row_of[cheapest[::-1]] = np.arange(count)[::-1]
    column_of = np.where(row_of[cheapest] == np.arange(count), cheapest, -1)
    if (column_of >= 0).all():
        return column_of
    # The row minima are feasible prices under which the pairs made so far are tight; the other rows augment from there.
    row_price, column_price = cost.min(1), np.zeros(width)
    for start in np.flatnonzero(column_of < 0):
        _augment(cost, row_price, column_price, row_of, column_of, start)
    return column_of


def _augment(
    cost: NDArray[np.float64],
    row_price: NDArray[np.float64],
    column_price: NDArray[np.float64],
    row_of: Indices,
    column_of: Indices,
    start: np.intp,
) -> None:
    """Gives row `start` a column along the shortest alternating path; prices and pairs are changed in place."""
    distance = np.full(cost.shape[1], np.inf)
    before = np.full(cost.shape[1], start)
    open_columns = np.ones(cost.shape[1], np.bool_)
    rows, travelled = [start], 0.0
    while True:
        row = rows[-1]
        reach = travelled + cost[row] - row_price[row] - column_price
        closer = open_columns & (reach < distance)
        distance[closer] = reach[closer]
        before[closer] = row
        sink = np.where(open_columns, distance, np.inf).argmin()
        travelled = float(distance[sink])
        open_columns[sink] = False
        if row_of[sink] < 0:
            break
        rows.append(row_of[sink])
    column_price[~open_columns] += distance[~open_columns] - travelled
    row_price[start] += travelled
    visited = np.array(rows[1:], np.intp)
    row_price[visited] += travelled - distance[column_of[visited]]
    while True:
        row = before[sink]
        row_of[sink] = row
        column_of[row], sink = sink, column_of[row]
        if row == start:
            return
