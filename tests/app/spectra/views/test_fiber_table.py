from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.session import Session
from ifuview.app.spectra.views import fiber_table as view
from ifuview.model.dataset import Dataset
from ifuview.model.fibers import FiberMap
from tests.app.frames.views import made


@pytest.fixture
def table():
    return view.make(made.session())


def column(table, name):
    return next(i for i, c in enumerate(table.columns) if c.name == name)


def test_own_columns_metrics_and_the_files_table_are_listed(table):
    names = [c.name for c in table.columns]
    assert names[:6] == ["Row", "Fiber", "Bundle", "Role", "Target", "Status"]
    assert {"throughput", "OBJTYPE", "FLUX_R", "COEFF"} <= set(names)
    assert (table.nrow, table.fiber, table.fibers) == (made.NFIBER, 5, (5,))


def test_cells_are_readable(table):
    assert view.cell(table.columns[column(table, "OBJTYPE")], 0) == "SKY"
    assert view.cell(table.columns[column(table, "FLUX_R")], 5) == "–"
    assert view.cell(table.columns[column(table, "Status")], 4) == "BROKEN"
    assert view.cell(table.columns[column(table, "COEFF")], 0) == "1 1 1"


def test_numbers_sort_as_numbers_and_unknown_ones_come_last(table):
    up = view.order(table, column(table, "FLUX_R"), False)
    assert list(up) == [11, 10, 9, 8, 7, 6, 4, 3, 2, 1, 0, 5]
    down = view.order(table, column(table, "FLUX_R"), True)
    assert list(down) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 5]
    assert list(view.order(table, column(table, "Fiber"), True))[:3] == [11, 10, 9]


def test_text_sorts_and_equal_values_keep_their_order(table):
    rows = view.order(table, column(table, "Role"), False)
    assert list(rows) == [4, 1, 2, 5, 7, 8, 10, 11, 0, 3, 6, 9]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("sky", [0, 3, 6, 9]),
        ("OBJTYPE=SKY", [0, 3, 6, 9]),
        ("objtype = sky and fiber>503", [6, 9]),
        ("STATUS_WORD>0", [4]),
        ("status~broken", [4]),
        ("flux_r>=8", [0, 1, 2]),
        ("FLUX_R<0, role=science", [11]),
        ("bundle!=0 & row<6", [4, 5]),
        ("target=star 7", [7]),
        ("row=nonsense", []),
        ("no such text", []),
        ("", list(range(12))),
    ],
)
def test_filters(table, text, rows):
    assert list(np.flatnonzero(view.matches(table, text))) == rows


def test_a_column_nobody_has_is_looked_for_as_text(table):
    assert not view.matches(table, "XYZ=3").any()


def test_filter_and_order_go_together(table):
    rows = view.order(table, column(table, "FLUX_R"), False, view.matches(table, "sky"))
    assert list(rows) == [9, 6, 3, 0]


def test_traces_alone_make_a_table_and_a_plain_image_none():
    slot = made.detector()
    bare = replace(slot, image=replace(slot.image, fibermap=None), dataset=Dataset("x.fits"))
    assert [c.name for c in view.make(Session((bare,), 1)).columns] == ["Row", "Fiber"]
    assert view.make(Session((replace(bare, traces=None),), 1)) is None
    assert view.make(Session()) is None


def test_the_same_objects_mean_the_same_table():
    session = made.session()
    a, b = view.make(session), view.make(replace(session, selection=replace(session.selection, fiber=2)))
    assert all(x is y for x, y in zip(a.source, b.source, strict=True))


def test_five_thousand_rows_are_quick(cpu_limit=0.25):
    import time

    n = 5000
    table = {f"C{i}": np.random.default_rng(i).normal(size=n) for i in range(40)}
    table["OBJTYPE"] = np.array(["SKY" if i % 9 == 0 else "TGT" for i in range(n)])
    fibermap = FiberMap(fiber=np.arange(n), table=table, target=tuple(f"t{i}" for i in range(n)))
    slot = replace(made.detector(), traces=None)
    slot = replace(slot, image=replace(slot.image, fibermap=fibermap))
    start = time.process_time()
    shown = view.make(Session((slot,), 1))
    view.order(shown, column(shown, "C7"), True, view.matches(shown, "C3>0.5"))
    assert time.process_time() - start < cpu_limit  # 10 ms expected; only a loop over all cells would fail
