"""The live image counts exactly what a plain count finds, wherever the bounds fall and however they moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting import live
from ifuview.engine.photons.counting.cut import Bounds
from ifuview.engine.photons.counting.image import count_image
from ifuview.errors import JobCancelled
from ifuview.model.photons.lists import Beammap, PhotonBlock, PhotonColumn, PhotonCut, PhotonInfo

NRES = 30
DURATION = 20.0  # s
LAST = 20_000_000  # microseconds


class Columns:
    """Sorted columns in memory, as an index has them in files."""

    def __init__(self, info: PhotonInfo, resonator: Any, time: Any, value: Any) -> None:
        self.info, self.resonator = info, resonator
        self._columns = {"time": time, "value": value}
        self.first = np.concatenate([[0], np.cumsum(np.bincount(resonator, minlength=NRES + 1))]).astype(np.int64)
        self.latest = int(time.max()) if len(time) else -1
        self.picked = 0

    def read(self, column: str, start: int, out: Any) -> None:
        out[:] = self._columns[column][start : start + len(out)]

    def pick(self, column: str, rows: Any) -> Any:
        self.picked += len(rows)
        return self._columns[column][rows]

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        time, values = self._columns["time"], self._columns["value"]
        for start in range(0, len(time), 5000):
            part = slice(start, start + 5000)
            yield PhotonBlock(self.resonator[part], time[part], values[part] if value else None)

    def photons_of(self, resonators: Any, *, weight: bool = False) -> PhotonBlock:
        raise NotImplementedError

    def truth(self, asked: Bounds) -> Any:
        time, value = self._columns["time"].astype(np.int64), self._columns["value"].astype(np.float64)
        chosen = (time >= asked.first) & (time < asked.last)
        if asked.by_value:
            chosen &= (value >= asked.low) & (value < asked.high)
        return np.bincount(self.resonator[chosen], minlength=NRES + 1)


def smooth(rng: Any, n: int) -> Any:
    return rng.normal(1100, 150, n)


def few_values(rng: Any, n: int) -> Any:
    return rng.integers(-150, 0, n) * 0.25


def one_value(rng: Any, n: int) -> Any:
    return np.full(n, 1000.0)


def wild(rng: Any, n: int) -> Any:
    out = rng.normal(1100, 150, n)
    out[rng.integers(0, n, n // 50)] = np.nan
    out[rng.integers(0, n, n // 50)] = np.inf
    out[rng.integers(0, n, n // 50)] = -np.inf
    out[rng.integers(0, n, n // 50)] = 1e30
    out[rng.integers(0, n, n // 50)] = -1e-30
    return out


def columns(values: Any = smooth, n: int = 60_000, seed: int = 1) -> Columns:
    rng = np.random.default_rng(seed)
    resonator = np.sort(rng.choice(NRES + 1, n, p=rng.dirichlet(np.full(NRES + 1, 0.7)))).astype(np.int32)
    resonator[resonator == 7] = 8  # one without photons
    time = rng.integers(0, LAST, n)
    order = np.lexsort((time, resonator))
    flags = np.zeros((5, 6), np.uint64)
    flags[2, 3] = 2
    beammap = Beammap(np.arange(NRES), np.arange(NRES).reshape(5, 6)[::-1], flags, ("good", "pixcal.hot"))
    info = PhotonInfo("list.h5", "modern", beammap, n, 0.0, DURATION, PhotonColumn.WAVELENGTH)
    return Columns(info, resonator, time[order].astype(np.uint32), values(rng, n).astype(np.float32))


def every_kind_of_bounds(held: Columns, rng: Any) -> Iterator[Bounds]:
    value = held._columns["value"]
    finite = value[np.isfinite(value)].astype(np.float64)
    yield Bounds(0, live.END, -np.inf, np.inf, False)
    yield Bounds(0, live.END, -np.inf, np.inf, True)
    for _ in range(25):
        first, last = sorted(rng.integers(0, LAST, 2).tolist())
        a, b = sorted(rng.choice(finite, 2).tolist())
        yield Bounds(first, last, a, b, True)  # on values
        yield Bounds(first, last, np.nextafter(a, np.inf), np.nextafter(b, np.inf), True)
        yield Bounds(first, last + 3000, np.nextafter(a, np.inf), np.nextafter(b, np.inf), True)  # time alone moves
        yield Bounds(first + 500, last + 3000, np.nextafter(a, np.inf), np.nextafter(b, np.inf), True)
        yield Bounds(first, last, a, a + 0.01, True)  # within a code
        yield Bounds(first, last, -np.inf, b, True)
        yield Bounds(0, live.END, a, np.inf, True)
        yield Bounds(first, last, b, a, True)  # empty
        yield Bounds(last, first, a, b, True)  # empty
        yield Bounds(first, last, -np.inf, np.inf, False)
        yield Bounds(first, last, a - 1e5, b + 1e5, True)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("values", [smooth, few_values, one_value, wild])
def test_counts_are_those_of_a_plain_count(values, threads):
    held = columns(values)
    image = live.LiveImage(held, threads=threads)
    for asked in every_kind_of_bounds(held, np.random.default_rng(2)):
        assert (image.counts(asked) == held.truth(asked)).all(), asked
    if values in (few_values, one_value):
        assert not held.picked  # whole codes decide


def test_a_time_range_that_slides_counts_what_enters_and_leaves(monkeypatch):
    held = columns()
    image = live.LiveImage(held)
    sizes = []
    count = live.LiveImage._count

    def seen(self: Any, begin: Any, end: Any, *args: Any) -> Any:
        sizes.append(int((end - begin).sum()))
        return count(self, begin, end, *args)

    monkeypatch.setattr(live.LiveImage, "_count", seen)
    for start in range(0, 10_000_000, 250_000):
        asked = Bounds(start, start + 8_000_000, 1000.0, 1200.5, True)
        assert (image.counts(asked) == held.truth(asked)).all()
    assert sizes[0] > 20_000
    assert max(sizes[1:]) < 2000
    returned = image.counts(asked)
    returned[:] = -1  # nobody's but the caller's
    assert (image.counts(asked) == held.truth(asked)).all()


@pytest.mark.parametrize("by_value", [False, True])
@pytest.mark.parametrize("values", [smooth, few_values, wild])
def test_steps_through_time_are_images_of_their_own(values, by_value):
    held = columns(values)
    image = live.LiveImage(held)
    low = float(held._columns["value"][1234])
    for start, step, nstep in ((0, 1_000_000, 25), (3_000_500, 1000, 50), (19_999_000, 500, 4)):
        asked = Bounds(0, live.END, low, low + 130, by_value)
        found = image.counts_in_steps(start, step, nstep, asked)
        for i in range(nstep):
            one = asked._replace(first=start + i * step, last=start + (i + 1) * step)
            assert (found[i] == held.truth(one)).all()


def test_many_values_at_one_bound_are_read_through(monkeypatch):
    """A few huge values make all others share a code, so that nearly every row has to be looked up."""
    held = columns(lambda rng, n: np.where(rng.random(n) < 0.01, 1e9, rng.normal(1000, 50, n)))
    monkeypatch.setattr(live, "READ_ROWS", 7000)
    image = live.LiveImage(held)
    asked = Bounds(0, LAST // 2, 950.0, 1010.0, True)
    assert (image.counts(asked) == held.truth(asked)).all()
    assert not held.picked


CUTS = [
    PhotonCut(),
    PhotonCut(2.0, 9.5, 1000.0, 1100.0),
    PhotonCut(high=1100.0, exclude=()),
    PhotonCut(stop=3.0),
]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("memory", [live.MEMORY, 0])
def test_the_image_is_the_one_that_a_pass_counts(cut, memory):
    held = columns(wild)
    made, expected = live.live_image(held, memory=memory).image(cut), count_image(held, cut)
    assert made.counts.dtype == np.int64
    for name in ("counts", "variance", "excluded"):
        assert (getattr(made, name) == getattr(expected, name)).all()
    for name in ("photons", "start", "stop", "exposure", "npixel_excluded", "total"):
        assert getattr(made, name) == getattr(expected, name)


def test_a_list_too_large_has_a_preview_that_comes_near():
    held = columns(n=300_000)
    image = live.live_image(held, memory=0)
    assert not image.exact
    whole = Bounds(0, live.END, -np.inf, np.inf, False)
    assert (image.preview(whole) == held.truth(whole)).all()
    for asked in (Bounds(1_234_567, 15_000_000, 900.0, 1200.0, True), Bounds(0, 7_654_321, -np.inf, np.inf, False)):
        truth, found = held.truth(asked), image.preview(asked)
        # photons are spread evenly within a cell: off by less than the noise of the counts
        assert (np.abs(found - truth) <= 5 + 3 * np.sqrt(truth)).all()
        assert abs(found.sum() - truth.sum()) < 0.01 * truth.sum()
        assert (image.counts(asked) == truth).all()


def test_no_photons_and_a_cancelled_job():
    held = columns(n=0)
    for memory in (live.MEMORY, 0):
        made = live.live_image(held, memory=memory)
        assert not made.counts(Bounds(0, 10, 1.0, 2.0, True)).any()
        assert not made.preview(Bounds(0, 10, 1.0, 2.0, True)).any()
    ctx = JobContext()
    ctx.cancel()
    with pytest.raises(JobCancelled):
        live.LiveImage(columns(), ctx)
