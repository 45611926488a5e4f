"""The promise of the triage: for every class of planted defects, found against the S/N that an ideal observer has.

`python -m tests.bench truth` plants each class into b, r and z cameras (made ones, and the shared ones with new noise)
at the signal to noise of the bar and at fractions of it, asks the engine, and writes `truth.md` and `truth.png` into
IFUVIEW_BENCH_OUT (default: the working folder; README links to a run in `packaging/truth`). What one camera alone
cannot tell is planted into one of three petals. Clean cameras with target lines, broad targets, moon, airglow and
bright stars must give nothing. IFUVIEW_BENCH_ONLY names classes (`row band, hot column`) and `clean` for a part of it,
IFUVIEW_BENCH_TRIALS the trials of a class at the bar, IFUVIEW_BENCH_CLEAN the clean cameras, IFUVIEW_BENCH_SEED a
number that all seeds begin at: thresholds were chosen on those from 0.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ifuview.app.night.triage.between import between
from ifuview.model.night.chain import Chain
from ifuview.model.night.triage import Finding
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.plant import Defect, Truth, plant, plant_at

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "desi"
FOUND, RIGHT, FIBERS, CPU = 0.95, 0.95, 0.90, 0.6
OVERLAP, EXTRA = 0.8, 0.1  # of the true fibers that must be named, of fibers that need not
LEVELS = (0.5, 0.75, 1.0, 1.5)  # of the amplitude of the bar
CURVE = 3  # trials at the bar for one elsewhere on the curve
TRIALS = int(os.environ.get("IFUVIEW_BENCH_TRIALS", "21"))
SEED = int(os.environ.get("IFUVIEW_BENCH_SEED", "0"))
PETALS = 3
SCENES = ({}, {"broad": True}, {"stars": 3}, {"moon": 0.2}, {"plane": 0.2})
CLEAN = int(os.environ.get("IFUVIEW_BENCH_CLEAN", "200"))
CLEAN_NAME = "clean"
ONLY = {name.strip() for name in os.environ.get("IFUVIEW_BENCH_ONLY", "").split(",")} - {""}
OUT = Path(os.environ.get("IFUVIEW_BENCH_OUT", "."))


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of the trials of a class at one strength: `part` of that of the bar, or of the usual one."""

    name: str
    part: float
    snr: float
    amplitude: float
    unit: str
    found: float
    right: float
    fibers: float
    trials: int


def rows(quick: bool) -> Iterator[tuple[str, float, float, str, bool]]:
    """The bars: shares at the S/N of the bar, false alarms, CPU; the curves go into the files."""
    scores: list[Score] = []
    trials = 3 if quick else TRIALS
    for defect in _chosen():
        together = defect.name in table.TOGETHER
        for part in (1.0,) if quick or not (defect.snr or together) else LEVELS:
            count = trials if part == 1.0 else -(-trials // CURVE)
            scores.append((measured_together if together else measured)(defect, part, count))
        bar = next(s for s in scores if (s.name, s.part) == (defect.name, 1.0))
        for what, value, least in (
            ("found", bar.found, FOUND),
            ("right", bar.right, RIGHT),
            ("fibers", bar.fibers, FIBERS),
        ):
            yield (f"{defect.name}: {what}", 100 * value, 100 * least, "%", value >= least)
    if ONLY and CLEAN_NAME not in ONLY:
        return written(scores, 0, 0, OUT)
    false, count, seconds = false_alarms(10 if quick else CLEAN)
    yield (f"clean cameras of {count} with a false alarm", float(false), 0.5, "", not false)
    yield ("engine of the triage, CPU a camera (median)", seconds, CPU, "s", seconds <= CPU)
    written(scores, false, count, OUT)


def _chosen() -> list[Defect]:
    """The classes that are wanted."""
    classes = table.DEFECTS | table.TOGETHER
    unknown = ONLY - set(classes) - {CLEAN_NAME}
    if unknown:
        names = ", ".join(classes)
        raise SystemExit(f"IFUVIEW_BENCH_ONLY: no class {', '.join(sorted(unknown))}; there are {names}")
    return [defect for name, defect in classes.items() if not ONLY or name in ONLY]


def measured(defect: Defect, part: float, trials: int) -> Score:
    """Trials of a class at a part of the amplitude of its bar, a third of them on each arm."""
    marks = []
    for number in range(trials):
        chain, natural = base(number)
        planted = plant_at(chain, defect, defect.snr, seed=SEED + number)
        if part != 1.0:
            planted = plant(chain, defect, part * planted.amplitude, seed=SEED + number)
        found = [f for f in desi_qa.run(planted.chain, 1, "r1").findings if not natural(f)]
        marks.append((*judged(found, planted.truth), planted.ideal, abs(planted.amplitude)))
    mean = np.mean(np.array(marks, float), axis=0)
    return Score(defect.name, part, float(mean[3]), float(mean[4]), defect.unit, *(float(m) for m in mean[:3]), trials)


def measured_together(defect: Defect, part: float, trials: int) -> Score:
    """The same of what only other petals tell: it is planted into one of three at a part of its usual amplitude."""
    marks = []
    for number in range(trials):
        arm, amplitude = "bzr"[number % 3], part * defect.amplitude
        planted = plant(camera.made(arm, SEED + 1000 + number), defect, amplitude, seed=SEED + number)
        found = desi_qa.run(planted.chain, 1, f"{arm}{PETALS}")
        petals = [*_others(arm), (1, f"{arm}{PETALS}", found.numbers)]
        told = [f for f in between(petals) if f.camera == f"{arm}{PETALS}"]
        marks.append((*judged([*found.findings, *told], planted.truth), planted.ideal))
    mean = np.mean(np.array(marks, float), axis=0)
    shares = (float(m) for m in mean[:3])
    return Score(defect.name, part, float(mean[3]), abs(part * defect.amplitude), defect.unit, *shares, trials)


_OTHERS: dict[str, list[tuple[int, str, dict[str, Any]]]] = {}


def _others(arm: str) -> list[tuple[int, str, dict[str, Any]]]:
    """The numbers of the clean petals of an arm."""
    if arm not in _OTHERS:
        chains = [camera.made(arm, SEED + 900 + petal) for petal in range(1, PETALS)]
        _OTHERS[arm] = [(1, f"{arm}{k}", desi_qa.run(c, 1, f"{arm}{k}").numbers) for k, c in enumerate(chains, 1)]
    return _OTHERS[arm]


_SHARED: dict[str, tuple[Chain, set[int]]] = {}  # with the fibers that it has faults of its own in


def base(number: int):  # type: ignore[no-untyped-def]
    """The camera of a trial, and what tells its own faults: made b and z, shared r with new noise where it is there."""
    arm = "bzr"[number % 3]
    if arm != "r" or not DATA.is_dir():
        return camera.made(arm, SEED + 1000 + number), lambda finding: False
    name = ("r6", "r7")[number // 3 % 2]
    if name not in _SHARED:
        from ifuview.app.night.triage.chain import read_chain
        from ifuview.app.night.triage.files import find_cameras

        (files,) = find_cameras([str(DATA)], cameras=(name,), expids=(104286,))
        chain = read_chain(files)[0]
        found = desi_qa.run(chain, 1, name).findings
        _SHARED[name] = chain, {fiber for f in found for fiber in f.fibers if f.kind == "isolated-fiber"}
    chain, own = _SHARED[name]
    return camera.renewed(
        chain, SEED + 1000 + number
    ), lambda finding: finding.kind == "isolated-fiber" and set(finding.fibers) <= own


def judged(findings: list[Finding], truth: Truth) -> tuple[bool, bool, bool]:
    """Whether a defect was found, has its class and first step, and its fibers."""
    wanted = set(truth.fibers)
    near = [f for f in findings if not wanted or wanted & set(f.fibers)]
    right = [f for f in near if any(kind in truth.kinds and step in truth.steps for kind, step in said(f))]
    if truth.amplifiers:
        right = [f for f in right if set(f.amplifier.split("/")) & set(truth.amplifiers)]
    named = [*([f] for f in right), right]
    fibers = bool(right) and (not wanted or any(_same(wanted, group) for group in named if group))
    return bool(near), bool(right), fibers


def said(finding: Finding) -> list[tuple[str, str]]:
    """Classes and first steps that a finding names: the likeliest, and those that it says it cannot exclude."""
    return [(finding.kind, finding.first_step), *finding.alternatives]


def _same(wanted: set[int], group: list[Finding]) -> bool:
    have = {fiber for f in group for fiber in f.fibers}
    return len(have & wanted) >= OVERLAP * len(wanted) and len(have - wanted) <= EXTRA * len(wanted)


def false_alarms(count: int) -> tuple[int, int, float]:
    """(cameras with a false alarm, cameras, median CPU of the engine in s)."""
    false, times = 0, []
    for number in range(count):
        scene = SCENES[number // 3 % len(SCENES)]
        chain = camera.made("brz"[number % 3], SEED + 5000 + number, **scene)  # type: ignore[arg-type]
        begin = time.process_time()
        found = desi_qa.run(chain, 1, "r1").findings
        times.append(time.process_time() - begin)
        false += any(f.kind != "sky-gradient" for f in found)
    return false, count, float(np.median(times))


def written(scores: list[Score], false: int, count: int, folder: Path) -> None:
    """The table and the picture."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "What the triage finds of planted defects, made by `python -m tests.bench truth`. The signal to noise is",
        "that of an observer who knows the spectra of the targets, the shape and the place. It is above the bar of",
        "12 (20 where the pattern is random) where a defect must exceed what fibers naturally differ by.",
        "",
        "| defect | ideal S/N | amplitude | found % | class and step % | fibers % | trials |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {s.name} | {s.snr:.1f} | {s.amplitude:.3g} {s.unit} | {100 * s.found:.0f} | {100 * s.right:.0f} | "
        f"{100 * s.fibers:.0f} | {s.trials} |"
        for s in scores
    ]
    if count:
        lines.append(f"\nFalse alarms: {false} of {count} clean cameras.")
    lines.append(
        f"\nAll seeds begin at {SEED}. With {TRIALS} trials at the bar one missed defect is {100 / TRIALS:.0f} %."
    )
    (folder / "truth.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if scores:
        _drawn(scores, folder / "truth.png")


def _drawn(scores: list[Score], path: Path) -> None:
    """One small panel a class: shares against the S/N."""
    from matplotlib.figure import Figure

    names = [name for name in dict.fromkeys(s.name for s in scores) if sum(s.name == name for s in scores) > 1]
    if not names:
        return
    columns = 6
    lines = -(-len(names) // columns)
    figure = Figure(figsize=(2.6 * columns, 1.9 * lines), layout="constrained")
    panels = np.atleast_1d(figure.subplots(lines, columns)).ravel()
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    for panel, name in zip(panels, names, strict=False):
        own = [s for s in scores if s.name == name]
        by_size = name in table.TOGETHER
        snr = [s.amplitude if by_size else s.snr for s in own]
        for label, color in (("found", "C0"), ("right", "C2"), ("fibers", "C1")):
            panel.plot(snr, [100 * getattr(s, label) for s in own], "o-", ms=3, lw=1, color=color, label=label)
        panel.axhline(100 * FOUND, color="0.7", lw=0.6)
        panel.set_ylim(-4, 104)
        panel.set_title(f"{name} ({own[0].unit})" if by_size else name, fontsize=8)
        panel.tick_params(labelsize=6)
    panels[0].legend(fontsize=6)
    figure.supxlabel("signal to noise of an ideal observer, or size", fontsize=8)
    figure.supylabel("% of the trials", fontsize=8)
    figure.savefig(path, dpi=80)
