"""The demo: simulated files with a few planted defects, and the stops of a short tour through them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ifuview.app.frames import intents as want
from ifuview.app.frames.tour import Stop, TourPlan
from ifuview.app.session import Layout, Session
from ifuview.engine.context import SILENT, JobContext

SEED = 7


def prepare(ctx: JobContext = SILENT, folder: str | None = None) -> TourPlan:
    """Simulate the demo files (into a new temporary folder by default) and plan the tour."""
    from ifuview import simulate

    place = Path(folder) if folder else Path(tempfile.mkdtemp(prefix="ifuview-demo-"))
    place.mkdir(parents=True, exist_ok=True)
    ctx.checkpoint(0.1, "Simulating")
    written = simulate.demo(place, SEED)
    shown = [str(p) for p in _in_order(written)]
    return TourPlan(tuple(shown), tour(simulate.demo_truth(place)))


def _in_order(paths: list[Path]) -> list[Path]:
    """The images in the order of the tour; the psf is found beside them."""
    order = ("preproc", "frame", "sframe", "sky", "fiberflat")

    def rank(path: Path) -> int:
        return next((i for i, name in enumerate(order) if path.name.startswith(name)), len(order))

    images = [p for p in paths if rank(p) < len(order) and not p.name.startswith("fiberflat")]
    return sorted(images, key=lambda p: (rank(p), p.name))


def tour(truth: dict[str, int]) -> tuple[Stop, ...]:
    """The stops, for the planted defects: fibers "kink", "dead" and "bump" of the simulation."""
    return (
        Stop(
            "The verdict first",
            "The bar across the window says what is wrong first: which fiber, which wavelengths, which step, how sure. "
            "] goes to the next problem, Return blinks its proof. Here the traces of a flat are judged; nothing was "
            "pressed.",
            show="preproc",
            fiber=truth["kink"],
            dock="findings",
        ),
        Stop(
            "A detector image with its traces",
            "This is a flat, with zscale limits. The traces come from the psf file beside it. "
            "The wheel zooms at the cursor, a left drag pans, a right drag changes the contrast.",
            show="preproc",
        ),
        Stop(
            "Is this trace right?",
            f"Fiber {truth['kink']} is selected, as a click would do. The trace quality dock shows the measured center "
            "minus the trace, with errors from the noise: this trace has a kink.",
            show="preproc",
            fiber=truth["kink"],
            dock="quality",
        ),
        Stop(
            "A dead fiber",
            f"Fiber {truth['dead']} has a trace but no light. In the frame it is one dark row, which stays visible at "
            "any zoom because the image is reduced by its extremes.",
            show="frame",
            fiber=truth["dead"],
            dock="section",
        ),
        Stop(
            "Blink: which step?",
            "Blinking frame, sframe and sky (key b; hold space for the previous one) shows where a defect comes in. "
            "Here a bump in some fibers is in the sky model and in the sframe, but not in the frame.",
            show="sframe",
            fiber=truth["bump"],
            layout=Layout.TILE,
            dock="spectrum",
        ),
        Stop(
            "Report",
            "Ctrl+E writes what you see as one PNG: image, cross-section, spectrum, trace quality and the verdicts. "
            "All keys are listed under ?.",
            show="preproc",
            fiber=truth["kink"],
            dock="quality",
        ),
    )


def intents_of(stop: Stop, session: Session) -> tuple[want.Intent, ...]:
    """What the window has to do to be at a stop."""
    out: list[want.Intent] = [want.SetLayout(stop.layout)]
    slot = next((s for s in session.slots if s.title.startswith(stop.show)), None) if stop.show else None
    if slot is not None:
        out.append(want.SelectSlot(slot.key))
    if stop.fiber is not None:
        out.append(want.SelectFiber(stop.fiber))
    if stop.dock:
        out.append(want.ShowDock(stop.dock))
    return tuple(out)
