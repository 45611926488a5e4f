"""All classes of defects by name."""

from __future__ import annotations

from ifuview.simulate.defects import detector, everywhere, fibers, runs
from ifuview.simulate.defects.plant import Defect

DEFECTS: dict[str, Defect] = {
    defect.name: defect for part in (fibers, runs, detector, everywhere) for defect in part.DEFECTS
}
TOGETHER: dict[str, Defect] = {defect.name: defect for defect in everywhere.TOGETHER}  # one camera alone tells not
