"""All cores for kernels that let go of the interpreter: parts of a work on a few threads, always the same parts.

The parts do not depend on the number of threads and each writes to places of its own, so that results are equal bit by
bit whatever that number is. The threads live for one call only: nothing is left over that a fork, a Qt program or a
worker of dask could trip on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from threading import Lock, Thread
from typing import TypeVar

import numpy as np
from numpy.typing import DTypeLike

from ifuview.engine.context import SILENT, JobContext, threads
from ifuview.model.checks import Array

Item = TypeVar("Item")
STRIP = 64  # columns that are turned at a time: they stay in the cache
SMALL = 1 << 21  # values of an image that one thread turns as fast
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
    turns = _Turns(len(todo))
    failed: list[BaseException] = []

    def take_turns() -> None:
        try:
            for i in turns:
                work(todo[i])
        except BaseException as problem:
            failed.append(problem)
            turns.end()

    helpers = [Thread(target=take_turns, daemon=True) for _ in range(min(threads(), len(todo)) - 1)]
    for helper in helpers:
        helper.start()
    try:
        for i in turns:  # the thread that asked for the work does a share of it, and tells its progress
            ctx.checkpoint(i / len(todo), text)
            work(todo[i])
    finally:
        turns.end()
        for helper in helpers:
            helper.join()
    if failed:
        raise failed[0]
    ctx.checkpoint(1.0, text)


class _Turns:
    """Numbers from 0 on, each for one of the threads that take them."""

    def __init__(self, count: int) -> None:
        self._next, self._end, self._lock = 0, count, Lock()

    def __iter__(self) -> _Turns:
        return self

    def __next__(self) -> int:
        with self._lock:
            if self._next >= self._end:
                raise StopIteration
            self._next += 1
            return self._next - 1

    def end(self) -> None:
        """No further number is given out."""
        with self._lock:
            self._end = 0


def turned(values: Array, dtype: DTypeLike) -> Array:
    """A contiguous copy of an image (nrow, ncol) with its axes exchanged."""
    out = np.empty(values.shape[::-1], dtype)

    def strips(span: tuple[int, int]) -> None:
        for x in range(*span, STRIP):
            end = min(x + STRIP, span[1])
            np.copyto(out[x:end], values[:, x:end].T, casting="unsafe")

    spread(strips, blocks(values.shape[1], PARTS if values.size > SMALL else 1))
    return out
