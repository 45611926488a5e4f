"""A reduced exposure as one page, HTML and PNG: the verdict first, then each step with its answer and its figure."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ifuview import resources
from ifuview.files import put
from ifuview.model.figure import Figure
from ifuview.model.verdict import VERDICT_COLORS, VerdictState
from ifuview.report.figures import draw_figure
from ifuview.report.page import as_png, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Paper

TEMPLATE = "report/reduction.html.j2"
ACROSS = 3  # figures beside each other
WIDTH, ROW, LINE, HEAD = 20.0, 3.6, 0.24, 0.9  # inches: of the page, a row of figures, a line of text, the head
DPI = 75
LONGEST = 190  # characters of a line of the picture
SIGNS = {  # sign, class of the page, words
    VerdictState.WRONG: ("\u2716", "fail", "wrong"),
    VerdictState.LOOK: ("\u25b2", "warn", "look"),
    VerdictState.CLEAN: ("\u2714", "pass", "clean"),
    VerdictState.NOT_JUDGED: ("\u2013", "waiting", "not judged"),
}


@dataclass(frozen=True, slots=True)
class ReportStep:
    """One step: its title, state and sentence, and its first figure."""

    title: str
    state: VerdictState
    text: str
    figure: Figure | None = None

    @property
    def sign(self) -> str:
        """Of the state; it says it also without color."""
        return SIGNS.get(self.state, SIGNS[VerdictState.NOT_JUDGED])[0]

    @property
    def key(self) -> str:
        """Class of the state."""
        return SIGNS.get(self.state, SIGNS[VerdictState.NOT_JUDGED])[1]


@dataclass(frozen=True, slots=True)
class ReductionReport:
    """What the page shows.

    Parameters
    ----------
    title : str
    line : str
        What came of the exposure.
    steps : sequence of ReportStep
    numbers : sequence of (str, str)
    notes, files : sequence of str
    created, version : str
    """

    title: str
    line: str
    steps: Sequence[ReportStep]
    numbers: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    files: Sequence[str] = ()
    created: str = ""
    version: str = ""

    @property
    def worst(self) -> ReportStep | None:
        """The step that is worst, the first of several; None if nothing was judged."""
        for state in (VerdictState.WRONG, VerdictState.LOOK, VerdictState.CLEAN):
            found = [step for step in self.steps if step.state is state]
            if found:
                return found[0]
        return None

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        worst = self.worst
        if worst is None:
            return "not judged"
        if worst.state is VerdictState.CLEAN:
            return f"clean: {sum(step.state is worst.state for step in self.steps)} steps judged, nothing found"
        return f"{SIGNS[worst.state][2]}: {worst.title}: {worst.text}"


def save_report(report: ReductionReport, folder: Path, stem: str) -> tuple[str, str]:
    """Write STEM.html and STEM.png; their names.

    Raises
    ------
    UsageError
        They cannot be written.
    """
    names = f"{stem}.html", f"{stem}.png"
    put(folder / names[1], picture(report))
    put(folder / names[0], page(report))
    return names


def page(report: ReductionReport) -> str:
    """The page with its figures; every text from outside is escaped by the template."""
    from jinja2 import Environment, StrictUndefined

    text = resources.path(TEMPLATE).read_text(encoding="utf-8")
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(text)
    png = b64encode(picture(report, words=False)).decode()
    return template.render(report=report, png=f"data:image/png;base64,{png}")


def picture(report: ReductionReport, words: bool = True) -> bytes:
    """The page as PNG: verdict, steps, figures; or the figures alone."""
    from matplotlib.figure import Figure as Paper

    drawn = [step for step in report.steps if step.figure is not None]
    text = HEAD + LINE * (len(report.steps) + 1) if words else 0.0
    rows = max(math.ceil(len(drawn) / ACROSS), 1)
    height = text + ROW * rows
    with style({"font.size": 9.0, "axes.titlesize": 10.0, "axes.labelsize": 9.0, "legend.fontsize": 8.0}):
        paper = Paper(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
        if words:
            _put_words(paper, report, height)
        for number, step in enumerate(drawn):
            row, column = divmod(number, ACROSS)
            box = (
                (column + 0.14) / ACROSS, 1 - (text + ROW * (row + 0.84)) / height, 0.8 / ACROSS, 0.66 * ROW / height
            )  # fmt: skip
            assert step.figure is not None
            draw_figure(paper.add_axes(box), step.figure, size=9.0)
        return as_png(paper, DPI, report.title)


def _put_words(paper: Paper, report: ReductionReport, height: float) -> None:
    """Title, verdict and a line for each step at the top of a picture of that height (inches)."""
    worst = report.worst
    paper.text(0.02, 1 - 0.3 / height, report.title, size=16, weight="bold", va="center")
    color = VERDICT_COLORS[VerdictState.NOT_JUDGED if worst is None else worst.state]
    paper.text(0.02, 1 - 0.65 / height, report.verdict[:LONGEST], size=13, color=color, va="center")
    for number, step in enumerate(report.steps):
        line = f"{step.sign} {step.title}: {step.text}"[:LONGEST]
        paper.text(
            0.02, 1 - (HEAD + LINE * (number + 0.5)) / height, line, color=VERDICT_COLORS[step.state], va="center"
        )
