"""Amplifiers of a raw night that their read-out speaks against, as the list of problems shows them."""

from __future__ import annotations

import numpy as np

from ifuview.app.frames.intents import ShowProblem
from ifuview.app.night.amplifiers.health import limits_of
from ifuview.app.night.intents import ShowProduct
from ifuview.app.night.open_night import here
from ifuview.app.night.state import AmplifierKey, HealthState
from ifuview.app.night.views import health
from ifuview.app.night.views.problem_list import TriageRow, TriageView
from ifuview.app.session import Session
from ifuview.engine.ccd.health import HealthLimits
from ifuview.instrument import instrument
from ifuview.model.figure import DOT, NONE, Curve, Figure, Rule, Scale
from ifuview.model.night.exposures import ExposureIndex
from ifuview.model.night.raw import DETECTOR
from ifuview.model.verdict import VerdictState

FAR, ROOM = 2.0, 1.2  # times the limit on read noise; of an axis
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
    lines: dict[tuple[int, ...], str] = {}
    for number, keys in enumerate(state.groups):
        group = tuple(range(len(rows), len(rows) + len(keys)))
        rows += [_row(state, night.index, key, number, alone=len(keys) == 1) for key in keys]
        groups.append(group)
        told = [night.index.name(key.expid) for key in keys[: health.MANY]]
        more = f" and {len(keys) - len(told)} more" if len(keys) > len(told) else ""
        lines[group] = rows[group[0]].line(" ".join(told) + more)
    headline = f"{bar.judged}: {len(groups)} want attention" if groups else bar.judged
    shown = _shown(session, state, groups)
    return TriageView(
        tuple(rows), headline, False, True, (), state, blinking, tuple(groups), lines, shown,
        "" if rows else _asked(state),
    )  # fmt: skip


def _asked(state: HealthState) -> str:
    """What was asked of how much, where nothing was found: that is what the verdict is worth."""
    reads = [one.read for one in state.found.values() if np.isfinite(one.read.noise)]
    if not reads:
        return ""
    limits = _limits(state)
    noise, full = [read.noise for read in reads], max(read.saturated for read in reads)
    detectors, exposures = {key.camera for key in state.found}, {key.expid for key in state.found}
    word = "exposure" if len(exposures) == 1 else "exposures"
    return "\n".join((
        f"{len(state.found)} amplifiers of {len(detectors)} detectors in {len(exposures)} {word} were asked:",
        f"read noise {min(noise):.2f}\u2013{max(noise):.2f} e (look above {limits.noise_look:g}, "
        f"wrong above {limits.noise_wrong:g});",
        f"saturated pixels up to {full:.2%} (look above {limits.saturated_look:.1%}, "
        f"wrong above {limits.saturated_wrong:.0%});",
        "none reads zeros or has a bit of the converter that does not change.",
        "Traces, wavelengths, flat and sky are not judged before a reduction (Ctrl+Shift+J).",
    ))  # fmt: skip


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


def _limits(state: HealthState) -> HealthLimits:
    """Of the instrument of the night."""
    raw = state.night.raw_night
    return HealthLimits() if raw is None else limits_of(instrument(raw.instrument))


def _scale(noise: np.ndarray, limit: float) -> Scale:
    """Of read noise, with the limit in view; logarithmic where some are far above it."""
    least, most = float(noise.min()), float(noise.max())
    far = most > FAR * limit
    return Scale("read noise (e)", (least / ROOM, most * ROOM) if far else (0.0, limit * ROOM), log=far)


def figure(view: TriageView, state: HealthState, number: int) -> Figure | None:
    """Read noise of all amplifiers in order, those of the row's amplifier marked (-1: none): bad against good."""
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
    order, limit = np.arange(1, noise.size + 1, dtype=float), _limits(state).noise_wrong
    own = Curve(order[marked], noise[marked], "bad", view.rows[number].name, NONE, DOT, size=8) if number >= 0 else None
    return Figure(
        "Read noise of all amplifiers that were asked",
        Scale("amplifiers, the quietest first"),
        _scale(noise, limit),
        (
            Curve(order, noise, "faint", "all", NONE, DOT, size=4),
            *(() if own is None else (own,)),
        ),
        (Rule(limit, vertical=False, label="not used above"),),
    )
