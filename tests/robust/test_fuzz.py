"""Damaged files of every family: refused in one sentence or opened, and nothing else happens."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ifuview.errors import FileFormatError
from ifuview.io import read_traces

COUNT = 520


def test_numbers_that_are_no_wavelengths_are_none(tmp_path: Path) -> None:
    path = tmp_path / "traces.csv"
    waves = ["4000", "1e308", "-1e308", "4020", "nan", "inf", "4040", "4050"]
    path.write_text("fiber_id,x,y,wavelength\n" + "".join(f"7,{50 * n},{3 + n},{w}\n" for n, w in enumerate(waves)))
    wave = read_traces(path).wave
    assert wave is not None
    known = wave[np.isfinite(wave)]
    assert known.min() > 3900 and known.max() < 4100


@pytest.mark.parametrize("odd", ["-1e300", "1e-320"])
def test_positions_that_are_none_are_refused_or_pass(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "traces.csv"
    path.write_text(f"fiber_id,x,y\n7,0,{odd}\n7,{'1e-200' if odd > '0' else 50},3\n7,100,3\n")
    with contextlib.suppress(FileFormatError):
        assert np.isfinite(read_traces(path).center).any()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="inputs are tried in processes that are forked")
def test_damaged_files_are_refused_or_opened(tmp_path: Path) -> None:
    known = os.environ | {"QT_QPA_PLATFORM": "offscreen", "IFUVIEW_CONFIG": str(tmp_path)}
    command = [sys.executable, "-m", "tests.robust.fuzz", "20261129", str(COUNT)]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, env=known, capture_output=True, text=True, timeout=600)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout[done.stdout.index('{\n "seed"') :])
    assert found["wrong"] == [], json.dumps(found["wrong"][:3], indent=1)
    outcomes = found["outcomes"]
    assert outcomes["refusal"] + outcomes["opened"] == COUNT
    assert outcomes["opened"] > COUNT // 10 and outcomes["refusal"] > COUNT // 10
