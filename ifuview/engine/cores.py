"""All cores for kernels that let go of the interpreter: parts of a work on a few threads, always the same parts.

The parts do not depend on the number of threads and each writes to places of its own, so that results are equal bit by
bit whatever that number is. The threads live for one call only: nothing is left over that a fork, a Qt program or a
worker of dask could trip on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

from ifuview.engine.context import SILENT, JobContext

Item = TypeVar("Item")
_most = 0  # threads; 0: one for each core


def set_threads(number: int) -> None:
    """Use at most so many threads from now on; 0: one for each core that this process may use."""
    global _most
    _most = max(int(number), 0)


def threads() -> int:
    """How many threads a work is spread over."""
    if _most:
        return _most
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


def spread(work: Callable[[Item], object], items: Iterable[Item], *, ctx: JobContext = SILENT, text: str = "") -> None:
    """Do `work` for each item, on all threads; it must release the interpreter to gain anything.

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
    done = 0

    def one(item: Item) -> None:
        nonlocal done
        ctx.checkpoint(done / len(todo), text)
        work(item)
        done += 1

    if threads() == 1 or len(todo) < 2:
        for item in todo:
            one(item)
        return
    with ThreadPoolExecutor(min(threads(), len(todo))) as pool:
        jobs = [pool.submit(one, item) for item in todo]
        finished, rest = wait(jobs, return_when=FIRST_EXCEPTION)
        for job in rest:
            job.cancel()
    for job in finished:
        job.result()
