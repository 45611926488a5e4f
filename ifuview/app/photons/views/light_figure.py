"""Each plot of the light of selections as a figure, for the dock and for the report."""

from __future__ import annotations

from ifuview.app.photons.views import light_lines, light_text
from ifuview.app.photons.views.light import TITLES, How, LightPart, LightView
from ifuview.model.figure import DOTTED, Figure, Range, Rule, Scale


def figure(
    view: LightView, part: LightPart, how: How = How.RATE, span: Range | None = None, *, log: bool | None = None
) -> Figure:
    """One plot.

    Parameters
    ----------
    view : LightView
    part : LightPart
    how : How
        What a spectrum is given in.
    span : (start, stop), s, optional
        The part of light curves in view; of many bins in it their means are drawn.
    log : bool, optional
        Logarithmic vertical axis. Default: for inter-arrival times, whose horizontal axis always is.
    """
    along_log = part is LightPart.INTERVALS
    log = along_log if log is None else log
    curves = light_lines.lines(view, part, how, span)
    x, y = light_lines.axis_labels(view, part, how)
    more = light_lines.means_text(view, span).partition(";")[0] if part is LightPart.CURVE else ""
    return Figure(
        f"{TITLES[part]}, {more}" if more else TITLES[part],
        Scale(x, light_lines.horizontal(view, part, curves), along_log),
        Scale(y, light_lines.vertical(curves, log=log), log),
        curves,
        _dead_time(view) if along_log else (),
        notes=_notes(view, part),
    )


def _dead_time(view: LightView) -> tuple[Rule, ...]:
    """A line at the dead time of the detector."""
    return tuple(Rule(time, color="bad", stroke=DOTTED) for time in light_lines.dead_times(view)[:1] if time > 0)


def _notes(view: LightView, part: LightPart) -> tuple[tuple[str, str], ...]:
    """What the laws say of each selection, and which line is which."""
    words = {LightPart.HISTOGRAM: light_text.law_text, LightPart.INTERVALS: light_text.interval_text}.get(part)
    said = [(one.picked.color, words(one)) for one in view.found] if words is not None else []
    rows = [(color, text) for color, text in said if text]
    return (*rows, ("faint", light_text.LAWS[part])) if rows else ()
