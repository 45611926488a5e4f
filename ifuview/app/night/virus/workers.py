"""Heads of an observation shared among processes: each makes whole heads, nothing large goes through a pipe."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from typing import Protocol

from ifuview.app.night.virus.heads import plain_head, put_aside, take_back
from ifuview.app.night.virus.request import ShotRequest
from ifuview.engine.context import JobContext, set_threads
from ifuview.errors import IfuviewError
from ifuview.model.reduction.placed import HeadProducts
from ifuview.model.reduction.solution import ShotSolution
from ifuview.recipes.virus.shot_values import HeadPictures

FEW = 3  # heads that are not worth processes of their own
AHEAD = 2  # heads for each process that are made before they are taken


class HeadMaker(Protocol):
    """What makes heads in a process."""

    pictures: dict[str, HeadPictures]
    solution: ShotSolution | None

    def first(self, slot: str, keep: bool) -> None:
        """One head as far as its pictures."""

    def second(self, slot: str, lender: str) -> HeadProducts:
        """One head to the end; `lender` has the sky where this one is full of light."""


Begin = Callable[[ShotRequest, str], HeadMaker]
_OWN: list[HeadMaker] = []  # of this process


class SharedHeads:
    """Processes that make heads; see `shared_heads`."""

    def __init__(self, pool: ProcessPoolExecutor, count: int, folder: str) -> None:
        self._pool, self._count, self._folder = pool, count, folder

    def first(self, slots: Sequence[str], ctx: JobContext) -> Iterator[tuple[str, HeadPictures | None, str]]:
        """Pictures of each head, or why there are none."""
        jobs = [self._pool.submit(_first, slot) for slot in slots]
        for number, (slot, job) in enumerate(zip(slots, jobs, strict=True)):
            ctx.checkpoint(number / len(slots), f"slot {slot}")
            pictures, reason = job.result()
            yield slot, pictures, reason

    def second(
        self, slots: Sequence[str], lenders: Mapping[str, str], solution: ShotSolution, ctx: JobContext
    ) -> Iterator[tuple[str, HeadProducts | None, str]]:
        """Each head to the end, or why it could not be made."""
        waiting: deque[tuple[str, Future[str]]] = deque()
        todo = deque(slots)
        for number in range(len(slots)):
            while todo and len(waiting) < AHEAD * self._count:
                slot = todo.popleft()
                waiting.append((slot, self._pool.submit(_second, slot, lenders.get(slot, ""), solution, self._folder)))
            slot, job = waiting.popleft()
            ctx.checkpoint(number / len(slots), f"slot {slot}")
            reason = job.result()
            head = None if reason else take_back(_path(self._folder, slot))
            assert head is None or isinstance(head, HeadProducts)
            yield slot, head, reason


@contextmanager
def shared_heads(request: ShotRequest, count: int, folder: str, begin: Begin) -> Iterator[SharedHeads | None]:
    """Processes for an observation of `count` heads; None where it needs none.

    Parameters
    ----------
    request : ShotRequest
    count : int
    folder : str
        Of our own, for what is put aside.
    begin : callable
        Makes in each process what makes heads there.
    """
    if request.workers < 2 or count <= FEW or request.sky_slot:
        yield None
        return
    pool = ProcessPoolExecutor(
        min(request.workers, count), mp_context=get_context("spawn"), initializer=_begin,
        initargs=(begin, replace(request, params=dict(request.params)), folder),
    )  # fmt: skip
    try:
        yield SharedHeads(pool, request.workers, folder)
    finally:
        pool.shutdown(cancel_futures=True)


def _path(folder: str, slot: str) -> str:
    return os.path.join(folder, f"{slot}.head")


def _begin(begin: Begin, request: ShotRequest, folder: str) -> None:
    """Begin in a process: one thread, as there is a process for each core."""
    set_threads(1)
    _OWN.append(begin(request, folder))


def _first(slot: str) -> tuple[HeadPictures | None, str]:
    """In a process: a head as far as its pictures."""
    try:
        _OWN[0].first(slot, False)
    except IfuviewError as problem:
        return None, problem.what
    return _OWN[0].pictures.pop(slot), ""


def _second(slot: str, lender: str, solution: ShotSolution, folder: str) -> str:
    """In a process: a head to the end, put aside; why it could not be made."""
    _OWN[0].solution = solution
    try:
        put_aside(_path(folder, slot), plain_head(_OWN[0].second(slot, lender)))
    except IfuviewError as problem:
        return problem.what
    return ""
