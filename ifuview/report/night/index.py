"""A night as one HTML page: exposures by cameras, colored by the worst finding, each linked to its own report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ifuview import resources

TEMPLATE = "report/night_index.html.j2"
# level -> sign and words, worst first; the sign says it also without color
LEVELS: dict[str, tuple[str, str]] = {
    "fail": ("✖", "a step of the processing or a detector is bad"),
    "warn": ("▲", "single fibers are bad"),
    "note": ("•", "known faults, or real light"),
    "pass": ("✔", "clean"),
    "failed": ("⊘", "could not be done (listed at the end)"),
    "waiting": ("…", "not yet done"),
}
UNREAD = "!"  # files of a camera could not be read


@dataclass(frozen=True, slots=True)
class Cell:
    """One camera of one exposure.

    Parameters
    ----------
    level : str
        One of LEVELS.
    short, text : str
        In two words, in a sentence.
    count : int
        Findings.
    link : str
        Its report, relative to the page.
    problems : int
        Files that could not be read.
    """

    level: str
    short: str = ""
    text: str = ""
    count: int = 0
    link: str = ""
    problems: int = 0


@dataclass(frozen=True, slots=True)
class NightIndex:
    """What the page shows.

    Parameters
    ----------
    cells : mapping of (exposure, camera) to Cell
    worst : tuple of (level, place, sentence, link)
    failed : tuple of str
        What could not be done or read, and why.
    together : str
        The page about all findings together, relative to this one; "" without one.
    waiting : int
        Cameras that are not done yet.
    levels : mapping of str to (str, str)
        Sign and words of each level.
    order : tuple of str
        Cameras in their order; those that it does not name go by spectrograph, then arm.
    """

    title: str
    created: str
    version: str
    cells: Mapping[tuple[str, str], Cell]
    worst: tuple[tuple[str, str, str, str], ...] = ()
    failed: tuple[str, ...] = ()
    together: str = ""
    waiting: int = 0
    levels: Mapping[str, tuple[str, str]] = field(default_factory=lambda: MappingProxyType(LEVELS))
    order: tuple[str, ...] = ()

    @property
    def cameras(self) -> tuple[str, ...]:
        """Columns."""
        first = {name: n for n, name in enumerate(self.order)}
        return tuple(
            sorted({camera for _, camera in self.cells}, key=lambda c: (first.get(c, len(first)), c[1:], c[:1]))
        )

    @property
    def exposures(self) -> tuple[str, ...]:
        """Rows."""
        return tuple(sorted({exposure for exposure, _ in self.cells}))

    @property
    def counts(self) -> dict[str, int]:
        """Cells of each level that there is."""
        levels = [cell.level for cell in self.cells.values()]
        return {level: levels.count(level) for level in LEVELS if level in levels}


def page(index: NightIndex) -> str:
    """The page; every text from outside is escaped by the template."""
    from jinja2 import Environment, StrictUndefined

    text = resources.path(TEMPLATE).read_text(encoding="utf-8")
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(text)
    return template.render(index=index, levels=index.levels, unread=UNREAD)
