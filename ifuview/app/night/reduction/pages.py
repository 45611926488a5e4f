"""Pages about what was reduced: one for each channel of an exposure, and one for each night that leads to them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ifuview import __version__
from ifuview.app.night.reduction.channel import ReducedChannel
from ifuview.app.night.reduction.state import LRS2
from ifuview.files import put, told
from ifuview.instrument import instrument
from ifuview.io.products.lrs2.folders import ROOT
from ifuview.model.frames.units import unit_words
from ifuview.model.verdict import VerdictState
from ifuview.recipes.lrs2.recipe import RECIPE
from ifuview.report.night.index import Cell, NightIndex, page
from ifuview.report.night.reduction import ReductionReport, ReportStep, save_report

WORDS = {
    "fail": ("\u2716", "a step is wrong"), "warn": ("\u25b2", "a step wants a look"), "pass": ("\u2714", "clean"),
    "failed": ("\u2298", "could not be reduced (listed at the end)"),
}  # fmt: skip
LEVELS = {VerdictState.WRONG: "fail", VerdictState.LOOK: "warn", VerdictState.CLEAN: "pass"}


def report_of(done: ReducedChannel) -> ReductionReport:
    """A reduced channel as a page."""
    steps = []
    for one in done.verdicts:
        figures = done.figures(one.step) if one.step in done.steps else ()
        steps.append(ReportStep(RECIPE.step(one.step).title, one.state, one.words, figures[0] if figures else None))
    found = [(f"{RECIPE.step(n.step).title}: {n.name}", f"{n.text} {unit_words(n.unit)}".strip()) for n in done.numbers]
    exposure = done.exposure
    return ReductionReport(
        f"{exposure.object} {done.setup.camera} {exposure.date} {exposure.observation:07d} exp{exposure.number:02d}",
        done.line, steps, found, done.notes, [os.path.basename(name) for name in done.files],
        f"{datetime.now():%Y-%m-%d %H:%M}", __version__,
    )  # fmt: skip


@dataclass(slots=True)
class ReductionPages:
    """The pages of a command: `add` is told of each channel, `finish` writes those of the nights.

    Parameters
    ----------
    output : str
        Folder that LRS2/... is in.
    """

    output: str
    cells: dict[int, dict[tuple[str, str], Cell]] = field(default_factory=dict)
    failed: dict[int, list[str]] = field(default_factory=dict)

    def add(self, done: ReducedChannel) -> str:
        """Write the page of a channel; its path.

        Raises
        ------
        UsageError
            It cannot be written.
        """
        exposure, camera = done.exposure, done.setup.camera
        folder = Path(done.files[0]).parent if done.files else Path(self.output, ROOT)
        stem = f"report_{exposure.date}_{exposure.observation:07d}_exp{exposure.number:02d}_{camera}"
        report = report_of(done)
        with told(self.output, "the report", "choose another folder"):
            folder.mkdir(parents=True, exist_ok=True)
            name = save_report(report, folder, stem)[0]
        link = (folder / name).relative_to(Path(self.output, ROOT)).as_posix()
        row = f"{exposure.observation:07d} exp{exposure.number:02d} {exposure.object}"
        self.cells.setdefault(exposure.date, {})[row, camera] = cell_of(report, done, link)
        if not done.complete:
            self.failed.setdefault(exposure.date, []).append(done.line)
        return str(folder / name)

    def finish(self) -> list[str]:
        """Write the pages of the nights; their paths.

        Raises
        ------
        UsageError
            They cannot be written.
        """
        out = []
        for date, cells in self.cells.items():
            worst = tuple(
                (cell.level, f"{row} {camera}", cell.text, cell.link)
                for (row, camera), cell in cells.items()
                if cell.level in ("fail", "warn")
            )
            title = f"Reduction of {date}"
            index = NightIndex(
                title, f"{datetime.now():%Y-%m-%d %H:%M}", __version__, cells, worst, tuple(self.failed.get(date, ())),
                levels=WORDS, order=tuple(one.name for one in instrument(LRS2).cameras),
            )  # fmt: skip
            path = Path(self.output, ROOT, f"night_{date}.html")
            with told(self.output, "the page of the night", "choose another folder"):
                put(path, page(index))
            out.append(str(path))
        return out


def cell_of(report: ReductionReport, done: ReducedChannel, link: str) -> Cell:
    """A channel of an exposure in the page of its night."""
    worst = report.worst
    if not done.complete:
        return Cell("failed", "not reduced", done.line, link=link)
    level = "pass" if worst is None else LEVELS[worst.state]
    bad = [step for step in report.steps if worst is not None and step.state is worst.state and level != "pass"]
    return Cell(level, bad[0].title if bad else "clean", report.verdict, len(bad), link)
