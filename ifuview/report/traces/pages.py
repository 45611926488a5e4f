"""The figures of a diagnosis as PNG files, and the pages of the PDF: first the words, then the figures."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from ifuview.files import put
from ifuview.model.traces.findings import advice_lines
from ifuview.model.verdict import as_state
from ifuview.report.traces.doctor_report import SIZE, DoctorReport, Drawn
from ifuview.report.words import INK, MARKS, PALE, legible, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE_FOLDER = "figures"
TOP, LEFT, LINE = 0.94, 0.06, 0.028  # of the page
TOP_FINDINGS = 3
MAX_LIST = 14
WRAP = 112  # characters of a line of the first page


def write_pngs(_report: DoctorReport, drawn: tuple[Drawn, ...], folder: Path) -> list[str]:
    """Each figure as figures/<name>.png."""
    place = folder / FIGURE_FOLDER
    place.mkdir(exist_ok=True)
    for one in drawn:
        put(place / f"{one.name}.png", one.png)
    return [f"{FIGURE_FOLDER}/{one.name}.png" for one in drawn]


def write_pdf(report: DoctorReport, drawn: tuple[Drawn, ...], folder: Path) -> list[str]:
    """report.pdf: the first page in words, then one figure a page."""
    put(folder / "report.pdf", _pdf(report, drawn))
    return ["report.pdf"]


def _pdf(report: DoctorReport, drawn: tuple[Drawn, ...]) -> bytes:
    """The pages."""
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    first = Figure(figsize=SIZE, facecolor="white")
    _first_page(first, report)
    out = io.BytesIO()
    with PdfPages(out, metadata={"Title": plain(report.title), "Creator": f"ifuview {report.version}"}) as pages:
        pages.savefig(legible(first))
        for one in drawn:
            pages.savefig(legible(one.figure))
    return out.getvalue()


def _first_page(figure: Figure, report: DoctorReport) -> None:
    """Verdict in one sentence, the three most important findings, what to do; then all findings."""
    sign, word, color = MARKS[as_state(report.diagnosis.verdict)]
    page = _Page(figure)
    page.text(report.title, 17, weight="bold")
    page.text(f"ifuview {report.version}, {report.created}", 9, color=PALE)
    page.gap()
    page.text(word, 15, mark=sign, weight="bold", color=color)
    page.text(report.diagnosis.sentence, 13)
    page.gap()
    found = report.findings
    if found:
        page.text("Most important", 12, weight="bold")
        for one in found[:TOP_FINDINGS]:
            sign, _, color = MARKS[as_state(one.verdict)]
            page.text(one.title, 11, mark=sign, color=color, weight="bold")
            page.text(one.text, 10, indent=0.02)
    page.gap()
    page.text("What to do", 12, weight="bold")
    for advice in advice_lines(report.diagnosis)[:MAX_LIST]:
        page.text(advice, 10, mark="•")
    if not report.diagnosis.advice:
        page.text("Nothing: the traces can be used as they are.", 10, mark="•")
    page.gap()
    if len(found) > TOP_FINDINGS:
        page.text("Also found", 12, weight="bold")
        for one in found[TOP_FINDINGS:MAX_LIST]:
            text = one.text if one.group == "fiber" else f"{one.title}: {one.text}"
            page.text(text, 9, mark="i" if one.group == "frame" else MARKS[as_state(one.verdict)][0])
        if len(found) > MAX_LIST:
            page.text(f"and {len(found) - MAX_LIST} more, see report.html", 9, color=PALE)
        page.gap()
    for role, name, digest in report.inputs:
        page.text(f"{role}: {name}  (sha256 {digest[:16]})", 8, color=PALE)


class _Page:
    """Writes lines from the top of a page downwards and stops at its end."""

    def __init__(self, figure: Figure) -> None:
        self.figure, self.y = figure, TOP

    def gap(self) -> None:
        """Half a line."""
        self.y -= LINE / 2

    def text(
        self, text: str, size: float, *, mark: str = "", color: str = INK, weight: str = "normal", indent: float = 0.0
    ) -> None:
        """A paragraph, with a sign before it."""
        for line in textwrap.wrap(plain(text), int(WRAP * 10 / size)) or [""]:
            if self.y < LINE:
                return
            line, mark = f"{mark} {line}" if mark else line, ""
            self.figure.text(LEFT + indent, self.y, line, size=size, color=color, weight=weight, va="top")
            self.y -= LINE * max(size / 10, 0.9)
