"""Playing a photon list through time: a few steps counted at once."""

from __future__ import annotations

from dataclasses import replace

from ifuview.app.photons import lists as photons
from ifuview.app.photons.counting import images as steps
from ifuview.app.photons.counting.unchanged import MICRO, check_unchanged
from ifuview.app.photons.state import PhotonFrame, PlayStep, Shown
from ifuview.engine.context import SILENT, JobContext
from ifuview.model.dataset import Dataset
from ifuview.model.photons.lists import TICK


def play_chunk(
    dataset: Dataset, frame: PhotonFrame, start: float, nstep: int, shown: Shown, ctx: JobContext = SILENT
) -> tuple[PlayStep, ...]:
    """Pictures of `nstep` steps of time from `start` (s) on, as far as the file goes."""
    from ifuview.engine.photons.counting.cut import bounds
    from ifuview.engine.photons.counting.live import LiveImage
    from ifuview.engine.photons.counting.sorted_columns import as_image

    check_unchanged(frame)
    live, info, cut = frame.live, frame.source.info, replace(frame.cut, weighted=False)
    end = steps.span_of(frame)
    first, width = round(start * MICRO), max(round(frame.step * MICRO), 1)
    nstep = max(1, min(nstep, -(-(round(end * MICRO) - first) // width)))
    cuts = [replace(cut, start=(first + k * width) * TICK, stop=(first + (k + 1) * width) * TICK) for k in range(nstep)]
    if isinstance(live, LiveImage):
        rows = live.counts_in_steps(first, width, nstep, bounds(info, cut))
        counted = [as_image(live.columns, row.astype("i8"), one) for row, one in zip(rows, cuts)]
    else:
        edges = [c.start or 0.0 for c in cuts] + [cuts[-1].stop or 0.0]
        cube = photons.cube(frame.source, "time", replace(cut, start=None, stop=None), edges=edges, ctx=ctx)
        counted = [
            replace(cube.image, counts=plane, variance=plane.astype("f8"), cut=one, start=one.start or 0.0,
                    stop=one.stop or 0.0, exposure=(one.stop or 0.0) - (one.start or 0.0), photons=int(plane.sum()))
            for plane, one in zip(cube.counts, cuts)
        ]  # fmt: skip
    ctx.checkpoint()
    return tuple(PlayStep(one, c, steps.picture(dataset, c, shown)) for c, one in zip(counted, cuts))
