"""The report of a photon list: its image with the selections, and their light."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.photons import light
from ifuview.app.photons.state import Picked
from ifuview.app.photons.views import light as pure
from ifuview.app.photons.views import light_text
from ifuview.app.photons.views.light import LightPart
from ifuview.app.photons.views.light_figure import figure
from ifuview.model.figure import readable
from ifuview.model.frames.report import Polyline, ReportInput
from ifuview.model.region import Region, Shape

if TYPE_CHECKING:
    from ifuview.app.photons.state import PhotonFrame
    from ifuview.app.session import Session
    from ifuview.engine.context import JobContext
    from ifuview.model.photons.lists import PhotonCut

CIRCLE_POINTS = 73
WIDTH = 2.0  # points, of the outline of a selection
EDGE = 0.9  # px, from the middle of a pixel to its frame
MARKED = "#ff9f1c"
CROSS = 1.5  # px, half of the mark of a pixel


def with_light(session: Session, ctx: JobContext) -> Session:
    """The session with the light of its selections counted, if it shows a photon list."""
    asked = light.request(session)
    if asked is None or (session.lights is not None and session.lights.request == asked):
        return session
    return replace(session, lights=light.count(asked, None, ctx))


def with_plots(report: ReportInput, session: Session) -> ReportInput:
    """The page of a photon list: plots and selections in place of fibers."""
    view = pure.make(session)
    slot = session.slot()
    assert slot is not None and slot.photons is not None
    found = view.found if not view.stale else ()
    said = [(readable(one.picked.color), light_text.summary(one)) for one in found]
    plain = [("#1a1a1a", cut_text(slot.photons.cut, view.unit))]
    if not said:
        plain.append(("#666666", "No pixel and no region was selected."))
    notes = (*report.notes, *filter(None, (light_text.notes(view),)))
    marks = tuple(line for one in found for line in _outline(one.picked))
    plots = tuple(figure(replace(view, found=found), part) for part in LightPart) if found else ()
    return replace(
        report, overlay=(*_marked(slot.photons), *marks), inspection=None, notes=notes, selections=(*plain, *said),
        plots=plots,
    )  # fmt: skip


def _marked(frame: PhotonFrame) -> tuple[Polyline, ...]:
    """Frames around the pixels and feedlines of what was found, as on the canvas."""
    if frame.judged is None:
        return ()
    boxes = [(x, y, x, y) for x, y in frame.judged.marked_pixels.tolist()]
    boxes += [area[1:] for area in frame.judged.marked_areas]
    x0, y0, x1, y1 = np.array(boxes, float).reshape(-1, 4).T + np.array([-EDGE, -EDGE, EDGE, EDGE])[:, None]
    gap = np.full(x0.shape, np.nan)  # between two frames
    x, y = (np.stack(v, axis=1).ravel() for v in ((x0, x1, x1, x0, x0, gap), (y0, y0, y1, y1, y0, gap)))
    return (Polyline(x, y, MARKED, width=1.0),) if boxes else ()


def cut_text(cut: PhotonCut, unit: str) -> str:
    """Which photons count."""
    time = f"{cut.start or 0:g} s to {'the end' if cut.stop is None else f'{cut.stop:g} s'}"
    low, high = ("any" if v is None else f"{v:g} {unit}" for v in (cut.low, cut.high))
    value = "all values" if low == high == "any" else f"{low} to {high}"
    return f"Photons from {time}, {value}{', weighted' if cut.weighted else ''}"


def _outline(picked: Picked) -> tuple[Polyline, ...]:
    """A selection as lines over the image."""
    if picked.pixel is not None:
        x, y = picked.pixel
        return (
            Polyline(np.array([x - CROSS, x + CROSS]), np.array([y, y], float), picked.color, width=WIDTH),
            Polyline(np.array([x, x], float), np.array([y - CROSS, y + CROSS]), picked.color, width=WIDTH),
        )
    region = picked.region
    assert region is not None
    return (Polyline(*_curve(region), readable(picked.color, (0, 0, 0)), width=WIDTH),)


def _curve(region: Region) -> tuple[np.ndarray, np.ndarray]:
    """Outline of a box or a circle."""
    cx, cy = region.points[0]
    if region.shape is Shape.CIRCLE:
        angle = np.linspace(0, 2 * np.pi, CIRCLE_POINTS)
        return cx + region.size[0] * np.cos(angle), cy + region.size[0] * np.sin(angle)
    w, h = (*region.size, region.size[0])[:2]
    u, v = np.array([-1, 1, 1, -1, -1]) * w / 2, np.array([-1, -1, 1, 1, -1]) * h / 2
    cos, sin = np.cos(np.radians(region.angle)), np.sin(np.radians(region.angle))
    return cx + cos * u - sin * v, cy + sin * u + cos * v
