"""The bars of the triage: CPU of one camera read from gz, of the engine part, of a night on two processes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "desi"
CAMERA_CPU, ENGINE_CPU, THIRTY_WALL = 1.5, 0.6, 60.0  # s
THIRTY = 30


def rows(quick: bool) -> Iterator[tuple[str, float, float, str, bool]]:
    """Best of a few rounds, each over all cameras of one exposure."""
    if not DATA.is_dir():
        yield ("triage of one camera, CPU", float("nan"), CAMERA_CPU, "s", False)
        return
    from ifuview.app.night.triage.chain import read_chain
    from ifuview.app.night.triage.files import find_cameras
    from ifuview.app.night.triage.run import run_triage
    from ifuview.recipes import desi_qa

    cameras = find_cameras([str(DATA)], expids=(104284,))
    rounds = 1 if quick else 3
    whole, engine = [], []
    for number in range(rounds + 1):  # the first one loads modules
        for camera in cameras:
            begin = time.process_time()
            chain, _, _ = read_chain(camera)
            middle = time.process_time()
            desi_qa.run(chain, camera.expid, camera.camera)
            if number:
                engine.append(time.process_time() - middle)
                whole.append(time.process_time() - begin)
    for name, times, bar in (
        ("triage of one camera read from gz, CPU (median)", whole, CAMERA_CPU),
        ("its engine part, CPU (median)", engine, ENGINE_CPU),
    ):
        value = sorted(times)[len(times) // 2]
        yield (name, value, bar, "s", value <= bar)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        count = len(run_triage([str(DATA)], jobs=2, output=folder).cameras)
    wall = (time.perf_counter() - begin) * THIRTY / count
    yield ("30 cameras with report on 2 processes, wall", wall, THIRTY_WALL, "s", wall <= THIRTY_WALL)
