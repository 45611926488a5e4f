"""Amplifiers of a raw night that their read-out speaks against, as the list of problems shows them."""

from __future__ import annotations

import numpy as np

from ifuview.app.frames.intents import ShowProblem
from ifuview.app.night.intents import ShowProduct
from ifuview.app.night.open_night import here
from ifuview.app.night.state import AmplifierKey, HealthState
from ifuview.app.night.views import health
from ifuview.app.night.views.problem_list import TriageRow, TriageView
from ifuview.app.session import Session
from ifuview.engine.ccd.health import HealthLimits
from ifuview.model.figure import DOT, NONE, Curve, Figure, Rule, Scale
from ifuview.model.inspection import VerdictState
from ifuview.model.night.exposures import ExposureIndex
from ifuview.model.night.raw import DETECTOR

MARKS = {VerdictState.WRONG: "bad", VerdictState.LOOK: "known"}
WAITING = "Amplifiers are judged by their read-out; those that cannot be used are listed here."


def make(session: Session) -> TriageView | None:
    """A row for each amplifier and exposure, grouped by amplifier, the worst first."""
    night, state, bar = session.night, session.health, health.make(session)
    assert night is not None
    blinking = session.layout.value == "blink"
    if state is None or state.night is not night.index or bar is None:
        return TriageView((), WAITING, False, True, (), None, blinking)
    rows: list[TriageRow] = []
    groups: list[tuple[int, ...]] = []
    places: dict[tuple[int, ...], str] = {}
    for number, keys in enumerate(state.groups):
        group = tuple(range(len(rows), len(rows) + len(keys)))
        rows += [_row(state, night.index, key, number, alone=len(keys) == 1) for key in keys]
        groups.append(group)
        told = [night.index.name(key.expid) for key in keys[: health.MANY]]
        places[group] = " ".join(told) + (f" and {len(keys) - len(told)} more" if len(keys) > len(told) else "")
    headline = f"{bar.judged}: {len(groups)} want attention" if groups else bar.judged
    shown = _shown(session, state, groups)
    return TriageView(
        tuple(rows), headline, False, True, (), state, blinking, tuple(groups), places, shown, bool(state.todo)
    )  # fmt: skip


def _shown(session: Session, state: HealthState, groups: list[tuple[int, ...]]) -> int:
    """The row of the problem that the bar speaks of, that of the exposure on the canvas if it has one; -1 for none."""
    if not groups:
        return -1
    number = state.problem if 0 <= state.problem < len(groups) else 0
    now = here(session)
    on_canvas = None if now is None else (now.expid, now.camera)
    own = zip(groups[number], state.groups[number], strict=True)
    return next((row for row, key in own if (key.expid, key.camera) == on_canvas), groups[number][0])


def _row(state: HealthState, index: ExposureIndex, key: AmplifierKey, number: int, *, alone: bool) -> TriageRow:
    """One amplifier in one exposure; its cause is shown with all its exposures."""
    one = state.found[key]
    name = f"{key.camera} {key.name}"
    amount = f"{one.read.noise:.3g} e" if np.isfinite(one.read.noise) else ""
    go = ShowProblem(number=number) if alone else ShowProduct(key.expid, key.camera, DETECTOR)
    text = f"{name} of {index.name(key.expid)}: {one.state}: {one.text}."
    return TriageRow(None, f"{index.name(key.expid)} {name}", name, health.STEP, amount, MARKS[one.state], text, go)


def figure(view: TriageView, state: HealthState, number: int) -> Figure | None:
    """Read noise of all amplifiers in order, those of the row's amplifier marked: bad against good."""
    group = next((group for group in view.groups if number in group), ())
    place = view.groups.index(group) if group else -1
    bad = frozenset(state.groups[place]) if 0 <= place < len(state.groups) else frozenset()
    known = sorted(
        ((one.read.noise, key) for key, one in state.found.items() if np.isfinite(one.read.noise)),
        key=lambda pair: (pair[0], pair[1]),
    )
    if not known:
        return None
    noise = np.array([value for value, _ in known])
    marked = np.array([key in bad for _, key in known])
    order = np.arange(1, noise.size + 1, dtype=float)
    name = view.rows[number].name
    return Figure(
        "Read noise of all amplifiers that were asked",
        Scale("amplifiers, the quietest first"),
        Scale("read noise (electron)", log=True),
        (
            Curve(order, noise, "faint", "all", NONE, DOT, size=4),
            Curve(order[marked], noise[marked], "bad", name, NONE, DOT, size=8),
        ),
        (Rule(HealthLimits().noise_wrong, vertical=False, label="not used above"),),
    )
