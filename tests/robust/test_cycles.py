"""Opening and closing again and again leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CYCLES = 90


@pytest.mark.skipif(sys.platform != "linux", reason="memory, threads and descriptors are counted in /proc")
def test_files_opened_and_closed_leave_memory_threads_and_descriptors_as_they_were(tmp_path: Path) -> None:
    known = os.environ | {"QT_QPA_PLATFORM": "offscreen", "IFUVIEW_CONFIG": str(tmp_path)}
    command = [sys.executable, "-m", "tests.robust.cycles", str(CYCLES)]
    done = subprocess.run(command, cwd=ROOT, env=known, capture_output=True, text=True, timeout=600)
    assert done.stdout, done.stderr
    more = json.loads(done.stdout.splitlines()[-1])
    assert more["KiB"] < 20 << 10
    assert more["threads"] <= 1
    assert more["descriptors"] <= 4
