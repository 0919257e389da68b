"""Which view makes memory grow: each view's share of the floor's growth, by regression over many requests.

A request's own difference does not tell: a view that needs much for a moment takes the pages that another's leak has
pinned, and cycles that one made are collected in another. But the more often the leaking view is called between two
looks, the more has grown. So requests are taken in windows of random length; of each window the growth of anonymous
memory and the number of requests of each view are added to the normal equations (A += n nᵀ, b += n Δ), which are sums,
so that they go on when a worker is recycled, and those of all workers may be added up. They are solved under g >= 0.
Traffic that always has the same mix says nothing about who it was: there the differences of requests that were alone in
their worker decide (a ridge towards their mean). Column 0 is time: what grows without requests.
"""

from __future__ import annotations

from caulk_probe import families

_BACKGROUND = "(background)"
_REST = "(other views)"
#: Growth beyond so many times the usual of a window counts for no more: one batch is not to decide alone.
_CLIP = 8.0
#: The ridge: how many windows' worth the differences of lone requests count.
_RIDGE, _TIME_RIDGE = 0.03, 0.001
#: Less than this share of all growth is not said of a view.
_LEAST_SHARE = 0.03
_LEAST_REQUESTS = 40
_SIGMAS = 4.0
_SWEEPS = 60


class Sums:
    """The normal equations, in a slot's cells."""

    def __init__(self, cells):
        self.cells, self.numbers = cells, cells.numbers
        self.at = cells.find(families.PRODUCTS, "", None)
        # Columns are numbered as they were added to the file, by earlier workers too.
        kept = (key for family, key in cells.known if family == families.COLUMN.number)
        self.columns = {view: number for number, view in enumerate(kept)}
        self.column(_BACKGROUND)
        self.column(_REST)

    def column(self, view):
        """The number of a view's column; that of the other views, where there are enough."""
        known = self.columns.get(view)
        if known is None:
            full = len(self.columns) >= families.COLUMNS
            if full or self.cells.find(families.COLUMN, view, None) is None:
                return self.columns[_REST]
            known = self.columns[view] = len(self.columns)
        return known

    def add(self, counts, seconds, growth, alone):
        """One window: requests by view, its length, growth in bytes; `alone`: sum and number of lone differences."""
        numbers, at = self.numbers, self.at
        triangle = families.COLUMNS * (families.COLUMNS + 1) // 2
        extra = at + triangle + families.COLUMNS
        usual = numbers[extra + 2]
        if usual and abs(growth) > _CLIP * usual:
            growth = _CLIP * usual if growth > 0 else -_CLIP * usual
        numbers[extra + 2] = usual + 0.05 * (abs(growth) - usual) if usual else max(abs(growth), 4096.0)
        row = {0: seconds}
        for view, count in counts.items():
            column = self.column(view)
            row[column] = row.get(column, 0.0) + count
        for i, n in row.items():
            base = at + i * (i + 1) // 2
            for j, m in row.items():
                if j <= i:
                    numbers[base + j] += n * m
            numbers[at + triangle + i] += n * growth
        numbers[extra] += 1
        numbers[extra + 1] += growth * growth
        self.alone(_BACKGROUND, seconds, 0, 0)
        for view, count in counts.items():
            self.alone(view, count, *alone.get(view, (0, 0)))

    def alone(self, view, count, total, lone):
        """Requests of a view, the bytes by which lone ones differed, and their number."""
        column = self.cells.known.get((families.COLUMN.number, view))
        if column is not None:
            self.numbers[column] += count
            self.numbers[column + 1] += total
            self.numbers[column + 2] += lone


def solve(slots):
    """Bytes per request by view; 0 where the growth is not certain, or there were few requests.

    `slots` has, for each, a list of the records of COLUMN (view and its three numbers) and the numbers of PRODUCTS.
    """
    names = []
    index = {}
    for columns, _ in slots:
        for view, _three in columns:
            if view not in index:
                index[view] = len(names)
                names.append(view)
    size = len(names)
    matrix = [[0.0] * size for _ in range(size)]
    vector, requests, lone_bytes, lone = ([0.0] * size for _ in range(4))
    windows = squares = 0.0
    triangle = families.COLUMNS * (families.COLUMNS + 1) // 2
    for columns, numbers in slots:
        places = [index[view] for view, _ in columns]
        for i, (_, three) in enumerate(columns):
            a = places[i]
            requests[a] += three[0]
            lone_bytes[a] += three[1]
            lone[a] += three[2]
            vector[a] += numbers[triangle + i]
            for j in range(i + 1):
                b, each = places[j], numbers[i * (i + 1) // 2 + j]
                matrix[a][b] += each
                if a != b:
                    matrix[b][a] += each
        windows += numbers[triangle + families.COLUMNS]
        squares += numbers[triangle + families.COLUMNS + 1]
    if windows < 5:
        return {}
    return _certain(names, matrix, vector, requests, lone_bytes, lone, windows, squares)


def _certain(names, matrix, vector, requests, lone_bytes, lone, windows, squares):
    """Solves the equations, and keeps what is larger than its own error."""
    size = len(names)
    live = [i for i in range(size) if matrix[i][i] > 0]
    ridge, towards = [0.0] * size, [0.0] * size
    for i in live:
        # Time has none to speak of: what it brings is not to be pushed on views.
        ridge[i] = (_RIDGE if names[i] != _BACKGROUND else _TIME_RIDGE) * matrix[i][i]
        towards[i] = max(0.0, lone_bytes[i] / lone[i]) if lone[i] else 0.0
    found = [0.0] * size
    for _ in range(_SWEEPS):
        moved = 0.0
        for i in live:
            row = matrix[i]
            rest = vector[i] - sum(row[j] * found[j] for j in live if found[j]) + row[i] * found[i]
            value = max(0.0, (rest + ridge[i] * towards[i]) / (row[i] + ridge[i]))
            moved = max(moved, abs(value - found[i]) * row[i])
            found[i] = value
        if moved < 1.0:
            break
    chosen = [i for i in live if found[i] > 0]
    left = squares
    for i in chosen:
        left -= found[i] * (2 * vector[i] - sum(matrix[i][j] * found[j] for j in chosen))
    noise = max(left, 0.0) / max(1.0, windows - len(chosen))
    variances = _diagonal_of_inverse([[matrix[i][j] + (ridge[i] if i == j else 0.0) for j in chosen] for i in chosen])
    total = sum(found[i] * requests[i] for i in chosen)
    said = {}
    for i, variance in zip(chosen, variances):
        certain = found[i] > _SIGMAS * (noise * variance) ** 0.5 and requests[i] >= _LEAST_REQUESTS
        said[names[i]] = found[i] if certain and found[i] * requests[i] >= _LEAST_SHARE * total else 0.0
    return {name: said.get(name, 0.0) for name in names if name not in (_BACKGROUND, _REST)}


def _diagonal_of_inverse(matrix):
    """By Cholesky's factor; the matrix is positive definite by its ridge."""
    size = len(matrix)
    factor = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(factor[i][k] * factor[j][k] for k in range(j))
            factor[i][j] = max(rest, 1e-12) ** 0.5 if i == j else rest / factor[j][j]
    diagonal = [0.0] * size
    for column in range(size):
        solved = [0.0] * size
        for i in range(column, size):
            rest = (1.0 if i == column else 0.0) - sum(factor[i][k] * solved[k] for k in range(column, i))
            solved[i] = rest / factor[i][i]
            diagonal[column] += solved[i] * solved[i]
    return diagonal
