"""How several pictures share the canvas."""

from __future__ import annotations

import math

GAP = 2  # px between tiles

Box = tuple[int, int, int, int]  # x, y, width, height


def arrange(n: int, width: int, height: int, mode: str = "grid") -> list[Box]:
    """Return the boxes of `n` tiles, row by row from the top left; `mode` is "grid", "row" or "column"."""
    if n < 1:
        return []
    if mode == "row":
        across, down = n, 1
    elif mode == "column":
        across, down = 1, n
    else:
        across = max(1, round(math.sqrt(n * width / max(height, 1))))
        across = min(across, n)
        down = math.ceil(n / across)
        across = math.ceil(n / down)
    out: list[Box] = []
    for k in range(n):
        row, column = divmod(k, across)
        x0, x1 = (width * c // across for c in (column, column + 1))
        y0, y1 = (height * r // down for r in (row, row + 1))
        out.append((x0, y0, max(1, x1 - x0 - GAP), max(1, y1 - y0 - GAP)))
    return out
