"""The words of a report page: title, verdicts, files, header, versions."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ifuview.model.frames.report import ReportInput
from ifuview.model.verdict import VERDICT_COLORS, VERDICT_SIGNS, VerdictState

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE = 1.45  # line height over font size
PX_PER_POINT = 100 / 72
CHARACTER = 0.58  # mean width of a character over the font size
LAST_GLYPH = 0x52F  # Latin, Greek and Cyrillic are in the font
LAST_SYMBOL = 0x2BFF  # with arrows and signs of mathematics
FORMULA = "$\\mathdefault{"  # of matplotlib's own labels of logarithms
TYPOGRAPHY = "–—‘’“”…≤≥≈−√∞±"
INK, PALE = "#1a1a1a", "#666666"
MARKS = {  # the sign, the word and the color say the same
    state: (VERDICT_SIGNS[state], state.value.upper(), VERDICT_COLORS[state]) for state in VerdictState
}
MAX_CARDS = 18


def plain(text: object) -> str:
    """`text` on one line, with a question mark for what the font has not."""
    line = " ".join(str(text).split())
    return "".join(c if ord(c) <= LAST_GLYPH or c in TYPOGRAPHY else "?" for c in line)


def legible(figure: Figure) -> Figure:
    """The figure with all its texts in glyphs that the font has; a dollar of a name begins no formula."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        words = text.get_text()
        if not words.startswith(FORMULA):
            text.set_parse_math(False)
        if not words.isascii():
            text.set_text("".join(c if ord(c) <= LAST_SYMBOL else "?" for c in words))
    return figure


def draw_title(axes: Axes, report: ReportInput) -> None:
    """Title on the left, date on the right, a rule below."""
    width, height = axes.get_xlim()[1], axes.get_ylim()[0]
    title = _shortened(plain(report.title), width - 420, 20)
    axes.text(0, 12, title, size=20, weight="bold", color=INK, va="top")
    axes.text(width, 20, f"ifuview report, {plain(report.created)}", size=11, color=PALE, va="top", ha="right")
    axes.plot([0, width], [height - 4, height - 4], color=INK, linewidth=1.2)


def draw_verdicts(axes: Axes, report: ReportInput, *, selections: bool = True) -> None:
    """Each verdict: sign, word and title in color, the reason below in full; then what is shown, unless elsewhere."""
    pen = _Pen(axes)
    pen.line("Verdicts", 14, weight="bold")
    if not report.verdicts:
        pen.paragraph("No fiber was selected, so nothing was judged.", 12, color=PALE)
    for entry in report.verdicts:
        sign, word, color = MARKS[entry.verdict]
        pen.space(8)
        pen.line(f"{sign} {word}: {plain(entry.title)}", 13, weight="bold", color=color)
        pen.paragraph(plain(entry.text), 12)
    for fact in report.facts:
        pen.space(8)
        pen.paragraph(plain(fact), 12)
    if selections:
        _write_selections(pen, report)
    for note in report.notes:
        pen.space(8)
        pen.paragraph(f"Note: {plain(note)}", 11, color=PALE)


def draw_selections(axes: Axes, report: ReportInput) -> None:
    """What is shown of a photon list, by itself."""
    _write_selections(_Pen(axes), report)


def _write_selections(pen: _Pen, report: ReportInput) -> None:
    for color, text in report.selections:
        pen.space(8)
        pen.paragraph(plain(text), 12, color=color)


def draw_facts(axes: Axes, report: ReportInput) -> None:
    """Three columns: files, header essentials, versions."""
    width = axes.get_xlim()[1]
    axes.plot([0, width], [0, 0], color=INK, linewidth=1.2)
    files = _Pen(axes, 0, 0.44 * width, top=12)
    files.line("Files", 13, weight="bold")
    for path in report.files:
        files.paragraph(plain(path), 11)
    cards = _Pen(axes, 0.47 * width, 0.33 * width, top=12)
    cards.line("Header", 13, weight="bold")
    _draw_cards(cards, report.header[:MAX_CARDS])
    versions = _Pen(axes, 0.83 * width, 0.17 * width, top=12)
    versions.line("Versions", 13, weight="bold")
    for name, version in report.versions:
        versions.line(_shortened(f"{plain(name)} {plain(version)}", 0.17 * width, 11), 11)


def _draw_cards(pen: _Pen, cards: tuple[tuple[str, str], ...]) -> None:
    """Header cards in two columns."""
    half = (len(cards) + 1) // 2
    top = pen.y
    for column, part in enumerate((cards[:half], cards[half:])):
        pen.y = top
        for keyword, value in part:
            pen.line(
                _shortened(f"{plain(keyword)}  {plain(value)}", pen.width / 2 - 12, 11),
                11,
                shift=column * pen.width / 2,
            )


def _shortened(text: str, width: float, size: float) -> str:
    """`text` cut in the middle so that it fits `width` pixels."""
    most = max(8, int(width / (CHARACTER * size * PX_PER_POINT)))
    if len(text) <= most:
        return text
    head = most // 2 - 2
    return f"{text[:head]} … {text[-(most - head - 3) :]}"


class _Pen:
    """Writes lines of text downwards in a column and stops at the end of the box."""

    def __init__(self, axes: Axes, x: float = 0, width: float | None = None, top: float = 0) -> None:
        self.axes, self.x, self.y = axes, x, top
        self.width = width or axes.get_xlim()[1]
        self.bottom = axes.get_ylim()[0]

    def space(self, pixels: float) -> None:
        """Leave some space."""
        self.y += pixels

    def line(self, text: str, size: float, *, shift: float = 0, weight: str = "normal", color: str = INK) -> None:
        """One line; nothing when the box is full."""
        height = size * PX_PER_POINT * LINE
        if self.y + height <= self.bottom:
            self.axes.text(self.x + shift, self.y, text, size=size, weight=weight, color=color, va="top")
            self.y += height

    def paragraph(self, text: str, size: float, *, color: str = INK) -> None:
        """A text broken into lines."""
        most = max(8, int(self.width / (CHARACTER * size * PX_PER_POINT)))
        for part in textwrap.wrap(text, most) or [""]:
            self.line(part, size, color=color)
