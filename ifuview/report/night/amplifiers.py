"""All amplifiers as one HTML page that can be searched and sorted, and as JSON for other programs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from ifuview import resources
from ifuview.model.frames.units import unit_words
from ifuview.model.reduction.quality import AmplifierQuality, QualityNumber
from ifuview.model.verdict import VerdictState

TEMPLATE = "report/amplifiers.html.j2"
SIGNS = {VerdictState.WRONG: "✖", VerdictState.LOOK: "▲", VerdictState.CLEAN: "✔"}
DIGITS = 4


def as_json(rows: Sequence[AmplifierQuality]) -> str:
    """The numbers with their limits and states; what was not measured is null."""
    return json.dumps([_plain(row) for row in rows], indent=1)


def page(rows: Sequence[AmplifierQuality], title: str, version: str) -> str:
    """The page; every text from outside is escaped by the template."""
    from jinja2 import Environment, StrictUndefined

    names = {one.name: one for row in rows for one in row.numbers}
    text = resources.path(TEMPLATE).read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["unit"] = unit_words
    template = environment.from_string(text)
    shown = sorted(rows, key=lambda row: (ORDER[row.state], row.text))
    found = [(row, {one.name: one for one in row.numbers}) for row in shown]
    return template.render(
        title=title, version=version, rows=found, columns=list(names.values()), signs=SIGNS, shown=as_text
    )


ORDER = {VerdictState.WRONG: 0, VerdictState.LOOK: 1, VerdictState.CLEAN: 2}


def as_text(one: QualityNumber | None) -> str:
    """A number for people; nothing where it was not measured."""
    return "" if one is None or not math.isfinite(one.value) else f"{one.value:.{DIGITS}g}"


def _plain(row: AmplifierQuality) -> dict[str, object]:
    """One amplifier as plain data."""
    numbers = {
        one.name: {
            "value": one.value if math.isfinite(one.value) else None,
            "unit": one.unit,
            "look": one.look if math.isfinite(one.look) else None,
            "wrong": one.wrong if math.isfinite(one.wrong) else None,
            "state": str(one.state),
        }
        for one in row.numbers
    }
    return {
        "name": row.text, "ifuslot": row.slot, "specid": row.specid, "ifuid": row.ifuid, "contid": row.contid,
        "amp": row.amplifier, "date": row.date, "observation": row.observation, "exposure": row.exposure,
        "state": str(row.state), "problem": row.problem, "numbers": numbers, "notes": list(row.notes),
    }  # fmt: skip
