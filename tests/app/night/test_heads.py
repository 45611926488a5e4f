"""The focal plane of fiber heads: where each lies, what is known of its amplifiers before anything is reduced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.night.amplifiers.plane import AmplifierCell, FocalPlane, HeadPlace
from ifuview.app.night.state import AmplifierKey, HealthState, Night, Place
from ifuview.app.night.views import heads, triage
from ifuview.app.night.views.heads import HeadsView
from ifuview.app.session import Session
from ifuview.engine.ccd.health import AmplifierHealth
from ifuview.io.night.raw_exposures import exposure_index
from ifuview.model.night.raw import DETECTOR, RawAmplifier, RawExposure, RawNight
from ifuview.model.reduction.ccd import ReadOut
from ifuview.model.verdict import VerdictState

NAMES = ("LL", "LU", "RU", "RL")


def raw(slot: str, name: str, specid: str = "308") -> RawAmplifier:
    return RawAmplifier(__file__, f"{slot}{name[0]}", name, slot, specid, "024", "C1")


@pytest.fixture(scope="module")
def index():
    """Two exposures of slots 047, 046 (of which an amplifier is missing) and 999, which is in no table."""
    parts = [raw(slot, name) for slot in ("047", "046", "999") for name in NAMES if (slot, name) != ("046", "RL")]
    night = RawNight("/x", "virus", tuple(
        RawExposure(20190822, 11, n, "sci", "FIELD", amplifiers=tuple(parts)) for n in (1, 2)
    ))  # fmt: skip
    return exposure_index(night)


def found(index, noise: float, state: VerdictState, name="RL", camera="047R", exposure=0):
    key = AmplifierKey(index.exposures[exposure].expid, camera, name)
    return key, AmplifierHealth(ReadOut(name, 1000.0, 1.0, noise, 0.0, 0.9), state, f"noise {noise}")


def session(index, *pairs) -> Session:
    state = HealthState(index, dict(pairs))
    night = Night(index, Place(index.exposures[0].expid, "047L", DETECTOR))
    return Session(night=night, health=state)


def test_heads_lie_where_the_table_has_them_with_axes_swapped(index):
    view = heads.make(session(index))
    by_slot = {one.slot: one for one in view.heads}
    slot = next(one for one in index.slots if one.slot == "047")
    assert (by_slot["047"].x, by_slot["047"].y) == (slot.y, slot.x) and by_slot["047"].there
    assert by_slot["047"].specid == "308" and by_slot["047"].contid == "C1"
    assert not by_slot["024"].there  # of the plane, not of the exposure
    assert by_slot["999"].y < min(one.y for one in view.heads if one.slot != "999")
    assert len(view.cells) == 11 and view.plane.shape == (2, 2)
    assert [view.heads[view.chosen].slot, view.camera] == ["047", "047L"]


def test_amplifiers_are_found_where_they_are_drawn(index):
    view = heads.make(session(index))
    for n, cell in enumerate(view.cells):
        left, low = view.corner(cell)
        assert heads.at(view, left + 1.0, low + 1.0) == n
    upper = next(c for c in view.cells if (c.camera, c.name) == ("047R", "RL"))
    lower = next(c for c in view.cells if (c.camera, c.name) == ("047R", "RU"))
    assert upper.column == lower.column == 1 and upper.row == lower.row + 1  # as the detector lies
    assert heads.at(view, 1e4, 0.0) is None
    missing = next(h for h in view.heads if not h.there)
    assert heads.about(view, missing.x, missing.y, "health").endswith("not in this exposure")


def test_what_was_not_asked_is_never_clean(index):
    view = heads.make(
        session(index, found(index, 24.0, VerdictState.WRONG), found(index, 3.0, VerdictState.CLEAN, "LL", "047L"))
    )
    health = view.number("health")
    states = [heads.STATES[int(v)] for v in health.values]
    assert states.count(VerdictState.NOT_JUDGED) == 9
    assert sorted(map(str, set(states) - {VerdictState.NOT_JUDGED})) == ["clean", "wrong"]
    assert "1 wrong" in heads.summary(view, "health") and "9 not judged" in heads.summary(view, "health")
    noise = view.number("read noise")
    assert np.isfinite(noise.values).sum() == 2 and noise.values[np.isfinite(noise.values)].max() == 24.0
    shades = heads.shades(noise)
    assert shades.known.sum() == 2 and len(set(shades.color[shades.known])) == 2
    k = next(n for n, c in enumerate(view.cells) if (c.camera, c.name) == ("047R", "RL"))
    left, low = view.corner(view.cells[k])
    assert "wrong: noise 24.0" in heads.about(view, left + 1, low + 1, "health")


def test_the_worst_of_all_exposures_is_a_quantity_of_its_own(index):
    one = found(index, 24.0, VerdictState.WRONG, exposure=1)
    view = heads.make(session(index, found(index, 3.0, VerdictState.CLEAN), one))
    k = next(n for n, c in enumerate(view.cells) if (c.camera, c.name) == ("047R", "RL"))
    assert heads.STATES[int(view.number(heads.HEALTH).values[k])] is VerdictState.CLEAN
    assert heads.STATES[int(view.number(heads.WORST).values[k])] is VerdictState.WRONG


def test_bad_amplifiers_are_problems_before_any_reduction(index):
    pairs = [found(index, 24.0, VerdictState.WRONG, exposure=n) for n in (0, 1)]
    pairs += [found(index, 5.0, VerdictState.LOOK, "LL", "047L"), found(index, 3.0, VerdictState.CLEAN, "LU", "047L")]
    now = session(index, *pairs)
    view = triage.make(now)
    assert view.groups == ((0, 1), (2,)) and [row.mark for row in view.rows] == ["bad", "bad", "known"]
    assert view.rows[0].name == "047R RL" and "noise 24.0" in triage.explanation(view, 0)
    assert "11/1 11/2" in view.lines[(0, 1)] and not view.can_export and not view.can_run
    drawn = triage.evidence_figure(view, 0)
    every, marked = drawn.curves
    assert every.x.size == 4 and marked.y.tolist() == [24.0, 24.0]
    more = triage.make(replace(now, health=replace(now.health, todo=(pairs[0][0],))))
    assert more.content == view.content  # what is selected stays while others are asked


def test_no_head_is_drawn_over_another_and_what_has_no_place_stands_below():
    parts = tuple(raw(slot, name) for slot in ("047", "056", "066", "555") for name in NAMES)
    night = RawNight("/x", "virus", (RawExposure(20190822, 11, 1, "sci", "FIELD", amplifiers=parts),))
    plane = heads.make(session(exposure_index(night))).plane
    x, y = np.array([(one.x, one.y) for one in plane.heads]).T
    apart = np.maximum(np.abs(x[:, None] - x), np.abs(y[:, None] - y))[~np.eye(x.size, dtype=bool)]
    assert apart.min() >= plane.size
    by_slot = {one.slot: one for one in plane.heads}
    assert (by_slot["056"].x, by_slot["056"].y) == (-150.0, -50.0)  # as the table has it, also between them 555
    assert by_slot["555"].there and by_slot["555"].y == min(y)
    assert not set(by_slot) & {"600", "604", "610"}


def test_heads_in_slots_that_the_table_calls_empty_lie_where_it_has_them():
    known = exposure_index(
        RawNight("/x", "virus", (RawExposure(20190822, 11, 1, "sci", amplifiers=(raw("047", "LL"),)),))
    )
    used = [one for one in known.slots if one.used and one.slot != "047"]
    empty = next(one for one in known.slots if not one.used and any(
        (abs(one.x - o.x), abs(one.y - o.y)) in ((100.0, 0.0), (0.0, 100.0)) for o in used
    ) and all((one.x, one.y) != (o.x, o.y) for o in used))  # fmt: skip
    unknown = [f"9{n:02d}" for n in range(25)]
    parts = tuple(raw(slot, name) for slot in ("047", empty.slot, *unknown) for name in NAMES)
    index = exposure_index(RawNight("/x", "virus", (RawExposure(20190822, 11, 1, "sci", amplifiers=parts),)))
    view = heads.make(session(index))
    place = {one.slot: (one.x, one.y) for one in view.heads}
    assert place[empty.slot] == (empty.y, empty.x)
    plane = [place[slot] for slot in place if slot not in unknown]
    below = [place[slot] for slot in unknown]
    assert len(set(below)) == len(unknown) and max(y for _, y in below) < min(y for _, y in plane)
    wide = max(x for x, _ in plane) - min(x for x, _ in plane)
    assert max(x for x, _ in below) - min(x for x, _ in below) <= wide + 1  # no row makes all the others small


def test_drawing_all_amplifiers_of_a_whole_night_looks_at_each_once():
    """Two corners a cell, each of which asked all cells, took most of the time in which 936 amplifiers are judged."""
    looks = []

    class Counted(tuple[AmplifierCell, ...]):
        def __iter__(self):
            looks.append(1)
            return super().__iter__()

    cells = [AmplifierCell(n, f"{n:03d}L", f"{c}{r}", c, r) for n in range(78) for c in (0, 1) for r in (0, 1)]
    places = tuple(HeadPlace(f"{n:03d}", 100.0 * (n % 9), 100.0 * (n // 9), there=True) for n in range(78))
    view = HeadsView(1, "", FocalPlane(places, Counted(cells), 100.0), ())
    looks.clear()
    corners = np.array([view.corner(cell) for cell in cells])
    assert not looks and view.plane.shape == (2, 2)
    assert len(np.unique(corners, axis=0)) == len(cells)
