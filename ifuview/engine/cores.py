"""All cores for kernels that let go of the interpreter: parts of a work on a few threads, always the same parts.

The parts do not depend on the number of threads and each writes to places of its own, so that results are equal bit by
bit whatever that number is. The threads live for one call only: nothing is left over that a fork, a Qt program or a
worker of dask could trip on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import DTypeLike

from ifuview.engine.context import SILENT, JobContext, threads
from ifuview.model.checks import Array

Item = TypeVar("Item")
STRIP = 64  # columns that are turned at a time: they stay in the cache


PARTS = 8


def blocks(count: int, parts: int = PARTS) -> list[tuple[int, int]]:
    """First and one past the last of blocks of `count` items, the same whatever the number of threads."""
    edge = [count * n // parts for n in range(parts + 1)]
    return [(a, b) for a, b in pairwise(edge) if b > a]


def spread(work: Callable[[Item], object], items: Iterable[Item], *, ctx: JobContext = SILENT, text: str = "") -> None:
    """Do `work` for each item, on all threads (`context.set_threads`); it must release the interpreter to gain.

    Parameters
    ----------
    work : callable
        Writes its result to a place that is its own.
    items : iterable
        Parts of the work, the same ones whatever the number of threads.
    ctx : JobContext, optional
        Checked before each item; a canceled work begins no further item.
    text : str
        What is being done.

    Raises
    ------
    JobCancelled
        Or what `work` raised first, when all that had begun has ended.
    """
    todo = list(items)
    if threads() == 1 or len(todo) < 2:
        for i, item in enumerate(todo):
            ctx.checkpoint(i / len(todo), text)
            work(item)
        return
    from concurrent.futures import ThreadPoolExecutor, as_completed

    ctx.checkpoint(0.0, text)
    with ThreadPoolExecutor(min(threads(), len(todo))) as pool:
        jobs = [pool.submit(work, item) for item in todo]
        try:
            for i, job in enumerate(as_completed(jobs), 1):  # progress is told by the thread that asked for the work
                job.result()
                ctx.checkpoint(i / len(todo), text)
        finally:
            for job in jobs:
                job.cancel()


def turned(values: Array, dtype: DTypeLike) -> Array:
    """A contiguous copy of an image (nrow, ncol) with its axes exchanged."""
    out = np.empty(values.shape[::-1], dtype)

    def strip(x: int) -> None:
        np.copyto(out[x : x + STRIP], values[:, x : x + STRIP].T, casting="unsafe")

    spread(strip, range(0, values.shape[1], STRIP))
    return out
