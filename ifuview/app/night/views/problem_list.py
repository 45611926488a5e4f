"""The list of problems as a value: findings of a triage, or amplifiers of raw exposures, grouped by cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ifuview.app.frames.intents import Intent
from ifuview.app.night.state import HealthState, TriageState
from ifuview.model.night.triage import Cause, Finding

DOT = " \u00b7 "


@dataclass(frozen=True, slots=True)
class TriageRow:
    """One finding, or one amplifier that its read-out speaks against; `mark` is "bad", "known" or "info".

    `text` is what was found in a sentence, `go` what takes the window there.
    """

    finding: Finding | None
    place: str
    name: str
    step: str
    amount: str
    mark: str
    text: str
    go: Intent

    def line(self, *where: str) -> str:
        """What stands below the name of its cause: the step, how much, where."""
        return DOT.join(filter(None, (self.step, self.amount, *where)))

    @property
    def alone(self) -> str:
        """One of several findings of a cause."""
        return DOT.join(filter(None, (self.place, self.amount)))


@dataclass(frozen=True, slots=True, eq=False)
class TriageView:
    """Everything the dock shows; `groups` are the rows of each cause, `lines` what is said of each of those.

    `shown` is the row that the bar and the canvas speak of; `asked` says what was judged,
    and on how much, where there is nothing to list. `scopes`: what can be looked at, in words and as it is asked for.
    """

    rows: tuple[TriageRow, ...]
    headline: str
    can_run: bool
    done: bool
    causes: tuple[Cause, ...]
    state: TriageState | HealthState | None
    blinking: bool
    groups: tuple[tuple[int, ...], ...] = ()
    lines: Mapping[tuple[int, ...], str] = field(default_factory=dict)
    shown: int = -1
    asked: str = ""
    scopes: tuple[tuple[str, str], ...] = ()

    @property
    def content(self) -> object:
        """Another one when there is anything else to list."""
        return self.state.result if isinstance(self.state, TriageState) else tuple(row.text for row in self.rows)

    @property
    def can_export(self) -> bool:
        """Whether there is a triage to write."""
        return self.done and isinstance(self.state, TriageState)
